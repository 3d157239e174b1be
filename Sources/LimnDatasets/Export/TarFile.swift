// Tar files (POSIX.1-1988, "ustar"), written as they grow.

import Foundation

/// Appends files to a tar archive; owner, group and time are 0, so that equal content gives equal bytes.
final class TarFile {
  private static let block = 512
  private let url: URL
  private let file: FileHandle

  /// - Parameter url: a file that exists and is empty.
  /// - Throws: what `FileHandle` throws where it cannot be opened.
  init(_ url: URL) throws {
    self.url = url
    file = try FileHandle(forWritingTo: url)
  }

  deinit { try? file.close() }

  /// - Parameters:
  ///   - name: up to 100 bytes of ASCII.
  ///   - content: less than 8 GiB.
  /// - Throws: ``DatasetError`` if the disk refuses.
  func append(_ name: String, _ content: Data) throws {
    let padding = Data(count: (Self.block - content.count % Self.block) % Self.block)
    try write(Self.header(name, size: content.count) + content + padding)
  }

  /// Ends the archive and closes it.
  func finish() throws {
    try write(Data(count: 2 * Self.block))
    try file.close()
  }

  private func write(_ data: Data) throws {
    do { try file.write(contentsOf: data) } catch {
      throw DatasetError(url, "cannot be written (\(error.localizedDescription)); is the disk full?")
    }
  }

  private static func header(_ name: String, size: Int) -> Data {
    precondition(
      name.utf8.count <= 100 && size < 1 << 33, "'\(name)' of \(size) bytes does not fit a tar file")
    var header = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at start: Int) {
      header.replaceSubrange(start..<start + text.utf8.count, with: text.utf8)
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(size, digits: 11), at: 124)
    put("00000000000", at: 136)
    // The sum is taken with blanks in its own place.
    put("        0", at: 148)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    return Data(header)
  }

  private static func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: digits - text.count) + text
  }
}
