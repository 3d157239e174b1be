// Area opening and closing: bright or dark parts are removed by their area, whatever their shape.

import Foundation
import LimnTorch

extension Filters {
  /// Removes bright parts of fewer than `threshold` pixels: every level set keeps its large enough connected
  /// parts (Vincent 1993), computed with union-find over pixels from bright to dark (Meijster and Wilkinson
  /// 2002).
  /// - Parameters:
  ///   - x: [N, 1, H, W], float32.
  ///   - threshold: the least area that stays, in pixels.
  ///   - connectivity: 1 for four neighbours, 2 for eight.
  /// - Returns: [N, 1, H, W], nowhere greater than `x`.
  public static func areaOpening(_ x: Tensor, threshold: Int = 64, connectivity: Int = 1) -> Tensor {
    let (height, width) = (x.shape[2], x.shape[3])
    let images = x.to(.cpu).contiguous()
    let size = height * width
    let values = images.array(of: Float.self)
    var result = [Float]()
    result.reserveCapacity(values.count)
    for start in Swift.stride(from: 0, to: values.count, by: size) {
      var opening = AreaOpening(
        levels: Array(values[start..<start + size]), height: height, width: width, threshold: threshold,
        connectivity: connectivity)
      result.append(contentsOf: opening.run())
    }
    return Tensor(result, shape: x.shape).to(x.device)
  }

  /// Removes dark parts of fewer than `threshold` pixels; the opening of the negative.
  public static func areaClosing(_ x: Tensor, threshold: Int = 64, connectivity: Int = 1) -> Tensor {
    -areaOpening(-x, threshold: threshold, connectivity: connectivity)
  }
}

/// One image's flooding from its brightest pixel to its darkest.
private struct AreaOpening {
  let levels: [Float]
  let height: Int
  let width: Int
  let threshold: Int
  let connectivity: Int
  /// The pixel that a pixel was merged into; itself for a root, -1 before it is reached.
  private var parents: [Int]
  private var areas: [Int]

  init(levels: [Float], height: Int, width: Int, threshold: Int, connectivity: Int) {
    precondition(connectivity == 1 || connectivity == 2, "connectivity is 1 (four) or 2 (eight neighbours)")
    self.levels = levels
    self.height = height
    self.width = width
    self.threshold = threshold
    self.connectivity = connectivity
    parents = [Int](repeating: -1, count: levels.count)
    areas = [Int](repeating: 0, count: levels.count)
  }

  mutating func run() -> [Float] {
    let order = levels.indices.sorted { levels[$0] == levels[$1] ? $0 < $1 : levels[$0] > levels[$1] }
    for pixel in order { reach(pixel) }
    var opened = levels
    // A pixel's parent is reached after it, so its final level is known first when going back.
    for pixel in order.reversed() where parents[pixel] != pixel { opened[pixel] = opened[parents[pixel]] }
    return opened
  }

  private mutating func reach(_ pixel: Int) {
    parents[pixel] = pixel
    areas[pixel] = 1
    let (row, column) = (pixel / width, pixel % width)
    for dy in -1...1 {
      for dx in -1...1 where isNeighbour(dy, dx) {
        let (y, x) = (row + dy, column + dx)
        guard y >= 0, y < height, x >= 0, x < width, parents[y * width + x] >= 0 else { continue }
        merge(root(of: y * width + x), into: pixel)
      }
    }
  }

  private func isNeighbour(_ dy: Int, _ dx: Int) -> Bool {
    connectivity == 1 ? abs(dy) + abs(dx) == 1 : (dy, dx) != (0, 0)
  }

  /// A part of equal level, or too small to stay, becomes the pixel's; a part that stays leaves the pixel's
  /// part large enough too, since it lies above it.
  private mutating func merge(_ other: Int, into pixel: Int) {
    guard other != pixel else { return }
    if levels[other] == levels[pixel] || areas[other] < threshold {
      areas[pixel] += areas[other]
      parents[other] = pixel
    } else {
      areas[pixel] = max(areas[pixel], threshold)
    }
  }

  private mutating func root(of pixel: Int) -> Int {
    var root = pixel
    while parents[root] != root { root = parents[root] }
    var current = pixel
    while parents[current] != root {
      let next = parents[current]
      parents[current] = root
      current = next
    }
    return root
  }
}
