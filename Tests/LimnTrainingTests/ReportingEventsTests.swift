// Tests of the TensorBoard event files: framing, checksums, contents, resuming.

import Foundation
import LimnTestSupport
import SwiftProtobuf
import Testing

@testable import LimnTraining

@Suite struct CRC32CTests {
  /// RFC 3720, appendix B.4, and the usual check value of "123456789".
  @Test(
    arguments: [
      (Data(), 0), (Data(repeating: 0, count: 32), 0x8a91_36aa),
      (Data(repeating: 0xff, count: 32), 0x62a8_ab43),
      (Data(0..<32), 0x46dd_794e), (Data((0..<32).reversed()), 0x113f_db5c),
      (Data("123456789".utf8), 0xe306_9283),
    ] as [(Data, UInt32)])
  func knownVectors(data: Data, checksum: UInt32) {
    #expect(CRC32C.checksum(data) == checksum)
  }

  /// The first record of a file written by TensorBoard itself: wall time 0, file version `brain.Event:2`.
  @Test func framingMatchesTensorBoard() throws {
    let payload = try TBEvent.with { $0.fileVersion = "brain.Event:2" }.serializedBytes() as Data
    let hex = TFRecord.framed(payload).map { String(format: "%02x", $0) }.joined()
    #expect(hex == ReportingFixtures.firstRecord)
  }
}

@Suite struct TensorBoardWriterTests {
  let temporary: TemporaryFolder
  var folder: URL { temporary.url }

  init() throws { temporary = try TemporaryFolder() }

  /// Splits a file into its events, checking both checksums of every record.
  func events(_ url: URL) throws -> [TBEvent] {
    var data = try Data(contentsOf: url)
    var found: [TBEvent] = []
    while !data.isEmpty {
      let count = Int(data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
      let payload = Data(data.dropFirst(12).prefix(count))
      try #require(Data(data.prefix(16 + count)) == TFRecord.framed(payload))
      found.append(try TBEvent(serializedBytes: payload))
      data = Data(data.dropFirst(16 + count))
    }
    return found
  }

  @Test func scalarsAndImagesReadBack() throws {
    let before = Date().timeIntervalSince1970
    let writer = try TensorBoardWriter(folder: folder)
    writer.addScalar("loss/d", 0.53, step: 10)
    try writer.addImage("samples", png: ReportingFixtures.png, step: 20)
    try writer.flush()
    let events = try events(writer.url)
    #expect(events.map(\.step) == [0, 10, 20])
    #expect(events[0].fileVersion == "brain.Event:2")
    #expect(events[1].summary.value.first?.tag == "loss/d")
    #expect(events[1].summary.value.first?.simpleValue == 0.53)
    let image = try #require(events[2].summary.value.first?.image)
    #expect([image.width, image.height, image.colorspace] == [3, 2, 1])
    #expect(image.encodedImageString == ReportingFixtures.png)
    #expect(events.allSatisfy { $0.wallTime >= before })
    #expect(writer.url.lastPathComponent.hasPrefix("events.out.tfevents."))
  }

  @Test func resumedWriterOpensALaterFileThatDropsWhatItRepeats() throws {
    let first = try TensorBoardWriter(folder: folder)
    let second = try TensorBoardWriter(folder: folder, resumingAfter: 30)
    #expect(second.url.lastPathComponent > first.url.lastPathComponent)
    let events = try events(second.url)
    #expect(events.map(\.step) == [0, 31])
    #expect(events[1].sessionLog.status == .start)
  }

  @Test func nothingIsLostWhenTheWriterGoesAway() throws {
    var writer: TensorBoardWriter? = try TensorBoardWriter(folder: folder)
    let url = try #require(writer?.url)
    writer?.addScalar("loss/g", .nan, step: 1)
    writer = nil
    let value = try #require(try events(url).last?.summary.value.first?.simpleValue)
    #expect(value.isNaN)
  }

  @Test func badInputIsRefused() throws {
    let missing = folder.appendingPathComponent("missing")
    #expect(throws: ReportingError.self) { try TensorBoardWriter(folder: missing) }
    let writer = try TensorBoardWriter(folder: folder)
    #expect(throws: ReportingError.self) { try writer.addImage("x", png: Data("GIF89a".utf8), step: 1) }
  }
}
