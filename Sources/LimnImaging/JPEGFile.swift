// Writing JPEG, for pages that a browser shows.

import CMedical
import Foundation
import LimnTorch

/// Encodes JPEG files.
public enum JPEGFile {
  /// Encodes an image, with loss.
  /// - Parameters:
  ///   - pixels: [C, H, W] with C 1 or 3, uint8.
  ///   - quality: 1 to 100.
  ///   - comment: the file's comment, such as that it is synthetic.
  /// - Returns: the file.
  /// - Throws: `ImagingError` for another shape or type.
  public static func encode(pixels: Tensor, quality: Int = 90, comment: String = "") throws -> Data {
    try checkImage(pixels, format: "JPEG")
    return try withMedicalImage(of: pixels.unsqueezed(1), planar: false, file: "JPEG") { image in
      try encoded("JPEG", expected: "uint8 pixels") { buffer, error in
        CMedJPEGWrite(&image, Int32(quality), comment, &buffer, &error)
      }
    }
  }
}
