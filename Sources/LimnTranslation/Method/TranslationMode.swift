// The four ways in which a translation network learns from pairs that may not align (RegGAN: Kong et al., NeurIPS 2021,
// arXiv:2110.06465, section 4).

import LimnTorch
import LimnTraining

/// Whether both directions are learned, and whether a registration network takes up what does not align.
public enum TranslationMode: String, Codable, Sendable, CaseIterable {
  /// From A to B alone.
  case nc
  /// From A to B, corrected by registration.
  case ncR = "nc+r"
  /// Both directions, with cycle consistency.
  case c
  /// Both directions, the way from A to B corrected by registration.
  case cR = "c+r"

  /// Both directions.
  public var isCyclic: Bool { self == .c || self == .cR }
  /// With a registration network.
  public var registers: Bool { self == .ncR || self == .cR }
}

/// How the learning rate changes over a run.
public enum TranslationSchedule: String, Codable, Sendable, CaseIterable {
  case constant
  /// Constant for half of the run, then in a straight line to 0 (CycleGAN, section 4).
  case linear
  /// Halved after every tenth of the run (MUNIT's code: every 100,000 of 1,000,000 steps).
  case halving

  /// The rate's factor after so many of all images.
  func factor(images: Int, of total: Int) -> Double {
    let total = max(total, 1)
    return switch self {
    case .constant: 1
    case .linear: Schedule.linearDecay(start: total / 2, end: total).factor(at: images)
    case .halving: Schedule.step(every: max(total / 10, 1), factor: 0.5).factor(at: images)
    }
  }
}

/// Images of the two domains: pairs, or anything of each.
public struct DomainPair: Sendable {
  /// The source's, [N, C, H, W] in [−1, 1].
  public let a: Tensor
  /// The target's, [N, C′, H, W] in [−1, 1].
  public let b: Tensor

  /// Images of both.
  public init(a: Tensor, b: Tensor) { (self.a, self.b) = (a, b) }
}

/// What a method translates between.
public struct PairShape: Sendable, Equatable {
  /// The source's images.
  public var source: ImageShape
  /// Channels of the target's images, which have the same size.
  public var targetChannels: Int

  /// From images of a shape to others of their size.
  public init(source: ImageShape, targetChannels: Int) {
    (self.source, self.targetChannels) = (source, targetChannels)
  }
}
