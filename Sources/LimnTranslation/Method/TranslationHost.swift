// What a translation network brings into a training step; registration is composed with it from outside.

import LimnTorch
import LimnTraining

/// Images drawn by the generators.
public struct Fakes: Sendable {
  /// A as B, [N, C′, H, W].
  public let b: Tensor
  /// B as A, [N, C, H, W]; nil in one direction.
  public let a: Tensor?

  /// Drawn images of one domain or both.
  public init(b: Tensor, a: Tensor? = nil) { (self.b, self.a) = (b, a) }

  /// Without a graph.
  var detached: Fakes { Fakes(b: b.detached(), a: a?.detached()) }
}

/// A part of the objective.
public struct TranslationLoss {
  /// What is lowered, a scalar with its graph.
  public let value: Tensor
  /// Its terms by name, such as `loss_g_adversarial`, to be logged.
  public let terms: [String: Tensor]

  /// A sum and what it adds, before weights.
  public init(value: Tensor, terms: [String: Tensor]) { (self.value, self.terms) = (value, terms) }
}

/// What a translation draws by chance.
public enum TranslationStyle: Sendable {
  /// Follows from a seed: the noise of dropout, a random style.
  case random(seed: UInt64)
  /// The style of other images, [N or 1, C′, H, W] in [−1, 1]; for hosts that have styles.
  case like(Tensor)
}

/// The networks and losses of a published translation method, for the mode and the images it was made for.
///
/// The mechanism around it (``Translation``) holds the optimisers, moves the images of the step where misalignment is
/// asked for, adds the registration terms, keeps pools of earlier fakes, and freezes the discriminators' weights in the
/// generators' update. A host runs its networks in `context.autocast { … }` and computes losses in float32 outside.
public protocol TranslationHost: AnyObject {
  /// Learn together, by name.
  var generators: [(name: String, module: Module)] { get }
  /// Learn together, by name.
  var discriminators: [(name: String, module: Module)] { get }
  /// Whether the discriminators learn first in a step.
  var judgesFirst: Bool { get }
  /// Whether there are styles to choose from.
  var hasStyles: Bool { get }

  /// The generators' forward pass and what they lower, without registration.
  func play(_ pair: DomainPair, _ context: StepContext) -> (fakes: Fakes, loss: TranslationLoss)

  /// The generators' forward pass alone, for the discriminators; called without gradients.
  func draw(_ pair: DomainPair, _ context: StepContext) -> Fakes

  /// What the discriminators lower.
  /// - Parameters:
  ///   - pair: the real images.
  ///   - fakes: without a graph.
  ///   - context: of the step.
  /// - Returns: their sum over the domains, and the terms.
  func judge(_ pair: DomainPair, _ fakes: Fakes, _ context: StepContext) -> TranslationLoss

  /// A as B: [N, C, H, W] → [N, C′, H, W] in (−1, 1); every image alone, whatever is in the batch beside it.
  func translate(_ images: Tensor, _ style: TranslationStyle) -> Tensor
}

extension TranslationHost {
  public var judgesFirst: Bool { false }
  public var hasStyles: Bool { false }
}

/// The least-squares losses of scores (Mao et al., ICCV 2017): real is 1, fake is 0.
enum LeastSquares {
  static func real(_ scores: Tensor) -> Tensor { (scores - 1).square().mean() }
  static func fake(_ scores: Tensor) -> Tensor { scores.square().mean() }
}
