// When the networks grow, and with which batch and learning rate (Karras et al. 2018, appendix A.1).

/// The growth as a function of the images seen: at each resolution first a fade-in, then stabilisation; the
/// first resolution only stabilises.
public struct PGGANSchedule: Sendable, Equatable {
  /// The stage where growing begins.
  public var firstStage: Int
  /// The stage of the full size.
  public var lastStage: Int
  /// Images for which a resolution trains alone.
  public var stabiliseImages: Int
  /// Images over which the next resolution fades in.
  public var fadeImages: Int

  /// From stage `firstStage` to stage `lastStage`, each taking as many images as the paper gives it.
  public init(firstStage: Int = 0, lastStage: Int, stabiliseImages: Int = 600_000, fadeImages: Int = 600_000)
  {
    (self.firstStage, self.lastStage) = (firstStage, lastStage)
    (self.stabiliseImages, self.fadeImages) = (stabiliseImages, fadeImages)
  }

  /// The growth after `images` images.
  public func growth(images: Int) -> PGGANGrowth {
    let phaseLength = stabiliseImages + fadeImages
    guard phaseLength > 0, firstStage < lastStage else { return PGGANGrowth(stage: lastStage) }
    let (phase, inPhase) = images.quotientAndRemainder(dividingBy: phaseLength)
    guard firstStage + phase < lastStage else { return PGGANGrowth(stage: lastStage) }
    guard inPhase >= stabiliseImages else { return PGGANGrowth(stage: firstStage + phase) }
    // lod falls from its floor by the faded share; at the very start of a fade the old resolution still
    // counts alone.
    let alpha = Double(inPhase - stabiliseImages) / Double(fadeImages)
    return alpha == 0
      ? PGGANGrowth(stage: firstStage + phase) : PGGANGrowth(stage: firstStage + phase + 1, alpha: alpha)
  }

  /// What the first `images` images cost in all, where an image at a stage costs `cost(stage)`.
  func effort(images: Int, cost: (_ stage: Int) -> Double) -> Double {
    let phaseLength = stabiliseImages + fadeImages
    var (sum, seen) = (0.0, 0)
    for stage in firstStage..<lastStage where seen < images {
      let alone = min(stabiliseImages, images - seen)
      let fading = min(phaseLength, images - seen) - alone
      sum += Double(alone) * cost(stage) + Double(fading) * cost(stage + 1)
      seen += alone + fading
    }
    return sum + Double(images - seen) * cost(lastStage)
  }

  /// Images after which the last resolution stands alone.
  public var grownAfter: Int { (lastStage - firstStage) * (stabiliseImages + fadeImages) }
}
