// What a run is, apart from its recipe: run.json in the run folder.

import Foundation
import LimnTorch

/// The facts of a run that its report shows and that a bug report needs.
public struct RunInfo: Codable, Equatable, Sendable {
  /// The method's name as given to `limn train`.
  public var method: String
  /// The path of the dataset folder.
  public var dataset: String
  /// The path of the dataset folder that the targets come from; nil: they are the dataset's own, or there are none.
  public var target: String?
  /// Of weights, batches and noise.
  public var seed: UInt64
  /// `cpu`, `cuda`, `cuda:1`.
  public var device: String
  /// Of convolutions and products: `float32` or `bfloat16`.
  public var precision: String
  /// Limn's version.
  public var version: String
  /// When the run was begun, not resumed.
  public var started: Date
  /// The run whose weights this one began with; nil: fresh ones.
  public var begunFrom: String?

  /// The facts as they are given; ``write(to:)`` keeps `started` to the second.
  public init(
    method: String, dataset: String, target: String? = nil, seed: UInt64, device: String, precision: String,
    version: String, started: Date, begunFrom: String? = nil
  ) {
    self.method = method
    (self.dataset, self.target) = (dataset, target)
    self.seed = seed
    self.device = device
    self.precision = precision
    self.version = version
    self.started = started
    self.begunFrom = begunFrom
  }

  /// The last component of the dataset's path.
  public var datasetName: String { URL(fileURLWithPath: dataset).lastPathComponent }

  /// Reads `run.json` in `folder`.
  ///
  /// - Throws: ``ReportingError`` if the file is missing or is not what ``write(to:)`` writes.
  public static func read(from folder: URL) throws -> RunInfo {
    let url = folder.appendingPathComponent(fileName)
    guard let data = FileManager.default.contents(atPath: url.path) else {
      throw ReportingError("\(url.path): not found; a run folder made by `limn train` holds this file")
    }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    do {
      return try decoder.decode(RunInfo.self, from: data)
    } catch {
      throw ReportingError("\(url.path): \(reason(error)); expected the facts that `limn train` writes")
    }
  }

  /// Writes `run.json` into `folder`, whole or not at all.
  ///
  /// - Throws: `AtomicFileError`.
  public func write(to folder: URL) throws {
    try AtomicFile.write(JSONEncoder.readable.encode(self), to: folder.appendingPathComponent(Self.fileName))
  }

  private static let fileName = "run.json"

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "has no \"\(key.stringValue)\""
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\"\(context.codingPath.last?.stringValue ?? "")\" has the wrong type"
    default: "is not the JSON of a run"
    }
  }
}
