// How far a generator that learns with registration has drifted from its sources, and how to take that back.

import LimnTorch

/// The shift that all displacements have in common, their running mean.
///
/// Misalignment differs from pair to pair and averages out. What stays is how far what the generator draws lies from
/// where it belongs, which registration makes up for in training.
final class DriftMeter: Module {
  /// A step's share of the mean at the full learning rate: some 500 steps count.
  static let share = 0.002
  /// Rows and columns in pixels: [2]. A checkpoint holds it.
  let mean = Buffer(.zeros([2]))

  /// Takes in a step's displacements.
  /// - Parameters:
  ///   - means: the mean of each, [N, 2].
  ///   - pace: the learning rate as a factor of the run's: a generator that moves less is seen for longer.
  func add(_ means: Tensor, pace: Double) {
    let share = Self.share * pace
    withoutGradients {
      mean.copy(from: mean * (1 - share) + means.mean(dims: [0]).to(.float32) * share)
    }
  }

  /// The displacement [1, 2, H, W] that takes the drift back from images of any size.
  func displacement(size: [Int]) -> Tensor {
    mean.to(.cpu).reshaped([1, 2, 1, 1]).expanded([1, 2] + size)
  }
}
