// Which pixel stands for one beyond the border of an image that is mirrored without repeating its edge.

package enum MirroredAxis {
  /// The pixel of 0 ..< count that stands for one at any position: … 2 1 0 1 2 … n−2 n−1 n−2 …
  package static func place(_ position: Int, of count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let folded = ((position % period) + period) % period
    return folded < count ? folded : period - folded
  }
}
