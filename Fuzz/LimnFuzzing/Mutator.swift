// From seeds to inputs: half of the damage is blind, half knows the format.

/// A file that readers accept, before it is damaged.
public struct FuzzSeed: Sendable {
  /// Where it comes from.
  public var name: String
  /// The file.
  public var input: FuzzInput
}

/// Makes inputs from seeds.
public struct Mutator: Sendable {
  private let seeds: [FuzzFormat: [FuzzSeed]]
  private let seed: UInt64

  /// Inputs from `seeds` that depend on `seed` and on their number alone.
  public init(seeds: [FuzzSeed], seed: UInt64) {
    self.seeds = Dictionary(grouping: seeds) { $0.input.kind.format }
    self.seed = seed
  }

  /// The formats that have seeds.
  public var formats: [FuzzFormat] { FuzzFormat.allCases.filter { seeds[$0] != nil } }

  /// The input of a number: first the seeds as they are, then damaged ones.
  public func input(_ format: FuzzFormat, _ index: Int) -> FuzzInput {
    guard let choices = seeds[format] else { return FuzzInput(kind: .recipe, bytes: []) }
    if index < choices.count { return choices[index].input }
    var random = FuzzRandom(seed: seed, format: format, index: index)
    var input = random.pick(choices).input
    // Blind damage to a text seldom leaves one that parses.
    let isText = [.json, .yaml, .safetensors].contains(format)
    if random.chance(isText ? 5 : 2) {
      ByteMutation.apply(&input.bytes, other: random.pick(choices).input.bytes, &random)
    } else {
      applyKnown(&input, &random)
      if !isText, random.chance(4) { ByteMutation.apply(&input.bytes, other: input.bytes + [0], &random) }
    }
    return input
  }

  private func applyKnown(_ input: inout FuzzInput, _ random: inout FuzzRandom) {
    switch input.kind {
    case .dicom: DICOMMutation.apply(&input.bytes, &random)
    case .nifti, .pair: NIfTIMutation.apply(&input.bytes, &random)
    case .tiff: TIFFMutation.apply(&input.bytes, &random)
    case .png: PNGMutation.apply(&input.bytes, &random)
    case .jpeg: JPEGMutation.apply(&input.bytes, &random)
    case .safetensors: TextMutation.safetensors(&input.bytes, &random)
    case .pth, .npz: WeightsMutation.apply(&input.bytes, &random)
    case .dataset: DatasetMutation.apply(&input.bytes, &random)
    case .run, .plan, .checkpoint, .metrics: TextMutation.json(&input.bytes, &random)
    case .recipe: TextMutation.yaml(&input.bytes, &random)
    }
  }
}
