// From the images of all volumes to one dataset: who is who, what is alike, what is worth a warning.

import Foundation
import LimnImaging
import LimnTorch

/// A volume that has been cut.
struct FinishedUnit {
  let source: SourceUnit
  /// The other image of the pair; nil where images come alone.
  let pair: SourceUnit?
  /// The pseudonym.
  let patient: String
  let result: CutResult
  /// The images' pixels, one after the other.
  let pixels: URL
}

/// Writes the dataset.
struct ImportAssembly {
  let units: [FinishedUnit]
  let options: ImportOptions

  /// Images that were left out because they hold too little.
  var skipped: Int { units.reduce(0) { $0 + $1.result.skipped } }

  /// Images without a mask in a dataset with labels.
  var unlabelled: Int {
    guard options.labels != nil else { return 0 }
    return units.filter { $0.result.labelValues == nil }.reduce(0) { $0 + $1.result.images.count }
  }

  /// - Parameters:
  ///   - destination: the dataset's folder.
  ///   - target: what all images have in common.
  /// - Returns: the manifest as written, and what a careful person would want to know.
  /// - Throws: ``DatasetError`` if the disk refuses or kept pixels are not whole.
  func write(
    to destination: URL, target: CutTarget
  ) throws -> (manifest: DatasetManifest, warnings: [String]) {
    let writer = try DatasetWriter(
      DatasetDescription(
        name: options.name ?? destination.lastPathComponent, channels: target.channels,
        height: target.height, width: target.width, bitDepth: target.bitDepth, classes: classes,
        companions: companions(target)),
      to: destination, overwrite: options.overwrite)
    for unit in units { try append(unit, to: writer, target) }
    let patients = units.flatMap { unit in unit.result.images.map { _ in unit.patient } }
    let fingerprints = units.flatMap { $0.result.images.map(\.fingerprint) }
    let pixels = try StoredPixels(units.filter { !$0.result.images.isEmpty }.map(\.pixels), target)
    let alike = LookAlikes(
      patients: patients, fingerprints: fingerprints, difference: pixels.meanDifference)
    writer.description.modality = options.modality ?? Self.only(units.compactMap(\.result.modality))
    writer.description.intensity = Self.intensity(
      options.cut.window, units.map { ($0.result.window, $0.result.unit) })
    describeTargets(&writer.description)
    let manifest = try writer.finish(
      provenance: Provenance(
        sources: units.count, tool: "limn \(LimnVersion.current)", options: options.recorded),
      splits: options.splits, together: alike.groups)
    return (manifest, warnings(Set(patients).count, target) + alike.warnings(manifest.items))
  }

  private static func intensity(
    _ window: IntensityWindow?, _ found: [(window: String, unit: IntensityUnit)]
  ) -> IntensityRecord {
    IntensityRecord(
      window: window?.optionText ?? Set(found.map(\.window)).sorted().joined(separator: " or "),
      unit: only(found.map(\.unit)) == .hounsfield ? IntensityUnit.hounsfield.rawValue : nil)
  }

  private func describeTargets(_ description: inout DatasetDescription) {
    let pairs = units.compactMap(\.result.pair)
    for index in description.companions.indices where description.companions[index].name == "targets" {
      description.companions[index].intensity = Self.intensity(
        options.pairs?.window, pairs.map { ($0.window, $0.unit) })
      description.companions[index].modality = Self.only(pairs.compactMap(\.modality))
    }
  }

  private static func only<Value: Hashable>(_ values: [Value]) -> Value? {
    let distinct = Set(values)
    return distinct.count == 1 ? distinct.first : nil
  }

  private func append(_ unit: FinishedUnit, to writer: DatasetWriter, _ target: CutTarget) throws {
    guard !unit.result.images.isEmpty else { return }
    let (count, first) = (unit.result.images.count, writer.count)
    let images = try tensor(
      unit.pixels.path, [count, target.channels, target.height, target.width],
      target.bitDepth == 8 ? .uint8 : .uint16, unit)
    let source = sourceName(unit.source)
    let date = unit.source.header?.dicom.flatMap {
      ShiftedDate.iso($0.studyDate, daysBack: options.key.daysBack(unit.patient))
    }
    let items = unit.result.images.enumerated().map { offset, image in
      DatasetItem(
        id: String(format: "%06d", first + offset), patient: unit.patient,
        source: Self.name(of: image, source), slice: image.slice,
        spacing: image.spacing, affine: image.affine, date: date)
    }
    let companions = try labels(of: unit, target).merging(targets(of: unit, target)) { $1 }
    try writer.append(items, images: images, companions: companions)
  }

  private static func name(of image: CutImage, _ source: String) -> String {
    let volume = image.volume > 0 ? "-\(image.volume + 1)" : ""
    return source + volume + (image.tile.map { "-r\($0[0])c\($0[1])" } ?? "")
  }

  private func tensor(_ path: String, _ shape: [Int], _ dtype: DType, _ unit: FinishedUnit) throws -> Tensor {
    let stored = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    let tensor = Tensor.empty(shape, dtype: dtype)
    guard stored.count == tensor.count * dtype.size else {
      throw DatasetError(unit.source.first, "its images were not kept whole; run the import again")
    }
    _ = tensor.withUnsafeMutableBytes { stored.copyBytes(to: $0) }
    return tensor
  }

  private func companions(_ target: CutTarget) -> [LayerDescriptor] {
    let size = [target.height, target.width]
    let targets = target.pairChannels.map {
      LayerDescriptor(name: "targets", dtype: target.bitDepth == 8 ? .uint8 : .uint16, itemShape: [$0] + size)
    }
    return (targets.map { [$0] } ?? []) + labelLayers(size)
  }

