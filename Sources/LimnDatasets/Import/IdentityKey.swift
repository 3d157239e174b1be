// The key of pseudonyms: it stays with the user, and without it nobody can tell who is meant.

import Foundation
import LimnTorch

/// A secret that turns names into pseudonyms (HMAC-SHA-256, RFC 2104). Whoever has it can find out whether a
/// known person is in a dataset; whoever has not cannot, even with a list of all the names there are.
public struct IdentityKey: Sendable {
  private let bytes: [UInt8]

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A key that is thrown away: pseudonyms cannot be joined with those of any other dataset.
  public static func unkept() -> IdentityKey {
    IdentityKey((0..<32).map { _ in UInt8.random(in: .min ... .max) })
  }

  /// The key in a file of 64 hexadecimal digits; it is made, readable by its owner alone, where it is not
  /// there yet. Datasets that are imported with one key name a person alike.
  /// - Throws: ``DatasetError`` if the file holds no key or cannot be made.
  public static func kept(in file: URL) throws -> IdentityKey {
    if let text = try? String(contentsOf: file, encoding: .utf8) { return try read(text, from: file) }
    let key = unkept()
    let digits = key.bytes.map { String(format: "%02x", $0) }.joined()
    try? FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let made = FileManager.default.createFile(
      atPath: file.path, contents: Data("\(digits)\n".utf8), attributes: [.posixPermissions: 0o600])
    guard made else {
      throw DatasetError(file, "the key of pseudonyms cannot be written here; give --key FILE")
    }
    return key
  }

  private static func read(_ text: String, from file: URL) throws -> IdentityKey {
    let digits = Array(text.trimmingCharacters(in: .whitespacesAndNewlines))
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    guard digits.count == 64, bytes.count == 32 else {
      throw DatasetError(
        file, "holds no key of pseudonyms, expected 64 hexadecimal digits; choose another --key FILE")
    }
    return IdentityKey(bytes)
  }

  /// Names that tell nothing. 48 bits: among 100,000 patients the chance that any two share a pseudonym is 2
  /// in 100,000.
  func pseudonym(_ kind: String, _ name: String) -> String { "\(kind)-\(digest(kind, name).prefix(12))" }

  /// 64 hexadecimal digits.
  func digest(_ kind: String, _ name: String) -> String {
    SHA256.authenticationCode(of: Array("\(kind)/\(name)".utf8), key: bytes)
  }

  /// The days, 1 to 3650, by which all dates of a patient are moved back: intervals stay what they were.
  func daysBack(_ patient: String) -> Int {
    1 + (Int(digest("dates", patient).prefix(8), radix: 16) ?? 0) % 3650
  }
}

extension SHA256 {
  /// HMAC (RFC 2104) of a message, 64 hexadecimal digits.
  static func authenticationCode(of message: [UInt8], key: [UInt8]) -> String {
    precondition(key.count <= 64, "the key is longer than a block")
    let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
    var inner = SHA256()
    inner.update(padded.map { $0 ^ 0x36 } + message)
    var outer = SHA256()
    outer.update(padded.map { $0 ^ 0x5C } + inner.digest)
    return outer.hexDigest
  }
}
