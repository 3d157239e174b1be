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
    let file = URL(fileURLWithPath: path)
    do { return ProbeResult(header: try ImageReader.probe(file)) } catch {
      return ProbeResult(
        problem: ImportProblem.line(for: error), isForeign: FileKind(sniffing: file) == nil)
    }
  }

  private static func cut(_ request: CutRequest) throws -> CutResult {
    let first = URL(fileURLWithPath: request.files[0])
    let volumes = try read(request)
    for volume in volumes { try checkChannels(volume.outline, request, first) }
    let writer = CutWriter(request)
    for (index, volume) in volumes.enumerated() { try writer.add(volume, index: index) }
    return try writer.finish(volumes.map(\.outline))
  }

  private static func read(_ request: CutRequest) throws -> [VolumeSlabs] {
    let files = request.files.map { URL(fileURLWithPath: $0) }
    return request.isDICOM
      ? try DICOMSeries.slabs(files: files) : [VolumeSlabs(try ImageReader.read(files[0]))]
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
}

/// Images of a unit on their way to the disk.
private final class CutWriter {
  private let request: CutRequest
  private let cutter: SliceCutter
  private let pixels: PixelFile
  private let masks: PixelFile
  private let targets: PixelFile
  private var target: CutTarget?
  private var images: [CutImage] = []
  private var values = Set<Int>()
  private var skipped = 0
  private var namedClasses: [LabelClass] = []
  private var pair: PairResult?
  private var unseen = 0

  init(_ request: CutRequest) {
    self.request = request
    cutter = SliceCutter(options: request.options)
    pixels = PixelFile(URL(fileURLWithPath: request.output))
    masks = PixelFile(URL(fileURLWithPath: request.labelOutput))
    targets = PixelFile(URL(fileURLWithPath: request.pairOutput))
    target = request.target
  }

  func add(_ slabs: VolumeSlabs, index: Int) throws {
    var (slabs, mask) = (slabs, try mask(of: slabs.outline))
    let hasPlace = slabs.outline.info.hasGeometry
    if request.options.evensSlices, hasPlace {
      mask = try mask?.resampledRegular(interpolation: .nearest, fill: 0)
      slabs = VolumeSlabs(try slabs.whole().outline.resampledRegular())
    }
    let volume = slabs.outline
    let pair = try request.pair.map { try PairReader(request: $0).read(for: volume) }
    let size = request.options.size ?? target.map { ImageSize(height: $0.height, width: $0.width) }
    skipped += try cutter.cut(slabs, mask: mask, pair: pair, size: size) { slice in
      let common = common(slice, deepest(volume, pair))
      try pixels.append((slice.image * 2 - 1).quantized(bitDepth: common.bitDepth))
      if let target = slice.target {
        try checkChannels(target.shape[0], common)
        unseen += slice.isTargetSeen ? 0 : 1
        try targets.append((target * 2 - 1).quantized(bitDepth: common.bitDepth))
      }
      if let labels = slice.labels {
        try masks.append(labels.to(.uint16))
        values.formUnion(labels.to(.int32).distinctValues)
      }
      images.append(
        CutImage(
          volume: index, slice: slice.position, tile: slice.tile,
          spacing: hasPlace ? Self.rounded(slice.spacing) : nil,
          affine: hasPlace ? Self.rounded(Array(slice.affine.elements.prefix(12))) : nil,
          fingerprint: Fingerprint.of(slice.image)))
    }
    if let pair { note(pair) }
  }

  /// On the volume's grid, its stack included, so that both are resampled alike.
  private func mask(of volume: Volume) throws -> Volume? {
    guard let label = request.label else { return nil }
    var (mask, classes) = try LabelReader(request: label).read(for: volume)
    mask.info.stack = volume.info.stack
    for label in classes where !namedClasses.contains(label) { namedClasses.append(label) }
    return mask
  }

  /// What all images have in common, which the first decides.
  private func common(_ slice: CutSlice, _ storedBits: Int) -> CutTarget {
    if let target { return target }
    let decided = CutTarget(
      channels: slice.image.shape[0], height: slice.image.shape[1], width: slice.image.shape[2],
      bitDepth: request.options.bits ?? (storedBits <= 8 ? 8 : 16), pairChannels: slice.target?.shape[0])
    target = decided
    return decided
  }

  private func deepest(_ volume: Volume, _ pair: PairedVolume?) -> Int {
    max(volume.storedBits, pair?.volume.storedBits ?? 0)
  }

  private func checkChannels(_ channels: Int, _ common: CutTarget) throws {
    guard let expected = common.pairChannels, expected != channels, let file = request.pair?.files[0] else {
      return
    }
    throw DatasetError(
      URL(fileURLWithPath: file),
      "has \(channels) channels, the counterparts before it have \(expected); pass --channels 1 or --channels 3"
    )
  }

  private func note(_ pair: PairedVolume) {
    let volume = pair.volume
    self.pair = PairResult(
      unit: volume.unit, window: pair.windowText, modality: volume.info.modality,
      storedBits: volume.storedBits, unseen: unseen)
  }

  func finish(_ volumes: [Volume]) throws -> CutResult {
    try pixels.close()
    try masks.close()
    try targets.close()
    guard let first = volumes.first else {
      throw DatasetError(URL(fileURLWithPath: request.files[0]), "holds no image")
    }
    return CutResult(
      target: target ?? CutTarget(channels: first.channels, height: 0, width: 0, bitDepth: 8),
      images: images, skipped: skipped, storedBits: volumes.map(\.storedBits).max() ?? 8, unit: first.unit,
      window: cutter.window(for: first).optionText, modality: first.info.modality,
      warnings: volumes.flatMap(\.info.warnings), labelValues: request.label.map { _ in values.sorted() },
      namedClasses: namedClasses, pair: pair)
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
