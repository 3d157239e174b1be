// Weights in whichever of the common containers they come: told apart by their first bytes, not by their names.

import Foundation

/// What is wrong with a weights file, in one line that begins with its path.
public struct WeightsFileError: Error, CustomStringConvertible, LocalizedError {
  public let description: String
  public var errorDescription: String? { description }

  init(_ url: URL, _ problem: String) { description = "\(url.path): \(problem)".asPlainLine }
}

/// Reads tensors by name from safetensors, PyTorch's `.pth` and `.pt`, and NumPy's `.npz`.
public enum WeightsFile {
  /// The tensors of a file; nothing in it is ever executed.
  /// - Parameters:
  ///   - url: of the file.
  ///   - entries: what of a PyTorch checkpoint's outermost dictionary is read; nil: all.
  /// - Returns: tensors by name, those of nested dictionaries joined by points.
  /// - Throws: ``WeightsFileError`` or ``SafetensorsError``, one line, for a file that is none of these, is
  ///   damaged, or holds anything but tensors.
  public static func read(_ url: URL, entries: Set<String>? = nil) throws -> [String: Tensor] {
    let start = try beginning(of: url)
    if start.starts(with: ZipDirectory.magic) {
      return try reading(url) { try zipped($0, entries) }
    }
    if start.starts(with: PyTorchFile.legacyMagic) { return try PyTorchFile.read(url, entries: entries) }
    if start.starts(with: NumPyFile.magic) {
      throw WeightsFileError(url, "one NumPy array without a name; numpy.savez keeps names")
    }
    return try Safetensors.read(url).tensors
  }

  private static func zipped(_ file: MappedFile, _ entries: Set<String>?) throws -> [String: Tensor] {
    let zip = try ZipDirectory(file)
    return PyTorchFile.folder(in: zip) == nil ? try NumPyFile.read(zip) : try PyTorchFile.read(zip, entries)
  }

  private static func beginning(of url: URL) throws -> Data {
    do {
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      return try file.read(upToCount: 32) ?? Data()
    } catch {
      throw WeightsFileError(url, "cannot be read; there is no such file, or it is none that can be opened")
    }
  }
}

/// What was found instead of what was expected; who knows the file adds its path.
struct FileProblem: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

/// Maps a file for `body`, whose problems become errors that name the file.
func reading<R>(_ url: URL, _ body: (MappedFile) throws -> R) throws -> R {
  do {
    return try body(try MappedFile(url) { FileProblem($0) })
  } catch let problem as FileProblem {
    throw WeightsFileError(url, problem.text)
  }
}

/// The part of a mapped file that holds numbers of one type.
struct MappedNumbers {
  let file: MappedFile
  /// The first byte's place in the file.
  let start: Int
  let dtype: DType

  /// A tensor over the file itself, or over a copy where the numbers lie between word borders.
  func tensor(_ shape: [Int]) -> Tensor {
    guard shape.reduce(1, *) > 0 else { return .zeros(shape, dtype: dtype) }
    let address = file.address + start
    let mapped = Tensor.wrapping(address, shape: shape, dtype: dtype, owner: file)
    return Int(bitPattern: address) % dtype.size == 0 ? mapped : mapped.cloned()
  }
}

/// The number of elements of a shape that a file states; nil where it is none.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  for length in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: length)
    guard length >= 0, !overflow else { return nil }
    count = product
  }
  return count
}
