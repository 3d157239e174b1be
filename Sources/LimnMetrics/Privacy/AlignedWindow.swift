// Windows of images under small shifts, changes of scale and mirroring, as unit vectors.

import LimnTorch

/// Square grey images at the sizes of the coarse-to-fine search.
public struct AlignedIndex: Sendable {
  /// The sides, in pixels, from coarse to fine.
  static let sides = [16, 32, 64]
  /// [N, 1, S, S] for each side: float32 for the coarse ones, float16 for the finest, which is the largest.
  let levels: [Tensor]

  var count: Int { levels[0].size(0) }

  /// Images at some positions of a level: float32 [n, 1, S, S].
  func images(level: Int, at positions: Tensor) -> Tensor {
    levels[level].indexSelect(dim: 0, positions).to(.float32)
  }
}

/// A map from a window's places to an image's: p ↦ scale · (±x, y) + shift, in coordinates from −1 to 1.
enum AlignmentMaps {
  /// The largest shift that the coarse search tries; the fine one goes half as far again as its first step.
  static let shift = 0.2
  /// The change of scale that the coarse search tries, in either direction.
  static let zoom = 0.1
  static let columns = 4

  /// Rows of (scale, sign of x, shift in x, shift in y), float32 [150, 4].
  static func coarse(device: Device) -> Tensor {
    let shifts = [-shift, -shift / 2, 0, shift / 2, shift]
    let rows = [1 - zoom, 1, 1 + zoom].flatMap { scale in
      [1.0, -1].flatMap { sign in
        shifts.flatMap { x in shifts.flatMap { y in [scale, sign, x, y].map(Float.init) } }
      }
    }
    return Tensor(rows, shape: [rows.count / columns, columns]).to(device)
  }

  /// What to add for the 27 neighbours, itself among them, of a map, float32 [27, 4].
  static func neighbours(step: Double, device: Device) -> Tensor {
    let steps = [-step, 0, step]
    let rows = steps.flatMap { scale in
      steps.flatMap { x in steps.flatMap { y in [scale, 0, x, y].map(Float.init) } }
    }
    return Tensor(rows, shape: [rows.count / columns, columns]).to(device)
  }

  static func identity(device: Device) -> Tensor {
    Tensor([1, 1, 0, 0] as [Float], shape: [1, 1, columns]).to(device)
  }
}

/// The middle of an image, three quarters of each side, sampled through maps.
enum AlignedWindow {
  static func side(of imageSide: Int) -> Int { imageSide * 3 / 4 }

  /// Windows as vectors of mean 0 and length 1; a window without contrast becomes zero.
  /// - Parameters:
  ///   - images: float32 [B, 1, S, S].
  ///   - maps: float32 [B, T, 4], or [1, T, 4] for all.
  /// - Returns: float32 [B, T, w²], w = 3S/4.
  static func sample(_ images: Tensor, _ maps: Tensor) -> Tensor {
    let (batch, side, count) = (images.size(0), images.size(2), maps.size(1))
    let window = self.side(of: side)
    let maps = maps.expanded([batch, count, AlignmentMaps.columns])
    let places =
      (Tensor.arange(window, dtype: .float32, device: images.device) + (0.5 - Double(window) / 2))
      * (2 / Double(side))
    let scale = maps[.ellipsis, 0...0]
    let column = scale * maps[.ellipsis, 1...1] * places + maps[.ellipsis, 2...2]
    let row = scale * places + maps[.ellipsis, 3...3]
    let shape = [batch, count, window, window]
    let grid = Tensor.stack(
      [column.unsqueezed(2).expanded(shape), row.unsqueezed(3).expanded(shape)], dim: -1)
    let sampled = gridSample(
      images, grid.reshaped([batch, count * window, window, 2]), padding: .border)
    return unit(sampled.reshaped([batch, count, window * window]))
  }

  private static func unit(_ windows: Tensor) -> Tensor {
    let centred = windows - windows.mean(dims: [2], keepDim: true)
    // A hundredth of a grey level: below it there is nothing but rounding.
    let least = 0.01 * Double(windows.size(2)).squareRoot()
    return centred / centred.norm(dims: [2], keepDim: true).clamped(min: least)
  }
}
