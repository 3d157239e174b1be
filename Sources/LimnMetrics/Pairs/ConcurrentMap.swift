// Work on many images at once.

import Foundation

/// The results of `body` for `0 ..< count`, in that order, computed on all cores.
/// - Throws: the error of the lowest number that failed.
func concurrentMap<T: Sendable>(_ count: Int, _ body: @Sendable (Int) throws -> T) throws -> [T] {
  var results = [Result<T, any Error>?](repeating: nil, count: count)
  results.withUnsafeMutableBufferPointer { buffer in
    // Each iteration writes an element of its own.
    nonisolated(unsafe) let places = buffer
    DispatchQueue.concurrentPerform(iterations: count) { place in
      places[place] = Result { try body(place) }
    }
  }
  return try results.compactMap { try $0?.get() }
}
