// What `scripts/compare-readers` drives: reads the files of a list and writes down what came of each.

import Foundation
import LimnImaging
import LimnTorch
import Testing

@Suite struct ReadDump {
  private struct Line: Codable {
    var path: String
    /// The volume's file, the reader's error, or nothing while the file is being read.
    var voxels: String?
    var error: String?
    var affine: [Double]?
    var storedBits: Int?
    var hasGeometry: Bool?
    var warnings: [String]?
  }

  private static let environment = ProcessInfo.processInfo.environment

  @Test(.enabled(if: environment["LIMN_READ_LIST"] != nil))
  func `every listed file is read or refused`() throws {
    let list = try #require(Self.environment["LIMN_READ_LIST"])
    let out = URL(fileURLWithPath: try #require(Self.environment["LIMN_READ_OUT"]))
    let log = try FileHandle(forWritingTo: out.appendingPathComponent("results.jsonl"))
    try log.seekToEnd()
    for path in try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init) {
      // The first line outlives a crash and names the file that caused it.
      try write(Line(path: path), to: log)
      try write(read(path, out), to: log)
    }
  }

  private func write(_ line: Line, to log: FileHandle) throws {
    try log.write(contentsOf: JSONEncoder().encode(line) + Data("\n".utf8))
  }

  private func read(_ path: String, _ out: URL) -> Line {
    do {
      let url = URL(fileURLWithPath: path)
      let header = try ImageReader.probe(url)
      let volume = try ImageReader.read(url)
      let name = "\(UUID().uuidString).safetensors"
      try Safetensors.write(["voxels": volume.voxels], to: out.appendingPathComponent(name))
      var warnings = volume.info.warnings
      let probed = [header.depth * header.channels, header.height, header.width]
      let found = [volume.voxels.shape[0] * volume.size[0], volume.size[1], volume.size[2]]
      if probed != found { warnings.append("the probe told \(probed)") }
      return Line(
        path: path, voxels: name, affine: volume.affine.elements, storedBits: volume.storedBits,
        hasGeometry: volume.info.hasGeometry, warnings: warnings)
    } catch {
      return Line(path: path, error: (error as? any LocalizedError)?.errorDescription ?? "\(error)")
    }
  }
}
