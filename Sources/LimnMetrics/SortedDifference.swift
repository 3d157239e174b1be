// The distance of one-dimensional samples: sort both, take the mean of the absolute differences.

import Foundation
import LimnTorch

/// The Wasserstein-1 distance between row i of `a` and row i of `b`, for equally many samples.
///
/// Sorts by radix, because libtorch's sort carries indices along that nobody needs.
/// - Parameters:
///   - a: float32 [rows, samples], finite.
///   - b: the same shape.
/// - Returns: one distance a row.
func meanSortedDifferences(_ a: Tensor, _ b: Tensor) -> [Double] {
  precondition(a.shape == b.shape && a.rank == 2, "rows are compared in pairs, not \(a.shape) and \(b.shape)")
  let (rows, samples) = (a.size(0), a.size(1))
  return a.withUnsafeBytes { bytesA in
    b.withUnsafeBytes { bytesB in
      // Each iteration reads its own rows and writes its own distance.
      nonisolated(unsafe) let keysA = bytesA.bindMemory(to: UInt32.self)
      nonisolated(unsafe) let keysB = bytesB.bindMemory(to: UInt32.self)
      let workers = min(rows, ProcessInfo.processInfo.activeProcessorCount)
      return [Double](unsafeUninitializedCapacity: rows) { distances, count in
        nonisolated(unsafe) let distances = distances
        DispatchQueue.concurrentPerform(iterations: workers) { worker in
          let memory = SortingMemory(count: samples)
          for row in stride(from: worker, to: rows, by: workers) {
            let range = row * samples..<(row + 1) * samples
            distances[row] = memory.meanSortedDifference(
              .init(rebasing: keysA[range]), .init(rebasing: keysB[range]))
          }
        }
        count = rows
      }
    }
  }
}

/// What one thread sorts in: fresh memory for each row would cost a tenth of the time.
private final class SortingMemory {
  private let memory: UnsafeMutableBufferPointer<UInt32>
  private let count: Int

  init(count: Int) {
    self.count = count
    memory = .allocate(capacity: 4 * count)
  }

  deinit { memory.deallocate() }

  private func part(_ number: Int) -> UnsafeMutableBufferPointer<UInt32> {
    .init(rebasing: memory[number * count..<(number + 1) * count])
  }

  func meanSortedDifference(_ a: UnsafeBufferPointer<UInt32>, _ b: UnsafeBufferPointer<UInt32>) -> Double {
    let sortedA = radixSorted(a, part(0), part(1))
    let sortedB = radixSorted(b, part(2), part(3))
    var sum = 0.0
    for i in 0..<count { sum += Double(abs(float(sortedA[i]) - float(sortedB[i]))) }
    return sum / Double(count)
  }
}

/// Sorts the bit patterns of floats by three passes over 11 bits, least significant first.
/// - Returns: `second`, with keys that order as unsigned integers.
private func radixSorted(
  _ bits: UnsafeBufferPointer<UInt32>, _ first: UnsafeMutableBufferPointer<UInt32>,
  _ second: UnsafeMutableBufferPointer<UInt32>
) -> UnsafeMutableBufferPointer<UInt32> {
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 3 * 2048) { places in
    places.initialize(repeating: 0)
    for i in 0..<bits.count {
      let key = orderedKey(bits[i])
      first[i] = key
      places[Int(key & 2047)] &+= 1
      places[2048 + Int(key >> 11 & 2047)] &+= 1
      places[4096 + Int(key >> 22)] &+= 1
    }
    turnCountsIntoPlaces(places)
    scatter(first, into: second, shift: 0, places)
    scatter(second, into: first, shift: 11, .init(rebasing: places[2048...]))
    scatter(first, into: second, shift: 22, .init(rebasing: places[4096...]))
    return second
  }
}

private func turnCountsIntoPlaces(_ counts: UnsafeMutableBufferPointer<UInt32>) {
  for digit in 0..<3 {
    var place: UInt32 = 0
    for i in digit * 2048..<(digit + 1) * 2048 {
      (counts[i], place) = (place, place &+ counts[i])
    }
  }
}

@inline(__always)
private func scatter(
  _ keys: UnsafeMutableBufferPointer<UInt32>, into target: UnsafeMutableBufferPointer<UInt32>, shift: UInt32,
  _ places: UnsafeMutableBufferPointer<UInt32>
) {
  for i in 0..<keys.count {
    let key = keys[i]
    let digit = Int(key &>> shift & 2047)
    target[Int(places[digit])] = key
    places[digit] &+= 1
  }
}

/// Floats compare as these integers do: negative numbers inverted, the sign bit of positive ones set.
@inline(__always)
private func orderedKey(_ bits: UInt32) -> UInt32 { bits ^ (bits >> 31 == 1 ? 0xFFFF_FFFF : 0x8000_0000) }

@inline(__always)
private func float(_ key: UInt32) -> Float {
  Float(bitPattern: key ^ (key >> 31 == 1 ? 0x8000_0000 : 0xFFFF_FFFF))
}
