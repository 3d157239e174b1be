// Weights files: the safetensors container, read by memory mapping and written beside, then renamed.

import Foundation

/// What is wrong with a weights file, in one line.
public struct SafetensorsError: Error, CustomStringConvertible, LocalizedError {
  public let description: String
  public var errorDescription: String? { description }

  init(_ url: URL, _ problem: String) { description = "\(url.path): \(problem)".asPlainLine }
}

/// Reads and writes safetensors: a little-endian header length, a JSON header, then the tensors' bytes.
public enum Safetensors {
  /// The tensors of a file and the strings its writer left.
  public struct Contents {
    /// The tensors by name.
    public let tensors: [String: Tensor]
    /// The strings by key.
    public let metadata: [String: String]
  }

  /// Maps the file; tensors share the mapping and nothing is copied. Writing into them is private to this
  /// process.
  /// - Throws: ``SafetensorsError`` for a file that is not safetensors, is cut short, or whose header does
  ///   not account for each byte once.
  public static func read(_ url: URL) throws -> Contents {
    let file = try MappedFile(url) { SafetensorsError(url, $0) }
    let header = try Header(file, url)
    var tensors: [String: Tensor] = [:]
    for (name, entry) in header.entries {
      tensors[name] = try tensor(entry, name: name, in: file, dataStart: header.dataStart, url)
    }
    return Contents(tensors: tensors, metadata: header.metadata)
  }

  private static func tensor(
    _ entry: Header.Entry, name: String, in file: MappedFile, dataStart: Int, _ url: URL
  ) throws -> Tensor {
    guard let dtype = dtypes[entry.dtype] else {
      throw SafetensorsError(
        url, "tensor \(name.debugDescription) has element type \(entry.dtype), which Limn does not read")
    }
    var count = 1
    for length in entry.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow else {
        throw SafetensorsError(url, "tensor \(name.debugDescription) has shape \(entry.shape)")
      }
      count = product
    }
    let (begin, end) = (entry.begin, entry.end)
    guard (end - begin) / dtype.size == count, (end - begin) % dtype.size == 0 else {
      throw SafetensorsError(
        url,
        "tensor \(name.debugDescription) of \(entry.dtype)\(entry.shape) does not fit its \(end - begin) bytes"
      )
    }
    guard count > 0 else { return .zeros(entry.shape, dtype: dtype) }
    let address = file.address + dataStart + begin
    let mapped = Tensor.wrapping(address, shape: entry.shape, dtype: dtype, owner: file)
    // Kernels load whole words, so data that lies between word borders is copied.
    return Int(bitPattern: address) % dtype.size == 0 ? mapped : mapped.cloned()
  }

  /// Writes tensors beside `url` and renames: wide elements first, so that all lie aligned, then by name.
  /// - Throws: what the file system answers; the old file then stays as it was.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    let ordered = tensors.sorted { ($1.value.dtype.size, $0.key) < ($0.value.dtype.size, $1.key) }
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    var sources: [Tensor] = []
    for (name, tensor) in ordered {
      let source = tensor.detached().to(.cpu).contiguous()
      let bytes = source.count * source.dtype.size
      header[name] = [
        "dtype": typeNames[source.dtype] ?? "", "shape": source.shape,
        "data_offsets": [offset, offset + bytes],
      ]
      offset += bytes
      sources.append(source)
    }
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys])
    json.append(Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    try AtomicFile.write(to: url) { place in
      try Data().write(to: place)
      let file = try FileHandle(forWritingTo: place)
      defer { try? file.close() }
      try file.write(contentsOf: withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) })
      try file.write(contentsOf: json)
      for source in sources {
        try source.withUnsafeBytes { bytes in
          guard let start = bytes.baseAddress, bytes.count > 0 else { return }
          try file.write(
            contentsOf: Data(
              bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none))
        }
      }
    }
  }

  private static let typeNames: [DType: String] = [
    .uint8: "U8", .int8: "I8", .int16: "I16", .uint16: "U16", .int32: "I32", .int64: "I64",
    .float16: "F16", .bfloat16: "BF16", .float32: "F32", .float64: "F64", .bool: "BOOL",
  ]

  private static let dtypes = Dictionary(uniqueKeysWithValues: typeNames.map { ($1, $0) })
}

/// The JSON at the start of a file.
private struct Header {
  struct Entry {
    let dtype: String
    let shape: [Int]
    let begin: Int
    let end: Int
  }

  let dataStart: Int
  private(set) var entries: [String: Entry] = [:]
  private(set) var metadata: [String: String] = [:]

  init(_ file: MappedFile, _ url: URL) throws {
    let notSafetensors = SafetensorsError(url, "not a safetensors file, or cut short (\(file.count) bytes)")
    guard file.count >= 8 else { throw notSafetensors }
    let length = UInt64(littleEndian: UnsafeRawPointer(file.address).loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(file.count - 8, Self.longest)) else { throw notSafetensors }
    dataStart = 8 + Int(length)
    let json = Data(bytesNoCopy: file.address + 8, count: Int(length), deallocator: .none)
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw notSafetensors
    }
    for (name, value) in object {
      if name == "__metadata__" {
        metadata = value as? [String: String] ?? [:]
      } else {
        guard let fields = value as? [String: Any], let dtype = fields["dtype"] as? String,
          let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
          offsets.count == 2
        else { throw SafetensorsError(url, "the entry of tensor \(name.debugDescription) cannot be read") }
        entries[name] = Entry(dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1])
      }
    }
    try checkCover(of: file.count - dataStart, url)
  }

  /// The longest header read, as in the reference implementation.
  private static let longest = 100_000_000

  /// Tensors must follow each other without holes or overlaps and fill the file: anything else is a file cut
  /// short, or one that lies.
  private func checkCover(of count: Int, _ url: URL) throws {
    var position = 0
    for (name, entry) in entries.sorted(by: {
      ($0.value.begin, $0.value.end) < ($1.value.begin, $1.value.end)
    }) {
      guard entry.begin == position, entry.end >= entry.begin, entry.end <= count else {
        throw SafetensorsError(
          url,
          "the bytes \(entry.begin)–\(entry.end) of tensor \(name.debugDescription) are not those "
            + "that follow \(position), of \(count)")
      }
      position = entry.end
    }
    guard position == count else {
      throw SafetensorsError(url, "\(count) bytes of data where the header announces \(position)")
    }
  }
}
