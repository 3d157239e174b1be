// Pixels across the C door: decoded buffers become tensors without a copy, tensors are lent to encoders.

import CMedical
import Foundation
import LimnTorch

/// Keeps a decoder's buffer alive as long as a tensor shows it. The buffer is not written after decoding.
private final class PixelOwner: @unchecked Sendable {
  private var image: CMedImage
  init(_ image: CMedImage) { self.image = image }
  deinit { CMedImageFree(&image) }
}

extension DType {
  init(_ type: CMedType) {
    self =
      switch type {
      case CMedTypeUInt8: .uint8
      case CMedTypeUInt16: .uint16
      case CMedTypeInt16: .int16
      case CMedTypeInt32: .int32
      case CMedTypeFloat64: .float64
      default: .float32
      }
  }

  var medical: CMedType? {
    switch self {
    case .uint8: CMedTypeUInt8
    case .uint16: CMedTypeUInt16
    case .int16: CMedTypeInt16
    case .int32: CMedTypeInt32
    case .float32: CMedTypeFloat32
    default: nil
    }
  }
}

/// Takes over a decoded image; the answer is [C, Z, Y, X], contiguous.
func tensor(taking image: CMedImage) -> Tensor {
  let (channels, depth) = (Int(image.channels), Int(image.depth))
  let (height, width) = (Int(image.height), Int(image.width))
  let isPlanar = image.planar || channels == 1
  let shape = isPlanar ? [channels, depth, height, width] : [depth, height, width, channels]
  let stored = Tensor.wrapping(
    image.data, shape: shape, dtype: DType(image.type), owner: PixelOwner(image))
  return isPlanar ? stored : stored.permuted([3, 0, 1, 2]).contiguous()
}

/// Lends voxels [C, Z, Y, X] to an encoder: samples together where `planar` is false.
/// - Throws: `ImagingError` where the dtype is none that files hold.
func withMedicalImage<Result>(
  of voxels: Tensor, planar: Bool, file: String, _ body: (inout CMedImage) throws -> Result
) throws -> Result {
  guard let type = voxels.dtype.medical else {
    throw ImagingError(
      file: file, found: "pixels of type \(voxels.dtype)",
      expected: "uint8, uint16, int16, int32 or float32", advice: "convert the pixels first")
  }
  let laidOut = (planar ? voxels : voxels.permuted([1, 2, 3, 0])).contiguous()
  var image = CMedImage()
  (image.channels, image.depth) = (Int64(voxels.shape[0]), Int64(voxels.shape[1]))
  (image.height, image.width) = (Int64(voxels.shape[2]), Int64(voxels.shape[3]))
  (image.type, image.planar) = (type, planar)
  return try laidOut.withUnsafeBytes { bytes in
    // Encoders only read what is lent.
    image.data = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
    image.byteCount = bytes.count
    return try body(&image)
  }
}

extension CMedError {
  /// The line the door gave.
  var line: String {
    withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// Runs a decoder or encoder of the door; its failure becomes an `ImagingError` about `file`.
func checked(
  _ file: String, expected: String, advice: String, _ call: (inout CMedError) -> Bool
) throws {
  var error = CMedError()
  guard !call(&error) else { return }
  throw ImagingError(file: file, found: error.line, expected: expected, advice: advice)
}
