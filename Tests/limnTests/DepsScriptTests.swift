// `scripts/deps`: what it refuses, and that its second run has nothing to do. Fetching is not tested here,
// since it takes half a gigabyte; a clean clone's first `make test` does it.

import Foundation
import LimnTestSupport
import Testing

@testable import limn

@Suite struct DepsScriptTests {
  /// Runs the script with its results in `folder`, and pip without a network.
  private func deps(
    in folder: URL, libtorch: String?, weights: String = ""
  ) throws -> (status: Int32, output: String, errors: String) {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = root.appending(path: "scripts/deps").standardizedFileURL
    process.environment = ProcessInfo.processInfo.environment
      .merging(
        ["LIMN_DEPS": folder.path, "LIBTORCH": libtorch ?? "", "PIP_NO_INDEX": "1", "LIMN_WEIGHTS": weights]
      ) { $1 }
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      String(decoding: complaint, as: UTF8.self)
    )
  }

  @Test func aFolderWithoutLibtorchIsRefusedInOneLine() throws {
    try withTemporaryFolder { folder in
      let result = try deps(in: folder.appending(path: "deps"), libtorch: folder.path)
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("deps: LIBTORCH=\(folder.path) holds no libtorch"))
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }

  @Test func anotherVersionOfLibtorchIsRefusedByItsNumber() throws {
    try withTemporaryFolder { folder in
      let include = folder.appending(path: "include/torch/headeronly")
      let lib = folder.appending(path: "lib")
      for path in [include, lib] {
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
      }
      let header =
        "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n#define TORCH_VERSION_PATCH 1\n"
      try Data(header.utf8).write(to: include.appending(path: "version.h"))
      try Data().write(to: lib.appending(path: "libtorch_cpu.so"))
      let result = try deps(in: folder.appending(path: "deps"), libtorch: folder.path)
      #expect(result.status == 1)
      #expect(result.errors.contains("holds libtorch 2.9.1; Limn needs 2.11"))
    }
  }

  @Test func withoutANetworkOnlyTheWeightsAreMissing() throws {
    try withTemporaryFolder { folder in
      let result = try deps(
        in: folder.appending(path: "deps"), libtorch: try Self.libtorch(), weights: folder.path)
      #expect(result.status == 0)
      #expect(result.output.contains("libtorch 2.11.0 (LIBTORCH)"))
      #expect(result.errors.hasPrefix("deps: without EfficientNet-Lite0's weights ("))
      #expect(result.errors.hasSuffix("limn weights add NETWORK FILE\n"))
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "deps/weights").path))
    }
  }

  /// The folder of the libtorch that this process runs on.
  private static func libtorch() throws -> String {
    let maps = String(
      decoding: try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readToEnd() ?? Data(),
      as: UTF8.self)
    let library = try #require(SystemTexts.loadedLibrary("libtorch_cpu.so", maps: maps))
    return URL(filePath: library).deletingLastPathComponent().deletingLastPathComponent().path
  }

  @Test func aSecondRunDoesNothing() throws {
    let libtorch = try Self.libtorch()
    try withTemporaryFolder { folder in
      // The store has the network already, so that nothing is left to fetch.
      try Data().write(to: folder.appending(path: "efficientnet-lite0.safetensors"))
      let first = try deps(in: folder, libtorch: libtorch, weights: folder.path)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.hasPrefix("libtorch 2.11.0 (LIBTORCH) at \(libtorch), GDCM "))
      let stamp = folder.appending(path: "env").path
      let written = try FileManager.default.attributesOfItem(atPath: stamp)[.modificationDate] as? Date

      let clock = ContinuousClock()
      var second: (status: Int32, output: String, errors: String)?
      let time = try clock.measure { second = try deps(in: folder, libtorch: libtorch, weights: folder.path) }
      #expect(second?.output == first.output)
      #expect(time < .seconds(1))
      let later = try FileManager.default.attributesOfItem(atPath: stamp)[.modificationDate] as? Date
      #expect(later == written)
    }
  }
}
