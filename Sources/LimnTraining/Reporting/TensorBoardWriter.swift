// Scalars and images as TensorBoard reads them: `events.out.tfevents.*` in the run folder.

import Foundation
import SwiftProtobuf

/// Appends to one event file; each run of the training process opens a file of its own.
///
/// Not thread-safe: one writer belongs to one loop.
public final class TensorBoardWriter {
  /// The file that this writer appends to.
  public let url: URL
  private let file: FileHandle
  private var pending = Data()

  /// Opens a new event file in `folder`.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - step: the step from which a resumed run goes on; whatever earlier files hold after it is dropped
  ///     by TensorBoard. nil for a new run.
  /// - Throws: ``ReportingError`` if the file cannot be made.
  public init(folder: URL, resumingAfter step: Int? = nil) throws {
    url = Self.unusedPlace(in: folder)
    guard FileManager.default.createFile(atPath: url.path, contents: nil),
      let file = FileHandle(forWritingAtPath: url.path)
    else { throw ReportingError("\(url.path): cannot be made; check that the folder exists and is writable") }
    self.file = file
    append(step: 0) { $0.fileVersion = "brain.Event:2" }
    if let step { append(step: step + 1) { $0.sessionLog.status = .start } }
    try flush()
  }

  /// Adds one number; `tag` groups by what stands before its first `/`.
  public func addScalar(_ tag: String, _ value: Double, step: Int) {
    append(step: step) { event in
      event.summary.value = [
        .with {
          $0.tag = tag; $0.simpleValue = Float(value)
        }
      ]
    }
  }

  /// Adds an image that is already encoded.
  ///
  /// - Throws: ``ReportingError`` if `png` is not a PNG.
  public func addImage(_ tag: String, png: Data, step: Int) throws {
    guard let header = PNGHeader(png) else {
      throw ReportingError("image \(tag) of step \(step): expected PNG data, found something else")
    }
    append(step: step) { event in
      event.summary.value = [
        .with {
          $0.tag = tag; $0.image = Self.image(png, header)
        }
      ]
    }
  }

  /// Hands what was added so far to the operating system.
  public func flush() throws {
    try file.write(contentsOf: pending)
    pending.removeAll(keepingCapacity: true)
  }

  deinit {
    try? flush()
    try? file.close()
  }

  private func append(step: Int, _ fill: (inout TBEvent) -> Void) {
    var event = TBEvent()
    event.wallTime = Date().timeIntervalSince1970
    event.step = Int64(step)
    fill(&event)
    // Encoding proto3 fails for none of the fields above: there are no required ones.
    guard let payload: Data = try? event.serializedBytes() else { return }
    pending.append(TFRecord.framed(payload))
  }

  private static func image(_ png: Data, _ header: PNGHeader) -> TBSummary.Image {
    .with {
      $0.width = Int32(header.width)
      $0.height = Int32(header.height)
      $0.colorspace = Int32(header.channels)
      $0.encodedImageString = png
    }
  }

  /// TensorBoard reads event files in the order of their names, so the time comes first and grows.
  private static func unusedPlace(in folder: URL) -> URL {
    var seconds = Int(Date().timeIntervalSince1970)
    while true {
      let place = folder.appendingPathComponent("events.out.tfevents.\(seconds).\(hostName)")
      if !FileManager.default.fileExists(atPath: place.path) { return place }
      seconds += 1
    }
  }

  private static var hostName: String {
    ProcessInfo.processInfo.hostName.split(separator: ".").first.map(String.init) ?? "localhost"
  }
}
