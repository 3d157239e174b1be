// A mask read onto the grid of its image: values checked, colours and instances told apart.

import Foundation
import LimnImaging
import LimnTorch

/// A mask for a helper to read.
struct LabelRequest: Codable, Sendable {
  var file: String
  var kind: LabelKind
  var classes: [LabelClass]
  var resample: Bool
  /// The mask of the field of view, 0 outside; nil where all of the image is seen.
  var fieldOfView: String?
}

/// Reads a mask.
struct LabelReader {
  let request: LabelRequest
  private var file: URL { URL(fileURLWithPath: request.file) }

  /// - Parameter image: the volume that the mask belongs to.
  /// - Returns: the mask with the image's affine, int32 [1, Z, Y, X]: classes, or objects numbered from 1; and the
  ///   classes that the mask itself names.
  /// - Throws: what is wrong with the mask, with what was expected and the option that helps.
  func read(for image: Volume) throws -> (mask: Volume, classes: [LabelClass]) {
    var (mask, classes) = try segmentation(for: image) ?? (plain(for: image), [])
    if let fieldOfView = request.fieldOfView {
      let seen = try LabelReader(
        request: LabelRequest(file: fieldOfView, kind: .auto, classes: [], resample: request.resample)
      ).plain(for: image).voxels
      mask.voxels = mask.voxels.filled(where: seen.isEqual(to: 0), with: Double(LabelOptions.unknown))
    }
    return (mask, classes)
  }

  private func plain(for image: Volume) throws -> Volume {
    var mask = try ImageReader.read(file)
    mask.voxels = try values(of: mask)
    mask = try onGrid(mask, of: image)
    mask.affine = image.affine
    return mask
  }

  /// A DICOM SEG, whose frames are seldom all of the image's slices; nil for other files.
  private func segmentation(for image: Volume) throws -> (mask: Volume, classes: [LabelClass])? {
    guard FileKind(sniffing: file) == .dicom, let header = try ImageReader.probe(file).dicom,
      DICOMSegmentation.isSegmentation(header)
    else { return nil }
    let (labels, classes) = try DICOMSegmentation.read(file)
    guard image.info.hasGeometry else {
      throw DatasetError(file, "a segmentation object, but its image does not say where it lies")
    }
    var mask = labels.resampled(onto: image)
    mask.voxels = mask.voxels.to(.int32)
    return (mask, classes.map { LabelClass(name: $0.name, value: $0.value) })
  }

  private func onGrid(_ mask: Volume, of image: Volume) throws -> Volume {
    let isPlaced = mask.info.hasGeometry && image.info.hasGeometry
    let isAligned = !isPlaced || mask.affine.placesAlike(image.affine, size: image.size)
    guard mask.size != image.size || !isAligned else { return mask }
    if request.resample, isPlaced { return mask.resampled(onto: image) }
    let advice = isPlaced ? "; --resample-labels brings it onto the image's" : ""
    guard mask.size == image.size else {
      throw DatasetError(file, "a mask of \(text(mask)), expected \(text(image)) as its image has\(advice)")
    }
    throw DatasetError(file, "lies elsewhere in the patient than its image\(advice)")
  }

  private func text(_ volume: Volume) -> String {
    let size = volume.size[0] > 1 ? volume.size : Array(volume.size[1...])
    return size.map(String.init).joined(separator: "×") + (volume.size[0] > 1 ? " voxels" : " pixels")
  }

  private func values(of mask: Volume) throws -> Tensor {
    var mask = mask
    if mask.channels == 3 {
      guard let indices = try indices(of: mask.voxels) else { return try classes(ofColours: mask.voxels) }
      mask.voxels = indices
    }
    guard mask.channels == 1 else {
      throw DatasetError(file, "a mask of \(mask.channels) channels, expected 1, or 3 for colours")
    }
    let values = mask.voxels.to(.int32)
    guard values.to(.float32).isEqual(to: mask.voxels.to(.float32)).min().item() == 1 else {
      throw DatasetError(file, "a mask with fractions, expected whole numbers; is it an image?")
    }
    let present = values.distinctValues
    if request.kind == .instances { return try instances(values, present) }
    if let gathering = request.classes.gathering { return try gathered(values, present, gathering) }
    if present.isSubset(of: [0, 255]), request.classes.values.isSubset(of: [0, 1]) {
      return values.isGreater(than: 0).to(.int32)
    }
    try check(present)
    return values
  }

  /// What an indexed PNG stores, where its colours are for the eye: none are given as classes', and they are not
  /// gray.
  private func indices(of colours: Tensor) throws -> Tensor? {
    let isGray = colours[0].isEqual(to: colours[1]).logicalAnd(colours[0].isEqual(to: colours[2]))
    guard request.classes.colours.isEmpty, isGray.all().item() == 0 else { return nil }
    return try PNGFile.indices(of: file)?.unsqueezed(0)
  }

  private func instances(_ values: Tensor, _ present: Set<Int>) throws -> Tensor {
    guard present.allSatisfy({ (0...65535).contains($0) }) else {
      throw DatasetError(file, "an object numbered \(present.max() ?? 0), expected 0 to 65535")
    }
    return values
  }

  /// Several values become one class; what no class names is background, and 255 stays unknown.
  private func gathered(_ values: Tensor, _ present: Set<Int>, _ gathering: [Int: Int]) throws -> Tensor {
    guard let least = present.min(), let greatest = present.max() else { return values }
    guard least >= 0, greatest <= 65535 else {
      throw DatasetError(file, "a mask with the value \(least < 0 ? least : greatest), expected 0 to 65535")
    }
    let table = (0...greatest).map { Int32(gathering[$0] ?? ($0 == LabelOptions.unknown ? $0 : 0)) }
    return Tensor(table, shape: [table.count]).indexSelect(dim: 0, values.flattened()).reshaped(values.shape)
  }

