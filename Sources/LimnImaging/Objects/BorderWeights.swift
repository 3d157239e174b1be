// The weight map that makes a network learn the borders between touching cells: Ronneberger et al., "U-Net"
// (arXiv 1505.04597), section 3, equation 2.

import Foundation
import LimnTorch

/// How a weight map makes up for classes of unequal area: the term w_c of ``BorderWeights``.
public enum ClassBalance: String, Sendable, Codable, CaseIterable {
  /// Every pixel has weight 1.
  case none
  /// Pixels weigh inversely to how often their class occurs in the image: N / (K · N_c) for N_c of N pixels
  /// and K classes that occur. The mean over the image is 1, and all classes have the same sum. The paper
  /// names no formula; this one is Limn's choice.
  case image

  /// The weight of each pixel, by its class.
  public func weights(of classes: [Int32]) -> [Double] {
    guard self == .image else { return [Double](repeating: 1, count: classes.count) }
    var counts: [Int32: Int] = [:]
    for value in classes { counts[value, default: 0] += 1 }
    let weights = counts.mapValues { Double(classes.count) / Double(counts.count * $0) }
    return classes.map { weights[$0, default: 1] }
  }
}

/// w(x) = w_c(x) + w₀ · exp(−(d₁(x) + d₂(x))² / (2 σ²)).
///
/// d₁ and d₂ are the Euclidean distances from the pixel's centre to the nearest pixel's centre of the nearest
/// and of the second-nearest instance; within an instance d₁ is 0. The paper's formula has the second term
/// everywhere, so that an instance's own pixels beside a gap gain too; ``backgroundOnly`` keeps it out of
/// instances, as most programs do. With fewer than two instances it is 0. Instances that touch are separated
/// first (``InstanceSeparation``).
///
/// Distances are exact. Where the second term is less than 10⁻¹² w₀, which a float32 sum does not show, it is
/// left out.
public struct BorderWeights: Sendable, Codable, Equatable {
  /// The weight that the border between two instances gains where they meet.
  public var w0: Double
  /// How far the gain reaches, in pixels.
  public var sigma: Double
  /// Pixels of background put between instances that touch, 0 or more.
  public var gap: Int
  /// Whether the second term is 0 within instances.
  public var backgroundOnly: Bool
  /// The term w_c.
  public var balance: ClassBalance

  /// The paper's w₀, σ and formula; `gap` and `balance` are Limn's choice.
  public init(
    w0: Double = 10, sigma: Double = 5, gap: Int = 1, backgroundOnly: Bool = false,
    balance: ClassBalance = .image
  ) {
    (self.w0, self.sigma, self.gap) = (w0, sigma, gap)
    (self.backgroundOnly, self.balance) = (backgroundOnly, balance)
  }

  /// The weight of each pixel.
  /// - Parameters:
  ///   - instances: [H, W], integers; every value above 0 is an instance.
  ///   - labels: [H, W], integers, the classes that are balanced; nil: instances, after separation, against
  ///     background.
  /// - Returns: float32 [H, W], at least w_c everywhere.
  public func callAsFunction(_ instances: Tensor, labels: Tensor? = nil) -> Tensor {
    precondition(sigma > 0, "the border weights' σ is above 0, not \(sigma)")
    precondition(instances.rank == 2, "an instance map is [H, W], shape \(instances.shape) was given")
    precondition(
      labels.map { $0.shape == instances.shape } ?? true,
      "labels \(labels?.shape ?? []) do not lie over instances \(instances.shape)")
    let separated = InstanceSeparation.separated(
      instances.to(.int32).array(of: Int32.self), width: instances.shape[1], gap: gap)
    let classes = labels?.to(.int32).array(of: Int32.self) ?? separated.map { min($0, 1) }
    var weights = balance.weights(of: classes)
    addBorders(of: separated, width: instances.shape[1], to: &weights)
    return Tensor(weights.map(Float.init), shape: instances.shape)
  }

  private func addBorders(of instances: [Int32], width: Int, to weights: inout [Double]) {
    let reach = sigma * (2 * log(1e12)).squareRoot()
    let nearest = NearestInstances(instances, width: width, reach: Int(reach.rounded(.up)))
    for place in weights.indices where !backgroundOnly || instances[place] == 0 {
      guard let first = nearest.square(toFirst: place), let second = nearest.square(toSecond: place) else {
        continue
      }
      let sum = Double(first).squareRoot() + Double(second).squareRoot()
      weights[place] += w0 * exp(-sum * sum / (2 * sigma * sigma))
    }
  }
}
