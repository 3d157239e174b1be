// Weights files: every type there and back, Python's files, files that lie, mapping without a copy, whole
// writes.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

/// A file with this JSON header before `count` bytes of data.
private func hostile(_ header: String, data count: Int, headerLength: UInt64? = nil) -> Data {
  let json = Data(header.utf8)
  let length = withUnsafeBytes(of: (headerLength ?? UInt64(json.count)).littleEndian) { Data($0) }
  return length + json + Data(repeating: 1, count: count)
}

private func entry(_ dtype: String, _ shape: String, _ offsets: String, name: String = "a") -> String {
  "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

@Suite struct SafetensorsTests {
  @Test func everyTypeComesBack() throws {
    let whole = Tensor([Int64(0), 1, 2, 100], shape: [2, 2])
    var tensors = Dictionary(uniqueKeysWithValues: DType.allCases.map { ("t.\($0)", whole.to($0)) })
    tensors["empty"] = .zeros([0, 3])
    tensors["scalar"] = Tensor(Float(2.5))
    tensors["turned"] = Tensor.arange(0, 6).reshaped([2, 3]).transposed(0, 1)
    tensors["odd bytes"] = Tensor([UInt8(1), 2, 3])
    let metadata = ["step": "12", "größe": "\"1\"\n"]
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("w.safetensors")
      try Safetensors.write(tensors, metadata: metadata, to: url)
      let contents = try Safetensors.read(url)
      #expect(contents.metadata == metadata)
      #expect(Set(contents.tensors.keys) == Set(tensors.keys))
      for (name, tensor) in tensors {
        #expect(try #require(contents.tensors[name]).isIdentical(to: tensor), "\(name)")
      }
    }
  }

  @Test func pythonsFileIsRead() throws {
    let contents = try Safetensors.read(fixture("torch/python.safetensors"))
    #expect(contents.metadata == ["format": "pt", "note": "größe \"1\"\n"])
    let tensors = contents.tensors
    #expect(tensors.count == 13)
    #expect(tensors["u8"]?.array(of: UInt8.self) == [0, 7, 255])
    #expect(tensors["i8"]?.array(of: Int8.self) == [-128, 0, 127])
    #expect(tensors["i16"]?.shape == [1, 2] && tensors["i16"]?.array(of: Int16.self) == [-32768, 5])
    #expect(tensors["u16"]?.array(of: UInt16.self) == [0, 65535])
    #expect(tensors["i32"]?.shape == [] && tensors["i32"]?.array(of: Int32.self) == [-7])
    #expect(tensors["i64"]?.array(of: Int64.self) == [1 << 40, -1])
    #expect(
      tensors["f16"]?.dtype == .float16 && tensors["f16"]?.to(.float32).array(of: Float.self) == [0.5, -2])
    #expect(tensors["bf16"]?.to(.float32).array(of: Float.self) == [1.5, 3, -8])
    #expect(tensors["f32"]?.array(of: Float.self) == [1.25, -3.5, 0, 1e-30])
    #expect(tensors["f64"]?.array(of: Double.self) == [Double.pi])
    #expect(tensors["bool"]?.array(of: Bool.self) == [true, false, true])
    #expect(tensors["empty"]?.shape == [0, 3])
    #expect(tensors["größe/é.weight"]?.item() == 1)
  }

  static let bad: [(name: String, data: Data, words: String)] = [
    ("empty", Data(), "an empty file"),
    ("seven bytes", Data(repeating: 0, count: 7), "not a safetensors file, or cut short"),
    ("noise", Data((0..<200).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }), "not a safetensors file"),
    ("header longer than the file", hostile("{}", data: 0, headerLength: 1 << 40), "not a safetensors file"),
    ("header of all ones", hostile("{}", data: 0, headerLength: .max), "not a safetensors file"),
    ("no JSON", hostile("{\"a\":", data: 0), "not a safetensors file"),
    ("a JSON list", hostile("[1]", data: 0), "not a safetensors file"),
    ("entry without fields", hostile("{\"a\":{}}", data: 0), "the entry of tensor \"a\""),
    ("offsets that are no integers", hostile("{" + entry("F32", "[1]", "[0.5,4]") + "}", data: 4), "\"a\""),
    ("three offsets", hostile("{" + entry("F32", "[1]", "[0,2,4]") + "}", data: 4), "\"a\""),
    (
      "unknown type", hostile("{" + entry("F8", "[4]", "[0,4]") + "}", data: 4),
      "F8, which Limn does not read"
    ),
    ("shape larger than its bytes", hostile("{" + entry("F32", "[2]", "[0,4]") + "}", data: 4), "F32[2]"),
    (
      "bytes that are no whole elements", hostile("{" + entry("F32", "[1]", "[0,5]") + "}", data: 5),
      "5 bytes"
    ),
    ("negative length", hostile("{" + entry("F32", "[-1,-1]", "[0,4]") + "}", data: 4), "shape [-1, -1]"),
    (
      "lengths whose product overflows",
      hostile("{" + entry("F32", "[4611686018427387904,4]", "[0,0]") + "}", data: 0), "has shape"
    ),
    ("cut short", hostile("{" + entry("F32", "[2]", "[0,8]") + "}", data: 7), "of 7"),
    ("more than announced", hostile("{" + entry("F32", "[1]", "[0,4]") + "}", data: 9), "9 bytes of data"),
    (
      "end before begin", hostile("{" + entry("F32", "[0]", "[0,-4]") + "}", data: 0),
      "are not those that follow 0"
    ),
    (
      "a hole", hostile("{" + entry("F32", "[1]", "[4,8]") + "}", data: 8),
      "are not those that follow 0, of 8"
    ),
    (
      "an overlap",
      hostile(
        "{" + entry("F32", "[2]", "[0,8]") + "," + entry("F32", "[2]", "[4,12]", name: "b\\n") + "}", data: 12
      ),
      "\"b\\n\""
    ),
  ]

  @Test("a bad file is answered with one line", arguments: bad.map(\.name))
  func refuses(name: String) throws {
    let (_, data, words) = try #require(Self.bad.first { $0.name == name })
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("bad.safetensors")
      try data.write(to: url)
      let error = #expect(throws: SafetensorsError.self) { try Safetensors.read(url) }
      let line = error?.description ?? ""
      #expect(line.hasPrefix("\(url.path): ") && line.contains(words) && !line.contains("\n"), "\(line)")
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let data = try Data(contentsOf: fixture("torch/python.safetensors"))
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("cut.safetensors")
      for length in stride(from: 0, to: data.count, by: 13) {
        try data.prefix(length).write(to: url)
        #expect(throws: SafetensorsError.self, "\(length) bytes") { try Safetensors.read(url) }
      }
    }
  }

  @Test func whatIsNotAFileIsNamed() throws {
    try withTemporaryFolder { folder in
      for url in [folder, folder.appendingPathComponent("absent")] {
        let error = #expect(throws: SafetensorsError.self) { try Safetensors.read(url) }
        #expect(error?.description.hasPrefix(url.path) == true)
      }
    }
  }

  /// A header of odd length puts float32 data between word borders.
  @Test(arguments: [0, 1, 2, 3]) func dataBetweenWordBordersIsRead(spaces: Int) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("odd.safetensors")
      let header = "{" + entry("F32", "[2]", "[0,8]") + "}" + String(repeating: " ", count: spaces)
      let values = [Float(1.5), -2].withUnsafeBytes { Data($0) }
      try (hostile(header, data: 0) + values).write(to: url)
      #expect(try Safetensors.read(url).tensors["a"]?.array(of: Float.self) == [1.5, -2])
    }
  }

  @Test func tensorsShareTheMapping() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("w.safetensors")
      try Safetensors.write(["a": .ones([1000]), "b": .ones([1000], dtype: .float64)], to: url)
      var tensors = try Safetensors.read(url).tensors
      let (a, b) = (try #require(tensors["a"]), try #require(tensors["b"]))
      // Both lie in one mapping, at the distance that they have in the file: b (wider) before a.
      #expect(address(a) - address(b) == 8000)
      #expect(address(a) % 4096 != 0)
      tensors = [:]
      a.fill(7)
      #expect(try Safetensors.read(url).tensors["a"]?.max().item() == 1, "the file stays as it was")
      try FileManager.default.removeItem(at: url)
      #expect(a.sum().item() == 7000 && b.sum().item() == 1000)
    }
  }

  @Test func aFailedWriteLeavesTheOldFileAlone() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("w.safetensors")
      try Safetensors.write(["a": .ones([3])], to: url)
      try Safetensors.write(["a": .zeros([2])], to: url)
      #expect(try Safetensors.read(url).tensors["a"]?.shape == [2])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["w.safetensors"])
      #expect(throws: (any Error).self) {
        try Safetensors.write(["a": .ones([3])], to: folder.appendingPathComponent("absent/w.safetensors"))
      }
      // A folder cannot be replaced by a file, so the rename fails after everything was written.
      let taken = folder.appendingPathComponent("taken")
      try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
      #expect(throws: (any Error).self) { try Safetensors.write(["a": .ones([3])], to: taken) }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
          "taken", "w.safetensors",
        ])
    }
  }
}

func address(_ tensor: Tensor) -> Int {
  tensor.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
}
