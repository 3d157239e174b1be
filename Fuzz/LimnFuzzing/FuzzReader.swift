// Reading an input as Limn would, and what is checked of the answer.

import Foundation
import LimnDatasets
import LimnImaging
import LimnSynthesis
import LimnTorch
import LimnTraining

/// How a reader answered.
public enum FuzzOutcome: Sendable, Equatable {
  case read
  /// Refused by one line that names the file.
  case refused
  /// Refused by a text that is not one clear line about the file.
  case badLine(String)
  /// Read or refused after more memory than the bound.
  case overMemory(bytes: Int)
}

/// Puts inputs in place and has them read.
public struct FuzzReader {
  /// A file of at most ``SeedFiles/longest`` bytes may take so much memory of its own: 1 GiB.
  public static let memoryBound = 1 << 30
  /// A longer line is none that anybody reads.
  private static let longestLine = 4000

  private let folder: URL

  /// - Parameter folder: a folder of the reader's own, in which inputs are written.
  /// - Throws: where it cannot be made.
  public init(workFolder folder: URL) throws {
    self.folder = folder
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("checkpoint"), withIntermediateDirectories: true)
    try Data(repeating: 7, count: 8192).write(to: folder.appendingPathComponent("pair.img"))
  }

  /// Writes the input, reads it, and judges the answer.
  /// - Throws: where the input cannot be written.
  public func read(_ input: FuzzInput) throws -> FuzzOutcome {
    let url = try place(input)
    // JPEG's and TIFF's readers keep nothing, so that what the peak rises by is this input's.
    let before = PeakMemory.reset()
    var outcome = FuzzOutcome.read
    do { try Self.read(url, input.kind) } catch {
      let line = (error as? any LocalizedError)?.errorDescription ?? "\(error)"
      outcome = isClear(line, url, input.kind) ? .refused : .badLine(line)
    }
    let grown = PeakMemory.bytes - before
    return grown > Self.memoryBound ? .overMemory(bytes: grown) : outcome
  }

  private func isClear(_ line: String, _ url: URL, _ kind: FuzzKind) -> Bool {
    let isOneLine = line.unicodeScalars.allSatisfy {
      $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0x85
    }
    // A recipe is a text or an option; the command that reads the file names it.
    let names = kind == .recipe || line.contains(url.deletingLastPathComponent().path)
    return isOneLine && names && !line.isEmpty && line.utf8.count < Self.longestLine
  }

  private func place(_ input: FuzzInput) throws -> URL {
    let names: [FuzzKind: String] = [
      .pair: "pair.hdr", .dataset: "dataset.json", .run: "run.json", .plan: "training.json",
      .checkpoint: "checkpoint/state.json", .metrics: "metrics.jsonl",
    ]
    let url = folder.appendingPathComponent(names[input.kind] ?? "input")
    // Written anew, not over: what a reader has mapped must not change under it.
    unlink(url.path)
    try Data(input.bytes).write(to: url)
    if input.kind == .dataset {
      for layer in LayerForgery.layers(of: input.bytes) {
        let place = folder.appendingPathComponent("\(layer.name).safetensors")
        unlink(place.path)
        try? Data(layer.file).write(to: place)
      }
    }
    return url
  }

  private static func read(_ url: URL, _ kind: FuzzKind) throws {
    let folder = url.deletingLastPathComponent()
    switch kind {
    case .dicom: try readDICOM(url)
    case .tiff:
      _ = Result { try ImageReader.probe(url) }
      let part = Result { try readCorner(url) }
      _ = try ImageReader.read(url)
      // A part may be refused for more reasons than the whole, in a line as well.
      try part.get()
    case .nifti, .pair, .png, .jpeg:
      _ = Result { try ImageReader.probe(url) }
      _ = try ImageReader.read(url)
    case .safetensors: sum(try Safetensors.read(url).tensors)
    case .pth: sum(try PyTorchFile.read(url))
    case .npz: sum(try NumPyFile.read(url))
    case .dataset: _ = try Dataset.open(folder).verify()
    case .run: _ = try RunInfo.read(from: folder)
    case .plan: _ = try RunFolder(opening: folder).readPlan()
    case .checkpoint: _ = try Checkpoint(folder: folder)
    case .metrics: _ = try MetricsLog.read(url)
    case .recipe:
      let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      let isReadable = Result { try SkrGANRecipe.resolved(yaml: text) }
      if case .failure = isReadable { _ = try PGGANRecipe.resolved(yaml: text) }
    }
  }

  /// The lower right quarter of a TIFF.
  private static func readCorner(_ url: URL) throws {
    let reader = try TIFFRegionReader(url)
    let (height, width) = (reader.height, reader.width)
    _ = try reader.read(rows: height / 2..<height, columns: width / 2..<width)
  }

  /// Touches every number.
  private static func sum(_ tensors: [String: Tensor]) {
    for (_, tensor) in tensors where tensor.dtype != .bool && tensor.count > 0 {
      _ = tensor.to(.float64).sum().item()
    }
  }

  /// All that an import asks of a DICOM file; the answer is that of reading its image.
  private static func readDICOM(_ url: URL) throws {
    _ = Result { try ImageReader.probe(url) }
    _ = Result { try DICOMDirectory.files(listedIn: url) }
    _ = Result { try DICOMIdentity.values(in: url) }
    _ = Result { try DICOMSegmentation.read(url) }
    _ = try ImageReader.read(url)
  }
}

/// The most memory that this process has held since the last reset, where the system tells.
enum PeakMemory {
  /// Forgets earlier peaks; gives the memory held now, in bytes.
  static func reset() -> Int {
    if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
      try? file.write(contentsOf: Data("5".utf8))
      try? file.close()
    }
    return bytes
  }

  static var bytes: Int {
    guard let file = FileHandle(forReadingAtPath: "/proc/self/status"),
      let text = (try? file.readToEnd()).map({ String(decoding: $0, as: UTF8.self) })
    else { return 0 }
    try? file.close()
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
  }
}
