// Writing volumes: TIFF with slices as pages, NIfTI with its geometry.

import CMedical
import Foundation
import LimnTorch

/// Writes TIFF files, losslessly compressed.
public enum TIFFFile {
  /// Writes [C, Z, Y, X] with C 1 or 3; slices become pages. The file appears whole or not at all.
  /// - Parameters:
  ///   - voxels: uint8, uint16, int16, int32 or float32.
  ///   - description: the file's ImageDescription, such as that it is synthetic.
  ///   - url: the file's place.
  /// - Throws: `ImagingError`, or `AtomicFileError` where it cannot be written.
  public static func write(voxels: Tensor, description: String = "", to url: URL) throws {
    precondition(voxels.rank == 4, "voxels are [C, Z, Y, X], shape \(voxels.shape) was given")
    try withMedicalImage(of: voxels, planar: false, file: url.path) { image in
      try AtomicFile.write(to: url) { beside in
        try checked(url.path, expected: "1 or 3 channels", advice: "write each channel to its own file") {
          CMedTIFFWrite(&image, description, beside.path, &$0)
        }
      }
    }
  }
}

/// What stored numbers stand for: slope × number + intercept.
public struct ValueScale: Sendable, Equatable {
  /// What one step of the stored numbers is worth.
  public var slope: Double
  /// What 0 stands for.
  public var intercept: Double
  /// What the results are.
  public var unit: IntensityUnit

  /// Creates a scale.
  public init(slope: Double, intercept: Double, unit: IntensityUnit) {
    (self.slope, self.intercept, self.unit) = (slope, intercept, unit)
  }
}

/// Writes NIfTI files.
public enum NIfTIFile {
  /// Writes a volume with its affine as sform and as qform (the nearest one); channels become the fourth
  /// dimension. A name that ends in `.gz` is compressed. The file appears whole or not at all.
  /// - Parameters:
  ///   - volume: any number of channels.
  ///   - scale: what the voxels stand for, which readers give instead; themselves where nil.
  ///   - description: NIfTI's `descrip`, cut at 79 bytes, such as that the volume is synthetic.
  ///   - url: the file's place.
  /// - Throws: `ImagingError`, or `AtomicFileError` where it cannot be written.
  public static func write(
    _ volume: Volume, scale: ValueScale? = nil, description: String = "", to url: URL
  ) throws {
    try write(volume, scale, description, isDisplacement: false, to: url)
  }

  /// Writes a displacement field: the channels are a voxel's vector, NIfTI's fifth dimension, and the intent is that of
  /// displacements (1006). The file appears whole or not at all.
  /// - Parameters:
  ///   - volume: a channel for each component of the vectors.
  ///   - description: NIfTI's `descrip`, cut at 79 bytes.
  ///   - url: the file's place.
  /// - Throws: `ImagingError`, or `AtomicFileError` where it cannot be written.
  public static func write(displacement volume: Volume, description: String = "", to url: URL) throws {
    try write(volume, nil, description, isDisplacement: true, to: url)
  }

  private static func write(
    _ volume: Volume, _ scale: ValueScale?, _ description: String, isDisplacement: Bool, to url: URL
  ) throws {
    try withMedicalImage(of: volume.voxels, planar: true, file: url.path) { image in
      withUnsafeMutableBytes(of: &image.affine) { $0.copyBytes(from: volume.affine.elements.flatMap(bytes)) }
      try AtomicFile.write(to: url) { beside in
        try checked(url.path, expected: "a folder with room", advice: "choose another place") {
          CMedNIfTIWrite(
            &image, scale?.slope ?? 1, scale?.intercept ?? 0, isDisplacement, description,
            url.pathExtension == "gz", beside.path, &$0)
        }
      }
    }
  }

  private static func bytes(of value: Double) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
