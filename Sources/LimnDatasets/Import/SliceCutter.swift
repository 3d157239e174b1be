// From a volume to images: plane, slices, window, square pixels, size, channels.

import LimnImaging
import LimnTorch

/// An image on its way into a dataset.
struct CutSlice {
  /// float32 [C, H, W] in [0, 1].
  let image: Tensor
  /// The position along the slice axis; nil for pictures.
  let position: Int?
  /// Millimetres between pixel centres, [row, column]; nil where the source does not say.
  let spacing: [Double]?
}

/// Cuts volumes as the options say.
struct SliceCutter {
  let options: ImportOptions

  /// The window for a volume: the one given, or everything for 8-bit pictures, which somebody has windowed
  /// before, and nearly everything for others. NIfTI files of 8 bits are scans all the same.
  func window(for volume: Volume) -> IntensityWindow {
    let isPicture = volume.storedBits <= 8 && volume.info.format != FileKind.nifti.rawValue
    return options.window ?? (isPicture ? .full : .percentiles(0.5, 99.5))
  }

  /// Calls `body` with each image of the volume in turn; slices with less than the least content are counted,
  /// not given.
  /// - Returns: how many were left out.
  func cut(_ volume: Volume, size: ImageSize?, _ body: (CutSlice) throws -> Void) rethrows -> Int {
    let limits = window(for: volume).limits(of: volume.voxels, storedBits: volume.storedBits)
    var skipped = 0
    let (slices, positions, spacing) = planes(of: volume)
    for (slice, position) in zip(slices, positions) {
      let shown = IntensityWindow.range(limits.low, limits.high).applied(to: slice)
      if content(of: shown) < options.minimumContent {
        skipped += 1
        continue
      }
      let fitted = fit(shown, spacing, to: size)
      try body(CutSlice(image: withChannels(fitted.image), position: position, spacing: fitted.spacing))
    }
    return skipped
  }

  private func planes(of volume: Volume) -> ([Tensor], [Int?], [Double]?) {
    let extent = volume.voxels.shape
    let spacing = volume.spacing
    guard extent[1] > 1, volume.info.hasGeometry else {
      // A picture, one scanned slice, or a file of pages: as it is stored.
      let chosen = extent[1] > 1 ? selected(extent[1]) : [0]
      let pages = chosen.map { volume.voxels.narrowed(dim: 1, start: $0, length: 1).squeezed(1) }
      return (pages, extent[1] > 1 ? chosen : [nil], volume.info.hasGeometry ? [spacing.y, spacing.x] : nil)
    }
    let axis = plane(of: volume)
    let all = volume.slices(axis: axis)
    let chosen = selected(all.count)
    return (chosen.map { all[$0] }, chosen, Self.pixelSpacing(of: volume, axis))
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

  private static func pixelSpacing(of volume: Volume, _ axis: SliceAxis) -> [Double]? {
    let across = spacings(of: volume)
    guard let x = across[.sagittal], let y = across[.coronal], let z = across[.axial] else { return nil }
    return switch axis {
    case .axial: [y, x]
    case .coronal: [z, x]
    case .sagittal: [z, y]
    }
  }

  private func content(of image: Tensor) -> Double {
    guard options.minimumContent > 0 else { return 1 }
    return image.isGreater(than: ImportOptions.contentLevel).to(.float32).mean().item()
  }

  /// Square pixels first, so that proportions are the patient's, then the size.
  private func fit(
    _ image: Tensor, _ spacing: [Double]?, to size: ImageSize?
  ) -> (image: Tensor, spacing: [Double]?) {
    var (image, spacing) = (image, spacing)
    if let old = spacing, Self.isWorthSquaring(old[0] / old[1]) {
      let finest = min(old[0], old[1])
      let height = Int((Double(image.shape[1]) * old[0] / finest).rounded())
      let width = Int((Double(image.shape[2]) * old[1] / finest).rounded())
      spacing = [
        old[0] * Double(image.shape[1]) / Double(height), old[1] * Double(image.shape[2]) / Double(width),
      ]
      image = ImageResize.fit(image, height: height, width: width, mode: .stretch)
    }
    guard let size, image.shape[1] != size.height || image.shape[2] != size.width else {
      return (image, spacing)
    }
    let ratios = [Double(size.height) / Double(image.shape[1]), Double(size.width) / Double(image.shape[2])]
    let scales =
      switch options.fit {
      case .pad: [min(ratios[0], ratios[1]), min(ratios[0], ratios[1])]
      case .crop: [max(ratios[0], ratios[1]), max(ratios[0], ratios[1])]
      case .stretch: ratios
      }
    let fitted = ImageResize.fit(image, height: size.height, width: size.width, mode: options.fit)
    return (fitted, spacing.map { [$0[0] / scales[0], $0[1] / scales[1]] })
  }

  /// Whether pixels are visibly not square, yet not so far from it that the file must be wrong.
  private static func isWorthSquaring(_ ratio: Double) -> Bool {
    abs(ratio - 1) > 0.01 && (1.0 / 32...32).contains(ratio)
  }

  private func withChannels(_ image: Tensor) -> Tensor {
    switch (options.channels, image.shape[0]) {
    case (.one, 3): (image * Self.luma).sum(dims: [0], keepDim: true)
    case (.three, 1): image.expanded([3, image.shape[1], image.shape[2]])
    default: image
    }
  }

  private static let luma = Tensor([0.299, 0.587, 0.114] as [Float], shape: [3, 1, 1])
}
