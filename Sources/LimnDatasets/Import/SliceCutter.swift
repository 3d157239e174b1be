// From a volume to images: plane, slices, window, crop, square pixels, size, channels.

import LimnImaging
import LimnTorch

/// An image on its way into a dataset.
struct CutSlice {
  /// float32 [C, H, W] in [0, 1].
  var image: Tensor
  /// int32 [1, H, W]; nil without a mask.
  var labels: Tensor?
  /// float32 [C′, H, W] in [0, 1], the other image of the pair; nil without one.
  var target: Tensor?
  /// Whether the other image's field reaches into the slice.
  var isTargetSeen = true
  /// The position along the slice axis; nil for pictures.
  let position: Int?
  /// Which tile of the slice, [row, column] from 0; nil where it is not divided.
  var tile: [Int]?
  /// Pixel (column, row, 0) to millimetres, RAS+; of a picture without geometry nothing but its spacings
  /// means anything.
  var affine: Affine
  /// Millimetres between pixel centres, [row, column].
  var spacing: [Double] { [affine.spacing.y, affine.spacing.x] }
}

/// Cuts volumes as the options say.
struct SliceCutter {
  let options: CutOptions

  /// The window for a volume: the one given, or everything for 8-bit pictures, which somebody has windowed
  /// before, and nearly everything for others. NIfTI files of 8 bits are scans all the same.
  func window(for volume: Volume) -> IntensityWindow {
    if options.takesFileWindow, let preset = volume.info.windowPresets.first {
      return .centre(preset.centre, width: preset.width)
    }
    let isPicture = volume.storedBits <= 8 && volume.info.format != FileKind.nifti.rawValue
    return options.window ?? (isPicture ? .full : .percentiles(0.5, 99.5))
  }

  /// Calls `body` with each image of the volume in turn; slices with less than the least content are counted,
  /// not given.
  /// - Parameters:
  ///   - slabs: what is cut.
  ///   - mask: on the volume's grid; cut in the same way, nearest pixels.
  ///   - pair: on the volume's grid; cut in the same way.
  ///   - size: the images'; their own where nil.
  ///   - body: takes the images.
  /// - Returns: how many were left out.
  /// - Throws: `ImagingError` where a slab cannot be read; what `body` throws.
  func cut(
    _ slabs: VolumeSlabs, mask: Volume? = nil, pair: PairedVolume? = nil, size: ImageSize?,
    _ body: (CutSlice) throws -> Void
  ) throws -> Int {
    let shown = displayed(slabs.outline, as: slabs.outline)
    // Slices of another plane pass through all slabs.
    let slabs = shown.isAcrossStack ? slabs : try slabs.whole()
    let window = try window(for: slabs.outline).display(of: slabs)
    let chosen = shown.count > 1 ? selected(shown.count) : [0]
    let box = try box(of: slabs, chosen, window)
    var skipped = 0
    try forEachSlice(of: slabs, chosen) { position, slab, local in
      let image = window.applied(to: slab.slices[local])
      let labels = mask.map { displayed($0, as: slabs.outline)[position] }
      let other = pair.map { displayed($0.volume, as: slabs.outline)[position] }
      var slice = CutSlice(
        image: image, labels: labels, target: other.flatMap { pair?.window.applied(to: $0) },
        isTargetSeen: other.map { $0.isEqual(to: $0).any().item() == 1 } ?? true,
        position: shown.count > 1 ? position : nil,
        affine: Self.place(of: local, slab.slices, in: slab.volume))
      slice.crop(to: box ?? (options.crop == .fov ? ContentBox.of(image) : nil))
      if slab.volume.info.hasGeometry { slice.makePixelsSquare() }
      for part in options.tiles.map(slice.divided) ?? [slice] {
        // Of a whole slice everything counts, what is cropped away too.
        if content(of: options.tiles == nil ? image : part.image) < options.minimumContent {
          skipped += 1
        } else {
          try body(finished(part, size))
        }
      }
    }
    return skipped
  }

  private func finished(_ slice: CutSlice, _ size: ImageSize?) -> CutSlice {
    var slice = slice
    if let size { slice.fit(size, options.fit) }
    slice.image = withChannels(slice.image)
    slice.target = slice.target.map(withChannels)
    return slice
  }

  private typealias Slab = (volume: Volume, slices: DisplayedSlices)

  /// The chosen slices in the order of display: their position, their slab, and their position in it.
  private func forEachSlice(
    of slabs: VolumeSlabs, _ chosen: [Int], _ body: (Int, Slab, Int) throws -> Void
  ) throws {
    let shown = displayed(slabs.outline, as: slabs.outline)
    let order = Array(slabs.ranges.indices)
    for index in shown.isReversed ? order.reversed() : order {
      let range = slabs.ranges[index]
      let isWhole = slabs.ranges.count == 1
      let first = isWhole ? 0 : shown.isReversed ? shown.count - range.upperBound : range.lowerBound
      let positions = chosen.filter { isWhole || (first..<first + range.count).contains($0) }
      guard !positions.isEmpty else { continue }
      let volume = try slabs.slab(index)
      let slices = displayed(volume, as: slabs.outline)
      for position in positions { try body(position, (volume, slices), position - first) }
    }
  }

  /// The slices of a volume, or of a part of one, or of what lies over it. Pictures, single scanned slices and files of pages
  /// stay as they are stored.
  private func displayed(_ volume: Volume, as whole: Volume) -> DisplayedSlices {
    guard whole.voxels.shape[1] > 1, whole.info.hasGeometry else { return volume.storedSlices }
    return volume.displayed(plane(of: whole))
  }

