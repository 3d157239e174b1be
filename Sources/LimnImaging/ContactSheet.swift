// Many images on one sheet, in rows and columns.

import LimnTorch

/// Lays images out on one image.
public struct ContactSheet: Sendable, Equatable {
  /// Images in a row; where nil, as many as make the sheet roughly square.
  public var columns: Int?
  /// Pixels between images and around them.
  public var padding: Int
  /// Gray value between images, 0 to 255.
  public var background: UInt8

  /// Creates a layout.
  public init(columns: Int? = nil, padding: Int = 2, background: UInt8 = 255) {
    self.columns = columns
    self.padding = padding
    self.background = background
  }

  /// One sheet of all images in reading order.
  /// - Parameter images: [N, C, H, W], uint8, or floats in [−1, 1].
  /// - Returns: uint8 [C, H′, W′].
  public func image(of images: Tensor) -> Tensor {
    let columns = columns ?? Int(Double(images.shape[0]).squareRoot().rounded(.up))
    return laidOut([Self.bytes(images)], columns: max(1, min(columns, images.shape[0])))
  }

  /// One sheet of rows that belong together: a row of each group's images, then the next row of each.
  ///
  /// Gray and coloured groups may be mixed; the sheet is then coloured.
  /// - Parameter groups: each [N, C, H, W] with the same N, H and W, uint8, or floats in [−1, 1].
  /// - Returns: uint8 [C, H′, W′].
  public func image(ofRows groups: [Tensor]) -> Tensor {
    let count = groups[0].shape[0]
    let channels = groups.map { $0.shape[1] }.max() ?? 1
    let bytes = groups.map { group in
      let bytes = Self.bytes(group)
      return group.shape[1] == channels
        ? bytes : bytes.expanded([count, channels, group.shape[2], group.shape[3]])
    }
    return laidOut(bytes, columns: max(1, min(columns ?? 8, count)))
  }

  /// Floats in [−1, 1] as uint8, 255 being 1, rounded; uint8 as it is.
  public static func bytes(_ images: Tensor) -> Tensor {
    (images.dtype == .uint8 ? images : images.quantized(bitDepth: 8)).to(.cpu)
  }

  private func laidOut(_ groups: [Tensor], columns: Int) -> Tensor {
    let shape = groups[0].shape
    let (count, height, width) = (shape[0], shape[2], shape[3])
    let rows = (count + columns - 1) / columns * groups.count
    let sheet = Tensor.full(
      [shape[1], rows * (height + padding) + padding, columns * (width + padding) + padding],
      Double(background), dtype: .uint8)
    for (offset, group) in groups.enumerated() {
      for index in 0..<count {
        let row = index / columns * groups.count + offset
        sheet.narrowed(dim: 1, start: padding + row * (height + padding), length: height)
          .narrowed(dim: 2, start: padding + index % columns * (width + padding), length: width)
          .copy(from: group[index])
      }
    }
    return sheet
  }
}
