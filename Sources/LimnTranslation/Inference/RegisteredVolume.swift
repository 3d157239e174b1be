// A moving volume or picture brought onto a fixed one by a trained registration network.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A volume warped slice by slice onto another one, with the displacement that did it.
public struct RegisteredVolume {
  /// What a displacement is like.
  public struct Figures: Sendable, Codable, Equatable {
    /// Mean length, in `unit`.
    public let mean: Double
    /// Greatest length, in `unit`.
    public let largest: Double
    /// mm, or pixels where the images have no place.
    public let unit: String
    /// Pixels at which the Jacobian's determinant is 0 or less, so that the image is folded.
    public let folded: Int
    /// Pixels at which it was looked at.
    public let pixels: Int
  }

  /// The moving volume's own values on the fixed one, in its type.
  public let warped: Volume
  /// float32 [3, Z, H, W], where a voxel's value comes from, seen from the voxel: mm along x, y and z (RAS+); of pictures
  /// [2, 1, H, W], pixels along columns and rows.
  public let displacement: Volume
  /// How large it is, and where it folds.
  public let figures: Figures
  /// uint8 [C, H′, W′]: checkerboards of the fixed with the moving volume, and with the warped one beside it; of volumes
  /// a quarter, the middle and three quarters of the way through.
  public let checkerboard: Tensor

  /// Registers slice by slice, as the training images lie in the patient and at their spacing.
  /// - Parameters:
  ///   - moving: of the target's kind, or, with `style`, of the source's.
  ///   - fixed: of the target's kind.
  ///   - translator: a run with a registration network.
  ///   - style: with which the moving volume is translated before; nil: not at all.
  ///   - progress: told the slices that are done and all there are; what it throws ends the work.
  /// - Throws: `RunError` where the volumes do not fit the networks or each other; what `progress` throws.
  public init(
    moving: Volume, onto fixed: Volume, by translator: Translator,
    translatingWith style: TranslationStyle? = nil,
    progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws {
    try translator.requireRegistration()
    let images = try RegisteredSlices(moving, fixed, translator, style)
    // The moving volume's own values, which lie as the fixed one does, whatever its file says.
    var placed = try moving.brought(onto: fixed)
    (placed.affine, placed.info.hasGeometry) = (fixed.affine, fixed.info.hasGeometry)
    let turned = translator.target.turned(placed)
    var (warped, fields, sheet, measured) = ([Tensor](), [Tensor](), [Tensor](), Measured())
    let count = turned.size[0]
    let sampled = Set(count > 3 ? [count / 4, count / 2, count * 3 / 4] : [count / 2])
    for slice in 0..<count {
      let pair = try images.pair(slice)
      let flow = images.displacement(pair)
      let own = turned.voxels[.all, slice].to(.float32).unsqueezed(0)
      warped.append(SpatialTransformer.warp(own, by: flow))
      fields.append(images.vectors(flow))
      measured.add(flow, images.vectors(flow))
      if sampled.contains(slice) {
        let now = SpatialTransformer.warp(pair.moving, by: flow)
        sheet += [Checkerboard.image(pair.fixed, pair.moving), Checkerboard.image(pair.fixed, now)]
      }
      try progress(slice + 1, count)
    }
    func upright(_ slices: [Tensor]) -> Tensor {
      turned.turnedBack(Tensor.cat(slices).transposed(0, 1).contiguous(), to: fixed)
    }
    let values = upright(warped)
    let type = moving.voxels.dtype
    self.warped = Volume(
      voxels: type.isFloatingPoint ? values.to(type) : values.round().to(type), affine: fixed.affine,
      storedBits: moving.storedBits, unit: moving.unit, info: moving.info)
    displacement = Volume(
      voxels: upright(fields), affine: fixed.affine, storedBits: 32, info: fixed.info)
    figures = measured.figures(unit: images.isPlaced ? "mm" : "pixels")
    checkerboard = ContactSheet(columns: 2, background: 32).image(of: .cat(sheet))
  }

  /// Writes what was found: `warped`, `displacement.nii.gz` (NIfTI's intent of displacements) and `checkerboard.png`.
  /// - Parameters:
  ///   - folder: where the files go; it is made.
  ///   - statement: what registered, for people to read.
  /// - Returns: the files.
  /// - Throws: where one cannot be written.
  public func write(to folder: URL, statement: String) throws -> [URL] {
    let picture = warped.isPicture && warped.voxels.dtype != .float32
    let files = ["warped" + (picture ? ".png" : ".nii.gz"), "displacement.nii.gz", "checkerboard.png"]
      .map(folder.appendingPathComponent)
    try AtomicFile.makeFolder(of: files[0])
    if picture {
      try PNGFile.write(pixels: warped.voxels[.all, 0], to: files[0])
    } else {
      try NIfTIFile.write(warped, description: statement, to: files[0])
    }
    let unit = figures.unit == "mm" ? "mm, RAS+" : "pixels: columns, rows"
    try NIfTIFile.write(displacement: displacement, description: "displacement in \(unit)", to: files[1])
    try PNGFile.write(pixels: checkerboard, to: files[2])
    return files
  }
}

/// The slices of two volumes as the registration network is shown them.
private struct RegisteredSlices {
  let moving: ShownVolume
  let fixed: ShownVolume
  let translator: Translator
  let style: TranslationStyle?
  let match: SpacingMatch?
  var isPlaced: Bool { fixed.turned.info.hasGeometry }

