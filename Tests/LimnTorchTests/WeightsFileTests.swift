// Weights of PyTorch and NumPy: what they hold, and what is refused in one line without being executed.

import Foundation
import LimnTestSupport
import Testing

@testable import LimnTorch

private func weights(_ name: String) -> URL { fixture("torch/weights/\(name)") }

private func check(_ tensors: [String: Tensor], against name: String) throws {
  let expected = try Safetensors.read(weights(name)).tensors
  #expect(Set(tensors.keys) == Set(expected.keys))
  for (key, tensor) in tensors {
    let other = try #require(expected[key])
    #expect(tensor.contiguous().isIdentical(to: other) && tensor.dtype == other.dtype, "\(key)")
  }
}

@Suite struct WeightsFileTests {
  @Test(arguments: ["zip.pth", "legacy.pth"]) func everyTensorOfPyTorchComes(name: String) throws {
    try check(try PyTorchFile.read(weights(name)), against: "expected.safetensors")
    try check(try WeightsFile.read(weights(name)), against: "expected.safetensors")
  }

  @Test func aLaterProtocolIsRead() throws {
    #expect(try WeightsFile.read(weights("plain.pth"))["weight"]?.array(of: Float.self) == [1, 1])
  }

  @Test(arguments: ["checkpoint.pth", "checkpoint-legacy.pth"]) func aCheckpointsNetworkIsReadAlone(
    name: String
  ) throws {
    let tensors = try WeightsFile.read(weights(name), entries: ["net"])
    #expect(Set(tensors.keys) == ["net.weight", "net.bias"])
    #expect(tensors["net.weight"]?.contiguous().array(of: Float.self) == [1, 2])
    #expect(tensors["net.bias"]?.array(of: Float.self) == [3])
    #expect(throws: WeightsFileError.self) { try WeightsFile.read(weights(name)) }
    let error = #expect(throws: WeightsFileError.self) {
      try WeightsFile.read(weights(name), entries: ["generator"])
    }
    #expect(error?.description.hasSuffix("its entries are net, optimizer, step; expected generator") == true)
  }

  @Test(arguments: ["stored.npz", "packed.npz"]) func everyArrayOfNumPyComes(name: String) throws {
    try check(try NumPyFile.read(weights(name)), against: "arrays.safetensors")
    try check(try WeightsFile.read(weights(name)), against: "arrays.safetensors")
  }

  @Test func aSingleArrayIsRead() throws {
    let cube = Tensor.arange(0, 24).reshaped([2, 3, 4])
    #expect(try NumPyFile.array(weights("one.npy")).isIdentical(to: cube))
  }

  @Test func safetensorsIsReadToo() throws {
    try check(try WeightsFile.read(weights("expected.safetensors")), against: "expected.safetensors")
  }

  private static let refused: [(name: String, words: String)] = [
    ("command.pth", "class posix.system; only tensors in dictionaries are read"),
    ("command-legacy.pth", "class posix.system; only tensors in dictionaries are read"),
    ("module.pth", "class torch.nn.modules.linear.Linear; only tensors"),
    ("bare.pth", "holds a tensor where a dictionary of tensors was expected"),
    ("list.pth", "holds a list where a dictionary of tensors was expected"),
    ("epoch.pth", "its entry \"epoch\" is a number, not a tensor"),
    ("numbers.pth", "a number is the key of an entry"),
    ("sparse.pth", "class torch._utils._rebuild_sparse_tensor"),
    ("short.pth", "has 4 bytes, too few for 2 of type float32"),
    ("pickle.pth", "not a safetensors file"),
    ("objects.npz", "elements of type \"|O\""),
    ("bigendian.npz", "elements of type \">f4\""),
    ("../weights/one.npy", "numpy.savez keeps names"),
  ]

  @Test(arguments: refused.map(\.name)) func otherFilesGetOneLine(name: String) throws {
    let words = try #require(Self.refused.first { $0.name == name }).words
    let url = fixture("torch/refused/\(name)")
    let error = #expect(throws: (any Error).self) { try WeightsFile.read(url) }
    let line = error.map { "\($0)" } ?? ""
    #expect(line.hasPrefix("\(url.path): ") && line.contains(words) && !line.contains("\n"), "\(line)")
    #expect(!FileManager.default.fileExists(atPath: "executed"))
  }

  @Test(arguments: ["zip.pth", "legacy.pth", "packed.npz"]) func truncationsAreRefused(name: String) throws {
    let data = try Data(contentsOf: weights(name))
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("cut")
      for length in stride(from: 0, to: data.count - 1, by: 23) {
        try? FileManager.default.removeItem(at: url)
        try data.prefix(length).write(to: url)
        #expect(throws: (any Error).self, "\(length) bytes") { try WeightsFile.read(url) }
      }
    }
  }

  @Test func whatIsNotAFileIsNamed() throws {
    try withTemporaryFolder { folder in
      for url in [folder, folder.appendingPathComponent("absent")] {
        let error = #expect(throws: (any Error).self) { try WeightsFile.read(url) }
        #expect(error.map { "\($0)".hasPrefix(url.path) } == true)
      }
    }
  }

  /// Pickles that no Python writes: after the old format's magic, version and system, this one.
  private static let hostilePickles: [(name: String, bytes: [UInt8], words: String)] = [
    ("dictionary within itself", Array("}q\0X\u{1}\0\0\0ah\0s.".utf8), "nested too deep"),
    ("deep tuples", [UInt8](repeating: 0x29, count: 1) + [UInt8](repeating: 0x85, count: 9000), "64 levels"),
    ("an operand missing", Array("R.".utf8), "lacks its operand"),
    ("recalls nothing", Array("h\u{9}.".utf8), "never had"),
    ("mark missing", Array("t.".utf8), "mark is missing"),
    ("text longer than the file", Array("X".utf8) + [0xFF, 0xFF, 0xFF, 0xFF], "4294967295 bytes expected"),
    ("a chain of lists", chain(9000), "holds a list"),
    ("an integer called", Array("K\u{1})R.".utf8), "a number is called"),
    ("float opcode of protocol 0", Array("F1.5\n.".utf8), "instruction 0x46"),
  ]

  /// Lists of which each is put into the one before after that one was put away.
  private static func chain(_ count: Int) -> [UInt8] {
    Array("]q\0".utf8)
      + (0..<count).flatMap { _ in Array("h\0]q\u{1}a0h\u{1}q\0".utf8).filter { $0 != 0x30 } }
      + Array("h\0.".utf8)
  }

  @Test(arguments: hostilePickles.map(\.name)) func hostilePicklesGetOneLine(name: String) throws {
    let (_, bytes, words) = try #require(Self.hostilePickles.first { $0.name == name })
    let error = #expect(throws: WeightsFileError.self) { try Self.read(pickle: bytes) }
    let line = error?.description ?? ""
    #expect(line.contains(words) && !line.contains("\n"), "\(line)")
  }

  /// The tensors of a file of the old format that holds this pickle and these keys of storages, and no data.
  private static func read(pickle: [UInt8], keys: [UInt8] = []) throws -> [String: Tensor] {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("made.pth")
      let start = PyTorchFile.legacyMagic + [0x80, 0x02, 0x4D, 0xE9, 0x03, 0x2E, 0x80, 0x02, 0x7D, 0x2E]
      try Data(start + [0x80, 0x02] + pickle + keys).write(to: url)
      return try WeightsFile.read(url)
    }
  }

  /// Python 2 wrote ordered dictionaries as lists of pairs, and texts as byte strings.
  @Test func pairsOfPython2AreRead() throws {
    let pickle = Array(
      "ccollections\nOrderedDict\n](](U\u{1}a}ee\u{85}R.".unicodeScalars.map { UInt8($0.value) })
    #expect(try Self.read(pickle: pickle, keys: Array("].".utf8)).isEmpty)
  }

  /// Two descriptions of one storage, of which the second is longer.
  @Test func aStorageIsDescribedOnce() throws {
    func tensor(_ name: String, count: Int) -> String {
      let storage = "(U\u{7}storagectorch\nFloatStorage\nU\u{1}0U\u{3}cpuK\(UnicodeScalar(UInt8(count)))tQ"
      return "U\u{1}\(name)ctorch._utils\n_rebuild_tensor\n(\(storage)K\0K\u{1}\u{85}K\u{1}\u{85}tR"
    }
    func file(_ second: Int) throws -> [String: Tensor] {
      let text = "}(\(tensor("a", count: 2))\(tensor("b", count: second))u."
      let keys = "](U\u{1}0e." + "\u{2}\0\0\0\0\0\0\0" + "\0\0\0\0\0\0\0\0"
      return try Self.read(
        pickle: text.unicodeScalars.map { UInt8($0.value) }, keys: keys.unicodeScalars.map { UInt8($0.value) }
      )
    }
    #expect(try Set(file(2).keys) == ["a", "b"])
    let error = #expect(throws: WeightsFileError.self) { try file(1) }
    #expect(error?.description.contains("described in two ways") == true)
  }

  @Test func viewsShareTheirStorage() throws {
    let tensors = try PyTorchFile.read(weights("zip.pth"))
    let turned = try #require(tensors["view.turned"])
    try #require(tensors["view.middle"]).fill(-1)
    #expect(turned[5, 0].item() == -1)
    #expect(try PyTorchFile.read(weights("zip.pth"))["view.middle"]?.max().item() == 8, "the file stays")
  }
}
