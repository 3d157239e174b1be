// PyTorch's weights files: a zip archive since 1.6, pickles one after the other before.

import Foundation

/// Reads `.pth` and `.pt` files of tensors in dictionaries; nothing in them is ever executed.
public enum PyTorchFile {
  /// The long number 0x1950a86a20f9469cfc6c, pickled, with which the old format begins.
  static let legacyMagic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  private static let deepestDictionary = 16
  private static let mostEntries = 100_000

  /// The tensors by name; the names of nested dictionaries are joined by points. Tensors share the mapped file
  /// where they lie at word borders.
  /// - Parameters:
  ///   - url: of the file.
  ///   - entries: of the outermost dictionary, to be read alone: a checkpoint's networks without what its
  ///     optimisers hold. nil: all.
  /// - Returns: tensors under their full names.
  /// - Throws: ``WeightsFileError`` for anything but tensors in dictionaries, and for a damaged file.
  public static func read(_ url: URL, entries: Set<String>? = nil) throws -> [String: Tensor] {
    try reading(url) { file in
      let start = ByteCursor(file).bytes(0..<min(file.count, legacyMagic.count))
      if start.starts(with: legacyMagic) { return try readLegacy(file, entries) }
      guard start.starts(with: ZipDirectory.magic) else {
        throw FileProblem("not a file of torch.save")
      }
      return try read(try ZipDirectory(file), entries)
    }
  }

  // MARK: - The zip archive: NAME/data.pkl, and NAME/data/KEY for each storage

  /// The folder that a PyTorch archive keeps everything in; nil for another zip file.
  static func folder(in zip: ZipDirectory) -> String? {
    zip.entries.keys.filter { $0.hasSuffix("/data.pkl") }.min().map { String($0.dropLast("data.pkl".count)) }
  }

  static func read(_ zip: ZipDirectory, _ entries: Set<String>?) throws -> [String: Tensor] {
    guard let folder = folder(in: zip) else { throw FileProblem("a zip file, but not one of torch.save") }
    let pickle = try stored("\(folder)data.pkl", in: zip)
    if let order = zip.entries["\(folder)byteorder"] {
      let text = ByteCursor(zip.file).bytes(order.range)
      guard text.elementsEqual("little".utf8) else { throw FileProblem("its numbers are big-endian") }
    }
    let (tensors, _) = try Unpickler.run(
      ByteCursor(zip.file, start: pickle.lowerBound, end: pickle.upperBound)
    ) { try named($0, entries) }
    return try build(tensors) { storage in
      let range = try stored("\(folder)data/\(storage.key)", in: zip)
      return try numbers(storage, in: range, of: zip.file)
    }
  }

  private static func stored(_ name: String, in zip: ZipDirectory) throws -> Range<Int> {
    guard let entry = zip.entries[name] else {
      throw FileProblem("\(name.debugDescription) is missing from the archive")
    }
    guard !entry.isDeflated else {
      throw FileProblem("\(name.debugDescription) is packed; torch.save does not pack")
    }
    return entry.range
  }

  // MARK: - Before 1.6: magic, version, system, value, keys, then each storage behind its length

  private static func readLegacy(
    _ file: MappedFile, _ entries: Set<String>?
  ) throws -> [String: Tensor] {
    var place = legacyMagic.count
    func next<R>(_ body: (PickleValue) throws -> R) throws -> R {
      let (value, end) = try Unpickler.run(ByteCursor(file, start: place), body)
      place = end
      return value
    }
    try next { version in
      guard case .integer(1001) = version else {
        throw FileProblem("not version 1001 of PyTorch's old format")
      }
    }
    try next(checkByteOrder)
    // The lengths count elements, whose size is known from the tensors over them, wanted or not.
    let (tensors, sizes) = try next { (try named($0, entries), elementSizes($0)) }
    let keys = try next { try texts($0) }
    var cursor = ByteCursor(file, start: place)
    var ranges: [String: Range<Int>] = [:]
    for key in keys {
      guard let size = sizes[key] else { throw FileProblem("a storage that no tensor uses") }
      let (bytes, overflow) = try cursor.number(Int64.self).multipliedReportingOverflow(by: size)
      guard !overflow else { throw FileProblem("a storage longer than the file") }
      ranges[key] = try cursor.skip(bytes)
    }
    return try build(tensors) { storage in
      guard let range = ranges[storage.key] else { throw FileProblem("a storage is missing") }
      return try numbers(storage, in: range, of: file)
    }
  }

  private static func checkByteOrder(_ system: PickleValue) throws {
    guard case .collection(let system) = system else { throw FileProblem("a damaged file of PyTorch") }
    for case (.text("little_endian"), .bool(false)) in system.items {
      throw FileProblem("its numbers are big-endian")
    }
  }

