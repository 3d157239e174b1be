// The other image of a pair, read onto the grid of the imported one.

import Foundation
import LimnImaging
import LimnTorch

/// The other image of a pair for a helper to read.
struct PairRequest: Codable, Sendable {
  /// One file, or those of a DICOM series.
  var files: [String]
  var isDICOM: Bool
  var window: IntensityWindow?
  var takesFileWindow: Bool
}

/// A volume on the grid of another, and what its values are shown as.
struct PairedVolume {
  /// Not a number where the volume's own field ends.
  let volume: Volume
  let window: DisplayWindow
  /// As the options would have it.
  let windowText: String
}

/// Reads it.
struct PairReader {
  let request: PairRequest
  private var file: URL { URL(fileURLWithPath: request.files[0]) }

  /// - Parameter image: the volume that it belongs to; its voxels' values do not matter.
  /// - Returns: the other image on that volume's grid, linearly interpolated where it has another.
  /// - Throws: what is wrong with it, with what was expected.
  func read(for image: Volume) throws -> PairedVolume {
    let volume = try read()
    var options = CutOptions()
    (options.window, options.takesFileWindow) = (request.window, request.takesFileWindow)
    let chosen = SliceCutter(options: options).window(for: volume)
    let window = try chosen.display(of: VolumeSlabs(volume))
    return PairedVolume(
      volume: try onGrid(volume, of: image, window), window: window, windowText: chosen.optionText)
  }

  private func read() throws -> Volume {
    let files = request.files.map { URL(fileURLWithPath: $0) }
    let volumes = request.isDICOM ? try DICOMSeries.read(files: files) : [try ImageReader.read(file)]
    guard volumes.count == 1 else {
      throw DatasetError(file, "\(volumes.count) volumes in one series, expected one to pair with an image")
    }
    guard [1, 3].contains(volumes[0].channels) else {
      throw DatasetError(
        file,
        "holds \(volumes[0].channels) volumes or channels, expected 1 or 3; take one out of the file first")
    }
    return volumes[0]
  }

  private func onGrid(_ volume: Volume, of image: Volume, _ window: DisplayWindow) throws -> Volume {
    if volume.info.hasGeometry, image.info.hasGeometry {
      return try measured(volume, window).resampledLinearly(onto: image)
    }
    guard volume.size == image.size else {
      throw DatasetError(
        file,
        "\(text(volume)), expected \(text(image)) as its counterpart has: without geometry pairs must be of one size"
      )
    }
    return volume
  }

  /// What was not measured becomes black, so that it does not bleed into its neighbours.
  private func measured(_ volume: Volume, _ window: DisplayWindow) -> Volume {
    var result = volume
    let black = Tensor.full([], window.isInverted ? window.high : window.low)
    let values = volume.voxels.to(.float32)
    result.voxels = Tensor.where(values.isEqual(to: values), values, black)
    if let padding = window.padding {
      result.voxels = Tensor.where(values.isEqual(to: padding), black, result.voxels)
    }
    return result
  }

  private func text(_ volume: Volume) -> String {
    let size = volume.size[0] > 1 ? volume.size : Array(volume.size[1...])
    return size.map(String.init).joined(separator: "×") + (volume.size[0] > 1 ? " voxels" : " pixels")
  }
}