  /// A slice's own place: of a stack with uneven gaps, what the slice's file says, not what their mean gives.
  private static func place(of position: Int, _ shown: DisplayedSlices, in volume: Volume) -> Affine {
    var affine = shown.affine.slice(position)
    guard let origins = volume.info.stack?.origins, origins.count == shown.count, shown.isAcrossStack
    else { return affine }
    let stored = shown.isReversed ? origins.count - 1 - position : position
    let error = origins[stored] - volume.affine([0, 0, Double(stored)])
    for row in 0..<3 { affine[row, 3] += error[row] }
    return affine
  }

  private func selected(_ count: Int) -> [Int] {
    let range = options.slices?.range(of: count) ?? 0..<count
    return Array(stride(from: range.lowerBound, to: range.upperBound, by: options.every))
  }

  /// The plane asked for; for `auto` the one that the widest spacing lies across.
  private func plane(of volume: Volume) -> SliceAxis {
    if let axis = SliceAxis(rawValue: options.axis.rawValue) { return axis }
    let spacings = Self.spacings(of: volume)
    let axial = spacings[.axial] ?? 1
    guard let widest = spacings.max(by: { $0.value < $1.value }), widest.value > 1.05 * axial else {
      return .axial
    }
    return widest.key
  }

  /// The distance between the slices of each plane.
  private static func spacings(of volume: Volume) -> [SliceAxis: Double] {
    let planes: [Character: SliceAxis] = [
      "R": .sagittal, "L": .sagittal, "A": .coronal, "P": .coronal, "S": .axial, "I": .axial,
    ]
    let spacing = volume.spacing
    var result: [SliceAxis: Double] = [:]
    for (letter, distance) in zip(volume.orientation.description, [spacing.x, spacing.y, spacing.z]) {
      if let plane = planes[letter] { result[plane] = distance }
    }
    return result
  }

  /// The box for all slices: the one given, or the one around everything that any of them shows.
  private func box(of slabs: VolumeSlabs, _ chosen: [Int], _ window: DisplayWindow) throws -> CropBox? {
    if let box = options.box { return box }
    guard options.crop == .body else { return nil }
    var brightest: Tensor?
    try forEachSlice(of: slabs, chosen) { _, slab, local in
      let image = window.applied(to: slab.slices[local])
      brightest = brightest.map { maximum($0, image) } ?? image
    }
    return brightest.flatMap(ContentBox.of)
  }

  private func content(of image: Tensor) -> Double {
    guard options.minimumContent > 0 else { return 1 }
    return image.isGreater(than: CutOptions.contentLevel).to(.float32).mean().item()
  }

  private func withChannels(_ image: Tensor) -> Tensor {
    switch (options.channels, image.shape[0]) {
    case (.one, 3): Filters.luminance(image, dim: 0)
    case (.three, 1): image.expanded([3, image.shape[1], image.shape[2]])
    default: image
    }
  }
}

extension CutSlice {
  private var height: Int { image.shape[1] }
  private var width: Int { image.shape[2] }

  /// Keeps what of the box lies within the image.
  fileprivate mutating func crop(to box: CropBox?) {
    guard let box, box.top < height, box.left < width else { return }
    let (rows, columns) = (min(box.height, height - box.top), min(box.width, width - box.left))
    func part(_ x: Tensor) -> Tensor {
      x.narrowed(dim: 1, start: box.top, length: rows).narrowed(dim: 2, start: box.left, length: columns)
        .contiguous()
    }
    (image, labels, target) = (part(image), labels.map(part), target.map(part))
    affine =
      affine
      * Affine(x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1], origin: [Double(box.left), Double(box.top), 0])
  }

  /// Tiles of a size side by side, row by row; none of an image that is smaller.
  fileprivate func divided(_ size: ImageSize) -> [CutSlice] {
    let (rows, columns) = (height / size.height, width / size.width)
    let (top, left) = ((height - rows * size.height) / 2, (width - columns * size.width) / 2)
    return (0..<rows * columns).map { number in
      let (row, column) = (number / columns, number % columns)
      var tile = self
      tile.crop(
        to: CropBox(
          top: top + row * size.height, left: left + column * size.width, height: size.height,
          width: size.width))
      tile.tile = [row, column]
      return tile
    }
  }

  /// Square pixels, so that proportions are the patient's; the finer of the two distances stays.
  fileprivate mutating func makePixelsSquare() {
    guard Self.isWorthSquaring(spacing[0] / spacing[1]) else { return }
    let finest = min(spacing[0], spacing[1])
    let tall = Int((Double(height) * spacing[0] / finest).rounded())
    let wide = Int((Double(width) * spacing[1] / finest).rounded())
    fit(ImageSize(height: tall, width: wide), .stretch)
  }

  fileprivate mutating func fit(_ size: ImageSize, _ mode: ImageResize.Mode) {
    guard height != size.height || width != size.width else { return }
    let placement = ImageResize.Placement(from: (height, width), to: (size.height, size.width), mode: mode)
    image = ImageResize.fit(image, height: size.height, width: size.width, mode: mode)
    target = target.map { ImageResize.fit($0, height: size.height, width: size.width, mode: mode) }
    labels = labels.map {
      ImageResize.fit($0, height: size.height, width: size.width, mode: mode, interpolation: .nearest)
    }
    affine = affine * placement.step
  }

  /// Whether pixels are visibly not square, yet not so far from it that the file must be wrong.
  private static func isWorthSquaring(_ ratio: Double) -> Bool {
    abs(ratio - 1) > 0.01 && (1.0 / 32...32).contains(ratio)
  }
}

extension Affine {
  /// Of one slice: (column, row, 0) to millimetres.
  fileprivate func slice(_ position: Int) -> Affine {
    self * Affine(x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1], origin: [0, 0, Double(position)])
  }
}