  private static func texts(_ value: PickleValue) throws -> [String] {
    guard case .collection(let list) = value else { throw FileProblem("a damaged file of PyTorch") }
    return try list.items.map { item in
      guard case .text(let text) = item.value else { throw FileProblem("a damaged file of PyTorch") }
      return text
    }
  }

  // MARK: - From descriptions to tensors

  private typealias NamedTensor = (name: String, tensor: PickleTensor)

  /// The tensors of nested dictionaries.
  private static func named(_ value: PickleValue, _ entries: Set<String>?) throws -> [NamedTensor] {
    guard case .collection(let root) = value, !root.isList else {
      throw FileProblem("it holds \(value.kind) where a dictionary of tensors was expected")
    }
    var found: [NamedTensor] = []
    try collect(entries.map { try part(of: root, $0) } ?? root, prefix: "", depth: 1, into: &found)
    return found
  }

  /// A dictionary with those entries alone.
  private static func part(of root: PickleCollection, _ entries: Set<String>) throws -> PickleCollection {
    let part = PickleCollection(isList: false)
    func name(_ key: PickleValue) -> String? { if case .text(let name) = key { name } else { nil } }
    part.items = root.items.filter { name($0.key).map(entries.contains) ?? false }
    guard Set(part.items.compactMap { name($0.key) }) == entries else {
      let present = root.items.compactMap { name($0.key) }.prefix(8).joined(separator: ", ")
      throw FileProblem("its entries are \(present); expected \(entries.sorted().joined(separator: ", "))")
    }
    return part
  }

  /// Bytes of an element of each storage that lists and dictionaries describe, by its key.
  private static func elementSizes(_ value: PickleValue) -> [String: Int] {
    var (sizes, waiting, seen) = ([String: Int](), [value], Set<ObjectIdentifier>())
    while let next = waiting.popLast() {
      switch next {
      case .tensor(let tensor): sizes[tensor.storage.key] = tensor.storage.dtype.size
      case .collection(let inner) where seen.insert(ObjectIdentifier(inner)).inserted:
        waiting += inner.items.map(\.value)
      default: break
      }
    }
    return sizes
  }

  private static func collect(
    _ dictionary: PickleCollection, prefix: String, depth: Int, into found: inout [NamedTensor]
  ) throws {
    guard depth <= deepestDictionary else { throw FileProblem("dictionaries nested too deep") }
    for (key, value) in dictionary.items {
      guard found.count < mostEntries else { throw FileProblem("more than \(mostEntries) tensors") }
      guard case .text(let name) = key else { throw FileProblem("\(key.kind) is the key of an entry") }
      switch value {
      case .tensor(let tensor): found.append((prefix + name, tensor))
      case .collection(let inner) where !inner.isList:
        try collect(inner, prefix: "\(prefix)\(name).", depth: depth + 1, into: &found)
      default:
        throw FileProblem(
          "its entry \((prefix + name).debugDescription) is \(value.kind), not a tensor. "
            + "In Python, save the state dictionary alone: torch.save(model.state_dict(), FILE)")
      }
    }
  }

  private static func numbers(
    _ storage: PickleStorage, in range: Range<Int>, of file: MappedFile
  ) throws -> Tensor {
    let (bytes, overflow) = storage.count.multipliedReportingOverflow(by: storage.dtype.size)
    guard !overflow, bytes <= range.count else {
      throw FileProblem(
        "the storage \(storage.key.debugDescription) has \(range.count) bytes, too few for \(storage.count) "
          + "of type \(storage.dtype)")
    }
    return MappedNumbers(file: file, start: range.lowerBound, dtype: storage.dtype).tensor([storage.count])
  }

  /// Views of storages, each of which is taken from the file once.
  private static func build(
    _ tensors: [NamedTensor], _ load: (PickleStorage) throws -> Tensor
  ) throws -> [String: Tensor] {
    var storages: [String: Tensor] = [:]
    var built: [String: Tensor] = [:]
    for (name, tensor) in tensors {
      let storage = tensor.storage
      let numbers = try storages[storage.key] ?? load(storage)
      // Else each description of one storage would take memory of its own.
      guard numbers.dtype == storage.dtype, numbers.count == storage.count else {
        throw FileProblem("the storage \(storage.key.debugDescription) is described in two ways")
      }
      storages[storage.key] = numbers
      built[name] =
        tensor.shape.contains(0)
        ? Tensor.zeros(tensor.shape, dtype: storage.dtype)
        : numbers.strided(tensor.shape, strides: tensor.strides, offset: tensor.offset)
    }
    return built
  }
}

extension Tensor {
  /// A view of the numbers behind this tensor; the caller vouches that it stays within them.
  fileprivate func strided(_ shape: [Int], strides: [Int], offset: Int) -> Tensor {
    torch("as_strided", .tensor(self), .ints(shape), .ints(strides), .int(offset))
  }
}
