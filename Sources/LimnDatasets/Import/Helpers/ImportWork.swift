// What a request asks for, done: headers read, volumes cut into images.

import Foundation
import LimnImaging
import LimnTorch

/// The work of a helper.
enum ImportWork {
  static func perform(_ request: ImportRequest) -> ImportReply {
    switch request {
    case .probe(let files): return .probed(files.map(probe))
    case .test(let file):
      return answering {
        _ = try ImageReader.read(URL(fileURLWithPath: file))
        return .tested
      }
    case .cut(let request):
      return answering {
        let result = try cut(request)
        return .cut(result)
      }
    }
  }

  private static func answering(_ body: () throws -> ImportReply) -> ImportReply {
    do { return try body() } catch { return .refused(ImportProblem.line(for: error)) }
  }

  private static func probe(_ path: String) -> ProbeResult {
    do { return ProbeResult(header: try ImageReader.probe(URL(fileURLWithPath: path))) } catch {
      return ProbeResult(problem: ImportProblem.line(for: error))
    }
  }

  private static func cut(_ request: CutRequest) throws -> CutResult {
    let volume = try read(request)
    let first = URL(fileURLWithPath: request.files[0])
    try checkChannels(volume, request, first)
    let cutter = SliceCutter(options: request.options)
    let mask = try request.label.map { try LabelReader($0).read(for: volume) }
    let file = PixelFile(URL(fileURLWithPath: request.output))
    let maskFile = PixelFile(URL(fileURLWithPath: request.labelOutput))
    var values = Set<Int>()
    let hasPlace = volume.info.hasGeometry
    var (images, target) = ([CutImage](), request.target)
    let skipped = try cutter.cut(volume, mask: mask, size: size(request)) { slice in
      let common = target ?? Self.target(of: slice, volume, request.options)
      target = common
      let pixels = (slice.image * 2 - 1).quantized(bitDepth: common.bitDepth)
      try file.append(pixels)
      if let labels = slice.labels {
        try maskFile.append(labels.to(.uint16))
        values.formUnion(Set(labels.to(.int32).array(of: Int32.self)).map(Int.init))
      }
      images.append(
        CutImage(
          slice: slice.position, spacing: hasPlace ? rounded(slice.spacing) : nil,
          affine: hasPlace ? rounded(Array(slice.affine.elements.prefix(12))) : nil,
          fingerprint: Fingerprint.of(slice.image)))
    }
    try file.close()
    try maskFile.close()
    return CutResult(
      target: target ?? CutTarget(channels: volume.channels, height: 0, width: 0, bitDepth: 8),
      images: images, skipped: skipped, storedBits: volume.storedBits, unit: volume.unit,
      window: cutter.window(for: volume).optionText, modality: volume.info.modality,
      warnings: volume.info.warnings, labelValues: mask.map { _ in values.sorted() })
  }

  private static func read(_ request: CutRequest) throws -> Volume {
    let files = request.files.map { URL(fileURLWithPath: $0) }
    guard request.isDICOM else { return try ImageReader.read(files[0]) }
    guard let volume = try DICOMSeries.read(files: files).first else {
      throw DatasetError(files[0], "holds no image")
    }
    return volume
  }

  private static func size(_ request: CutRequest) -> ImageSize? {
    request.options.size ?? request.target.map { ImageSize(height: $0.height, width: $0.width) }
  }

  private static func target(of slice: CutSlice, _ volume: Volume, _ options: CutOptions) -> CutTarget {
    CutTarget(
      channels: slice.image.shape[0], height: slice.image.shape[1], width: slice.image.shape[2],
      bitDepth: options.bits ?? (volume.storedBits <= 8 ? 8 : 16))
  }

  private static func checkChannels(_ volume: Volume, _ request: CutRequest, _ file: URL) throws {
    guard volume.channels == 1 || volume.channels == 3 else {
      throw DatasetError(
        file,
        "holds \(volume.channels) volumes or channels, expected 1 or 3; take one out of the file first")
    }
    guard request.options.channels == .keep, let target = request.target, target.channels != volume.channels
    else { return }
    throw DatasetError(
      file,
      "has \(volume.channels) channels, the sources before it have \(target.channels); "
        + "pass --channels 1 or --channels 3")
  }

  /// Millionths of a millimetre; what is beyond is a float's noise.
  private static func rounded(_ values: [Double]) -> [Double] { values.map { ($0 * 1e6).rounded() / 1e6 } }
}

/// Pixels on their way from a helper to the import: rows without a header.
private final class PixelFile {
  private let url: URL
  private var file: FileHandle?

  init(_ url: URL) { self.url = url }

  func append(_ pixels: Tensor) throws {
    do {
      if file == nil {
        try Data().write(to: url)
        file = try FileHandle(forWritingTo: url)
      }
      try pixels.contiguous().withUnsafeBytes { try file?.write(contentsOf: Data($0)) }
    } catch {
      throw DatasetError(url, "cannot be written (\(error.localizedDescription)); is the disk full?")
    }
  }

  func close() throws { try file?.close() }
}