  init(_ moving: Volume, _ fixed: Volume, _ translator: Translator, _ style: TranslationStyle?) throws {
    (self.translator, self.style) = (translator, style)
    let intake = style == nil ? translator.target : translator.source
    var placed = try intake.shown(moving, on: fixed)
    (placed.affine, placed.info.hasGeometry) = (fixed.affine, fixed.info.hasGeometry)
    self.moving = ShownVolume(shown: placed, intake)
    self.fixed = try ShownVolume(fixed, translator.target)
    match = try translator.target.spacingMatch(of: self.fixed.turned)
  }

  /// [1, C′, H, W] each, in [−1, 1].
  func pair(_ slice: Int) throws -> (moving: Tensor, fixed: Tensor) {
    let range = slice..<slice + 1
    let own = try moving.slices(range)
    let shown = style.map { translator.translate(own, match: match, isPlaced: isPlaced, style: $0) } ?? own
    return (shown, try fixed.slices(range))
  }

  /// [1, 2, H, W] in pixels.
  func displacement(_ pair: (moving: Tensor, fixed: Tensor)) -> Tensor {
    translator.displacement(moving: pair.moving, fixed: pair.fixed, match: match)
      ?? Tensor.zeros([1, 2] + pair.fixed.shape.suffix(2))
  }

  /// Displacements [1, 2, H, W] in pixels as vectors, [1, 3, H, W] in mm, or of pictures [1, 2, H, W] as columns and rows.
  func vectors(_ flow: Tensor) -> Tensor {
    guard isPlaced else { return flow.flipped([1]) }
    let affine = fixed.turned.affine
    let (rows, columns) = (flow[.all, 0], flow[.all, 1])
    return Tensor.stack(
      (0..<3).map { columns * affine.column(0)[$0] + rows * affine.column(1)[$0] }, dim: 1)
  }
}

/// What adds up over slices.
private struct Measured {
  var (sum, largest, count, folded, pixels) = (0.0, 0.0, 0, 0, 0)

  mutating func add(_ flow: Tensor, _ vectors: Tensor) {
    let lengths = vectors.to(.float64).square().sum(dims: [1]).sqrt()
    sum += lengths.sum().item()
    largest = max(largest, lengths.max().item())
    count += lengths.count
    let jacobian = SpatialTransformer.jacobian(flow)
    folded += Int(jacobian.isAtMost(0).to(.int64).sum().item())
    pixels += jacobian.count
  }

  func figures(unit: String) -> RegisteredVolume.Figures {
    RegisteredVolume.Figures(
      mean: sum / Double(max(count, 1)), largest: largest, unit: unit, folded: folded, pixels: pixels)
  }
}