  private func check(_ present: Set<Int>) throws {
    let known = request.classes.values.union([0, 255])
    let allowed = request.classes.isEmpty ? Set(0...255) : known
    guard let odd = present.subtracting(allowed).min() else { return }
    let expected =
      request.classes.isEmpty
      ? "0 to 255; pass --instances if each value is an object"
      : "one of --classes (\(known.sorted().map(String.init).joined(separator: ", ")))"
    throw DatasetError(file, "a mask with the value \(odd), expected \(expected)")
  }

  /// RGB [3, Z, Y, X] to classes by their colours; black is background.
  private func classes(ofColours voxels: Tensor) throws -> Tensor {
    let codes = voxels.to(.int32)
    // Products with numbers are float32, which holds all 24 bits of a colour.
    let code = (codes[0] * 65536 + codes[1] * 256 + codes[2]).to(.int32)
    let table = request.classes.colours
    let present = code.distinctValues
    // Gray stored as RGB is gray.
    if present.allSatisfy({ $0 % 256 == $0 >> 16 && $0 >> 8 & 255 == $0 >> 16 }), table.isEmpty {
      let gray = codes[0].unsqueezed(0)
      let levels = Set(present.map { $0 >> 16 })
      if levels.isSubset(of: [0, 255]) { return gray.isGreater(than: 0).to(.int32) }
      try check(levels)
      return gray
    }
    if let odd = present.subtracting(table.keys).subtracting([0]).min() {
      let colour = String(format: "#%06x", odd)
      throw DatasetError(
        file,
        "a mask with the colour \(colour), which no class has; give --classes with colours, NAME=VALUE\(colour)"
      )
    }
    var labels = code.zerosLike()
    for (colour, value) in table {
      labels = Tensor.where(
        code.isEqual(to: Double(colour)), Tensor.full([], Double(value), dtype: .int32), labels)
    }
    return labels.unsqueezed(0)
  }
}

extension Tensor {
  /// The values that occur in a tensor of int32.
  public var distinctValues: Set<Int> {
    var seen = Set<Int32>()
    var last: Int32?
    contiguous().withUnsafeBytes { bytes in
      // Neighbours are mostly equal.
      for value in bytes.bindMemory(to: Int32.self) where value != last {
        last = value
        seen.insert(value)
      }
    }
    return Set(seen.map(Int.init))
  }
}

extension LabelClass {
  /// The tree in a JSON file, a list of classes as in a manifest; nil where there is no such file.
  /// - Throws: ``DatasetError`` if the file holds no such list.
  public static func list(in file: URL) throws -> [LabelClass]? {
    guard let data = try? Data(contentsOf: file) else { return nil }
    guard let list = try? JSONDecoder().decode([LabelClass].self, from: data) else {
      throw DatasetError(
        file,
        "holds no list of classes, expected [{\"name\": \"vessel\", \"value\": 1}, …] as in dataset.json")
    }
    return list
  }
}

extension [LabelClass] {
  /// All values of the tree.
  var values: Set<Int> { Set(flattened.compactMap(\.label.value)) }

  /// The class of each value of a mask, where a class gathers several; nil where none does.
  var gathering: [Int: Int]? {
    let labels = flattened.map(\.label)
    guard labels.contains(where: { $0.gathered != nil }) else { return nil }
    let pairs = labels.flatMap { label in
      label.value.map { value in (label.gathered ?? [value]).map { ($0, value) } } ?? []
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// Values by colour, red in the highest of three bytes; of one colour's classes the first.
  var colours: [Int: Int] {
    let pairs = flattened.compactMap { label, _ in
      label.value.flatMap { value in
        label.colour.flatMap { Int($0.dropFirst(), radix: 16) }.map { ($0, value) }
      }
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// Reads `vessel=1,disc=2#ff8800` and `ventricles=1:4+11+49-52`; nil for anything else, and where two classes gather
  /// one value.
  public init?(list: String) {
    let classes = list.split(separator: ",", omittingEmptySubsequences: false).map { LabelClass(text: $0) }
    let known = classes.compactMap(\.self)
    guard known.count == classes.count else { return nil }
    let gathered = known.flatMap { $0.gathered ?? [] }
    guard Set(gathered).count == gathered.count else { return nil }
    self = known
  }
}

extension LabelClass {
  /// Reads NAME=VALUE, NAME=VALUE#rrggbb or NAME=VALUE:FROM+FROM-TO.
  fileprivate init?(text: Substring) {
    let sides = text.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, !sides[0].isEmpty else { return nil }
    let parts = sides[1].split(separator: ":", omittingEmptySubsequences: false)
    let ends = parts[0].split(separator: "#", omittingEmptySubsequences: false)
    guard let value = Int(ends[0]), (0...255).contains(value), ends.count <= 2, parts.count <= 2 else {
      return nil
    }
    let colour = ends.count == 2 ? ends[1].lowercased() : nil
    guard colour == nil || colour?.count == 6 && Int(colour ?? "", radix: 16) != nil else { return nil }
    self.init(name: String(sides[0]), value: value, colour: colour.map { "#\($0)" })
    if parts.count == 2 {
      guard let values = Self.values(in: parts[1]) else { return nil }
      gathered = values
    }
  }

  /// Reads `4+11+49-52`, numbers to 65535.
  private static func values(in text: Substring) -> [Int]? {
    var values: [Int] = []
    for part in text.split(separator: "+", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high,
        high <= 65535
      else { return nil }
      values += low...high
    }
    return values
  }
}
