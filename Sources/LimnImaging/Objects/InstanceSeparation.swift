// Background put between instances that touch: Ronneberger et al., "U-Net" (arXiv 1505.04597), section 3.

import LimnTorch

/// Separates instances, so that a network that tells foreground from background can keep them apart.
public enum InstanceSeparation {
  /// Puts at least `gap` pixels of background between any two instances.
  ///
  /// The paper says "morphological operations" and no more; the rule here is Limn's. It sweeps over the image
  /// for k = 1, 2, … `gap`. Each sweep looks at all pixels at once: where the square of 2 k + 1 pixels around
  /// a pixel (k = 1: its eight neighbours) holds another instance, the one with the greater number gives its
  /// pixel to the background if k is odd, and the one with the lesser number if k is even. What is apart
  /// already stays as it is.
  ///
  /// An instance that would lose all its pixels keeps all of them, and may touch others then.
  /// - Parameters:
  ///   - instances: [H, W], integers; every value above 0 is an instance, connected or not.
  ///   - gap: pixels of background between instances, 0 or more.
  /// - Returns: int32 [H, W], with 0 for the background.
  public static func separated(_ instances: Tensor, gap: Int = 1) -> Tensor {
    precondition(instances.rank == 2, "an instance map is [H, W], shape \(instances.shape) was given")
    let values = instances.to(.int32).array(of: Int32.self)
    return Tensor(separated(values, width: instances.shape[1], gap: gap), shape: instances.shape)
  }

  static func separated(_ instances: [Int32], width: Int, gap: Int) -> [Int32] {
    precondition(gap >= 0, "a gap is 0 pixels or more, not \(gap)")
    var current = instances.map { max($0, 0) }
    let original = current
    for reach in Swift.stride(from: 1, through: gap, by: 1) {
      current = swept(current, width: width, reach: reach, spares: reach % 2 == 1 ? .lesser : .greater)
    }
    let left = distinct(current)
    for place in current.indices where current[place] == 0 && original[place] > 0 {
      if !left.contains(original[place]) { current[place] = original[place] }
    }
    return current
  }

  /// Which of two instances keeps its pixels.
  private enum Spared { case lesser, greater }

  private static func swept(_ values: [Int32], width: Int, reach: Int, spares spared: Spared) -> [Int32] {
    // The spared instance has the lesser key; the background has none.
    let keys = values.map { $0 == 0 ? Int32.max : spared == .lesser ? $0 : -$0 }
    let inRows = least(keys, lineLength: width, shifts: 1...reach, step: 1)
    let nearby = least(inRows, lineLength: keys.count, shifts: 1...reach, step: width)
    return values.indices.map { nearby[$0] < keys[$0] ? 0 : values[$0] }
  }

  /// The least key of each place and of those so many steps before and after it in its line.
  private static func least(
    _ keys: [Int32], lineLength: Int, shifts: ClosedRange<Int>, step: Int
  ) -> [Int32] {
    var least = keys
    for start in Swift.stride(from: 0, to: keys.count, by: max(lineLength, 1)) {
      for shift in shifts where shift * step < lineLength {
        for place in start..<start + lineLength - shift * step {
          let other = place + shift * step
          least[place] = min(least[place], keys[other])
          least[other] = min(least[other], keys[place])
        }
      }
    }
    return least
  }

  private static func distinct(_ values: [Int32]) -> Set<Int32> {
    var found: Set<Int32> = []
    var previous: Int32 = 0
    for value in values where value != previous {
      found.insert(value)
      previous = value
    }
    return found
  }
}
