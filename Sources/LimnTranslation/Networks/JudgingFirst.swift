// What UNIT, MUNIT and NICE-GAN share: sums of weighted terms, and discriminators that learn before the generators.

import LimnTorch
import LimnTraining

extension TranslationLoss {
  /// The sum of terms with their weights.
  static func weighted(_ terms: [String: Tensor], _ weight: (String) -> Double) -> TranslationLoss {
    let parts = terms.keys.sorted().compactMap { key in terms[key].map { $0 * weight(key) } }
    return TranslationLoss(value: parts.dropFirst().reduce(parts[0], +), terms: terms)
  }
}

extension RecipeRule {
  /// Of methods whose discriminators learn first, from fakes of the present generators.
  static func noPool(_ pool: Int) -> RecipeRule {
    RecipeRule("pool", pool, expected: "0, since the discriminators learn first in a step", isMet: pool == 0)
  }
}

extension TranslationRecipe {
  /// Of methods whose code updates the discriminators first; RegGAN's code does so afterwards.
  var judgesFirst: Bool { !(mode == .ncR && registration.freshFakes) }
}
