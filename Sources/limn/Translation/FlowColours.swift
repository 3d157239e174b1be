// Displacements as colours: the hue is the direction, the strength of the colour the length.

import Foundation
import LimnTorch

/// The colour wheel of flow fields: white is no displacement.
enum FlowColours {
  /// Draws a displacement.
  /// - Parameters:
  ///   - flow: [2, H, W] in pixels, rows first.
  ///   - largest: the length, above 0, of full colour; longer ones are cut off.
  /// - Returns: uint8 [3, H, W].
  static func image(of flow: Tensor, largest: Double) -> Tensor {
    let (rows, columns) = (flow[0].to(.float64), flow[1].to(.float64))
    let strength = ((rows.square() + columns.square()).sqrt() / largest).clamped(min: 0, max: 1)
    let angle = atan2(rows, columns) * (3 / Double.pi)
    // Red, green and blue are 120° apart; each is full within 60° of its own hue.
    let channels = [0.0, 2, 4].map { hue -> Tensor in
      let distance = (((angle - hue).remainder(6) - 3).abs() - 3).abs()
      let full = (2 - distance).clamped(min: 0, max: 1)
      return 1 - strength * (1 - full)
    }
    return (Tensor.stack(channels) * 255).round().to(.uint8)
  }

  /// The key: what points away from the middle has the colour of its direction there.
  static func wheel(side: Int) -> Tensor {
    let axis = (Tensor.arange(side).to(.float64) - Double(side - 1) / 2) * (2 / Double(side))
    let flow = Tensor.stack([
      axis.unsqueezed(1).expanded([side, side]), axis.unsqueezed(0).expanded([side, side]),
    ])
    let isOutside = flow.square().sum(dims: [0]).isGreater(than: 1)
    return image(of: Tensor.where(isOutside, flow.zerosLike(), flow), largest: 1)
  }
}
