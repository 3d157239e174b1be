// The record framing of TensorBoard's event files: length, payload, and a masked CRC-32C of each.

import Foundation

/// TFRecord framing (TensorFlow, `core/lib/io/record_writer.h`).
enum TFRecord {
  /// The bytes `length: UInt64 | maskedCRC(length) | payload | maskedCRC(payload)`, little-endian.
  static func framed(_ payload: Data) -> Data {
    let length = littleEndian(UInt64(payload.count))
    return length + littleEndian(maskedCRC(length)) + payload + littleEndian(maskedCRC(payload))
  }

  /// The CRC rotated right by 15 bits plus a constant, so that a CRC of data that holds CRCs stays strong.
  static func maskedCRC(_ data: Data) -> UInt32 {
    let crc = CRC32C.checksum(data)
    return (crc >> 15 | crc << 17) &+ 0xa282_ead8
  }

  private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}

/// The Castagnoli CRC (RFC 3720, appendix B.4).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
  }

  static func checksum(_ data: Data) -> UInt32 {
    ~data.reduce(UInt32.max) { crc, byte in crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xff)] }
  }
}