  private func labelLayers(_ size: [Int]) -> [LayerDescriptor] {
    guard let labels = options.labels else { return [] }
    let classes = LayerDescriptor(name: "labels", dtype: .uint8, itemShape: size)
    let objects = LayerDescriptor(name: "instances", dtype: .uint16, itemShape: size)
    return labels.kind == .instances ? [classes, objects] : [classes]
  }

  private func targets(of unit: FinishedUnit, _ target: CutTarget) throws -> [String: Tensor] {
    guard let channels = target.pairChannels else { return [:] }
    let shape = [unit.result.images.count, channels, target.height, target.width]
    let pixels = try tensor(
      unit.pixels.path + ".targets", shape, target.bitDepth == 8 ? .uint8 : .uint16, unit)
    return ["targets": pixels]
  }

  private func labels(of unit: FinishedUnit, _ target: CutTarget) throws -> [String: Tensor] {
    guard let options = options.labels else { return [:] }
    let shape = [unit.result.images.count, target.height, target.width]
    guard unit.result.labelValues != nil else {
      let unknown = Tensor.full(shape, Double(LabelOptions.unknown)).to(.uint8)
      return options.kind == .instances
        ? ["labels": unknown, "instances": Tensor.zeros(shape, dtype: .uint16)] : ["labels": unknown]
    }
    let stored = try tensor(unit.pixels.path + ".labels", shape, .uint16, unit)
    let values = stored.to(.int32)
    guard options.kind == .instances else { return ["labels": values.to(.uint8)] }
    return ["labels": values.isGreater(than: 0).to(.uint8), "instances": stored]
  }

  /// The classes given, or one for each value that occurs.
  private var classes: [LabelClass] {
    guard let labels = options.labels else { return [] }
    if !labels.classes.isEmpty { return labels.classes }
    if labels.kind == .instances { return [LabelClass(name: "object", value: 1)] }
    let values = Set(units.flatMap { $0.result.labelValues ?? [] })
      .subtracting(labels.fieldOfView == nil && !labels.keepsUnlabelled ? [0] : [0, LabelOptions.unknown])
    let named = units.flatMap(\.result.namedClasses)
    return values.sorted().map { value in
      named.first { $0.value == value } ?? LabelClass(name: "label \(value)", value: value)
    }
  }

  /// Files are often named after their patients, so a pseudonym stands for them.
  private func sourceName(_ unit: SourceUnit) -> String {
    if options.keepsNames { return unit.first.lastPathComponent }
    guard unit.isDICOM else { return options.key.pseudonym("source", unit.path) }
    return options.key.pseudonym("series", unit.header?.dicom?.groupKey ?? unit.first.path)
  }

  private func warnings(_ patients: Int, _ target: CutTarget) -> [String] {
    var lines = units.flatMap { unit in
      (unit.result.warnings + Self.doubts(unit.source.header)).map {
        "\(unit.source.first.lastPathComponent): \($0)"
      } + pairWarnings(unit)
    }
    let deeper = units.filter {
      max($0.result.storedBits, $0.result.pair?.storedBits ?? 0) > 8 && target.bitDepth == 8
    }.count
    if deeper > 0 {
      lines.append("\(deeper) sources hold more than 8 bits, which were rounded; --bits 16 keeps them")
    }
    if patients == 1, units.count > 1 {
      lines.append(
        "all \(units.count) sources count as one patient, so all are for training; --patient-from tells them apart"
      )
    }
    return lines
  }

  private func pairWarnings(_ unit: FinishedUnit) -> [String] {
    var lines = Self.doubts(unit.pair?.header).map { "\(unit.pair?.first.lastPathComponent ?? ""): \($0)" }
    if let pair = unit.result.pair, pair.unseen > 0 {
      lines.append(
        "\(unit.source.first.lastPathComponent): \(pair.unseen) of \(unit.result.images.count) images lie beyond "
          + "the field of their counterpart, which is black there; --slices leaves them out")
    }
    return lines
  }

  /// Where a name may be written into the picture itself.
  private static func doubts(_ header: ImageHeader?) -> [String] {
    guard header?.dicom?.mayShowText == true else { return [] }
    return ["text may be burned into the picture; look at it, and crop with --box before you give it away"]
  }
}

/// The pixels of all volumes, mapped, by the place of an image among all images.
private struct StoredPixels {
  private var images: [(file: Data, start: Int)] = []
  private let length: Int
  private let isDeep: Bool

  init(_ files: [URL], _ target: CutTarget) throws {
    isDeep = target.bitDepth == 16
    length = target.channels * target.height * target.width * (isDeep ? 2 : 1)
    for file in files {
      let data = try Data(contentsOf: file, options: .alwaysMapped)
      images += stride(from: 0, to: data.count, by: length).map { (data, $0) }
    }
  }

  /// From 0, equal, to 1.
  func meanDifference(_ a: Int, _ b: Int) -> Double {
    func bytes<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
      let (file, start) = images[index]
      return file.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<start + length])) }
    }
    return bytes(a) { a in
      bytes(b) { b in isDeep ? Self.mean(a, b, UInt16.self) : Self.mean(a, b, UInt8.self) }
    }
  }

  private static func mean<Level: FixedWidthInteger>(
    _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ type: Level.Type
  ) -> Double {
    let (a, b) = (a.bindMemory(to: type), b.bindMemory(to: type))
    var sum = 0
    for index in a.indices { sum += abs(Int(a[index]) - Int(b[index])) }
    return Double(sum) / Double(a.count) / Double(Level.max)
  }
}
