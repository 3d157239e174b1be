// `scripts/deps`: what it refuses, and that its second run has nothing to do. Fetching is not tested here,
// since it takes half a gigabyte; a clean clone's first `make test` does it.

import Foundation
import LimnTestSupport
import Testing

@testable import limn

@Suite struct DepsScriptTests {
  /// Runs the script with its results in `folder`; nil values are removed from the environment.
  private func deps(
    in folder: URL, libtorch: String?
  ) throws -> (status: Int32, output: String, errors: String) {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    let process = Process()
    let (output, errors) = (Pipe(), Pipe())
    process.executableURL = root.appending(path: "scripts/deps").standardizedFileURL
    process.environment = ProcessInfo.processInfo.environment
      .merging(["LIMN_DEPS": folder.path, "LIBTORCH": libtorch ?? ""]) { $1 }
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

  @Test func aSecondRunDoesNothing() throws {
    let maps = String(
      decoding: try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readToEnd() ?? Data(),
      as: UTF8.self)
    let library = try #require(SystemTexts.loadedLibrary("libtorch_cpu.so", maps: maps))
    let libtorch = URL(filePath: library).deletingLastPathComponent().deletingLastPathComponent().path
    try withTemporaryFolder { folder in
      let first = try deps(in: folder, libtorch: libtorch)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.hasPrefix("libtorch 2.11.0 (LIBTORCH) at \(libtorch), GDCM "))
      let stamp = folder.appending(path: "env").path
      let written = try FileManager.default.attributesOfItem(atPath: stamp)[.modificationDate] as? Date

      let clock = ContinuousClock()
      var second: (status: Int32, output: String, errors: String)?
      let time = try clock.measure { second = try deps(in: folder, libtorch: libtorch) }
      #expect(second?.output == first.output)
      #expect(time < .seconds(1))
      let later = try FileManager.default.attributesOfItem(atPath: stamp)[.modificationDate] as? Date
      #expect(later == written)
    }
  }
}
