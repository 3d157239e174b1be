// A file of weights in memory, whose tensors are not copied.

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file in memory, private to this process, unmapped when the last tensor over it is gone.
final class MappedFile: @unchecked Sendable {
  let address: UnsafeMutableRawPointer
  let count: Int

  /// - Parameters:
  ///   - url: the file.
  ///   - failure: makes the error of what is wrong with it.
  /// - Throws: what `failure` makes.
  init(_ url: URL, failure: (String) -> any Error) throws {
    let descriptor = open(url.path, O_RDONLY)
    guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0 else {
      throw failure("an empty file where weights were expected")
    }
    count = Int(status.st_size)
    guard let mapped = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0),
      mapped != MAP_FAILED
    else { throw failure(String(cString: strerror(errno))) }
    address = mapped
  }

  /// Memory of the same kind that no file stands behind, all zeros; for what was unpacked.
  init(count: Int) throws {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let mapped = mmap(nil, max(count, 1), PROT_READ | PROT_WRITE, flags, -1, 0), mapped != MAP_FAILED
    else { throw FileProblem("\(count) bytes of memory cannot be had") }
    (address, self.count) = (mapped, count)
  }

  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: address, count: count) }

  deinit { munmap(address, max(count, 1)) }
}
