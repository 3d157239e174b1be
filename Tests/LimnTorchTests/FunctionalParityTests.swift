// Activations, convolutions, pooling, resampling, normalisations and losses against PyTorch: values and
// gradients.

import LimnTestSupport
import LimnTorch
import Testing

@Suite struct FunctionalParityTests {
  static let cases: [ParityCase] = {
    var list = CaseList()
    addActivations(to: &list)
    addConvolutions(to: &list)
    addPooling(to: &list)
    addInterpolation(to: &list)
    addSampling(to: &list)
    addNormalization(to: &list)
    for (label, reduction) in [("none", LossReduction.none), ("mean", .mean), ("sum", .sum)] {
      addRegressionLosses(to: &list, label, reduction)
      addClassificationLosses(to: &list, label, reduction)
    }
    return list.cases
  }()

  @Test("equals PyTorch", arguments: cases)
  func parity(_ parity: ParityCase) throws { try ParityFixture("functional").check(parity) }

  @Test func everyFixtureIsCompared() throws {
    let names = try ParityFixture("functional").caseNames
    #expect(names == Set(Self.cases.map(\.name) + ["batch-norm-eval"]))
  }

  @Test func batchNormalizationByRunningStatistics() throws {
    let fixture = try ParityFixture("functional")
    let (mean, variance) = (try fixture["batch-norm-eval/mean"], try fixture["batch-norm-eval/variance"])
    try fixture.check(
      ParityCase(name: "batch-norm-eval") {
        [
          batchNorm(
            $0[0], weight: $0[1], bias: $0[2], runningMean: mean, runningVar: variance, training: false)
        ]
      })
  }

  private static func addActivations(to list: inout CaseList) {
    list.one("relu") { relu($0) }
    list.one("relu6") { relu6($0) }
    list.one("silu") { silu($0) }
    list.one("gelu") { gelu($0) }
    list.one("softplus") { softplus($0) }
    list.one("sigmoid") { sigmoid($0) }
    list.one("tanh") { tanh($0) }
    list.one("leaky-relu") { leakyReLU($0, 0.2) }
    list.two("prelu") { prelu($0, $1) }
    list.one("elu") { elu($0, alpha: 1.3) }
    list.one("softmax") { softmax($0, dim: 1) }
    list.one("log-softmax") { logSoftmax($0, dim: 1) }
  }

  private static func addConvolutions(to list: inout CaseList) {
    list.three("linear") { linear($0, $1, $2) }
    list.two("linear-no-bias") { linear($0, $1) }
    list.three("conv1d") { conv1d($0, $1, $2, stride: 2, padding: 1, dilation: 2) }
    list.three("conv2d") { conv2d($0, $1, $2, stride: 2, padding: 1) }
    list.two("conv2d-dilated-groups") { conv2d($0, $1, padding: 2, dilation: 2, groups: 2) }
    list.three("conv3d") { conv3d($0, $1, $2, stride: 2, padding: 1) }
    list.three("conv-transpose1d") { convTranspose1d($0, $1, $2, stride: 2, padding: 1, outputPadding: 1) }
    list.three("conv-transpose2d") { convTranspose2d($0, $1, $2, stride: 2, padding: 1) }
    list.two("conv-transpose2d-groups") {
      convTranspose2d($0, $1, stride: 2, padding: 1, outputPadding: 1, groups: 2, dilation: 2)
    }
    list.three("conv-transpose3d") { convTranspose3d($0, $1, $2, stride: 2, padding: 1) }
    list.two("embedding") { embedding($0, $1) }
  }

  private static func addPooling(to list: inout CaseList) {
    list.one("max-pool2d") { maxPool2d($0, 3, stride: 2, padding: 1) }
    list.one("avg-pool2d") { avgPool2d($0, 3, stride: 2, padding: 1) }
    list.one("avg-pool2d-without-padding") {
      avgPool2d($0, 3, stride: 2, padding: 1, countIncludesPadding: false)
    }
    list.one("adaptive-avg-pool2d") { adaptiveAvgPool2d($0, [4, 3]) }
    list.one("adaptive-max-pool2d") { adaptiveMaxPool2d($0, [4, 3]) }
    list.one("max-pool3d") { maxPool3d($0, 2) }
    list.one("avg-pool3d") { avgPool3d($0, 2, stride: 1) }
    list.one("adaptive-avg-pool3d") { adaptiveAvgPool3d($0, [2, 3, 2]) }
  }

  private static func addInterpolation(to list: inout CaseList) {
    let sizes = [("up", [8, 9]), ("down", [3, 2]), ("mixed", [7, 4])]
    for (label, size) in sizes {
      for mode in [InterpolationMode.nearest, .area] {
        list.one("interpolate-\(mode)-\(label)") { interpolate($0, size: size, mode: mode) }
      }
      for mode in [InterpolationMode.bilinear, .bicubic] {
        for (corners, smooth) in [(false, false), (false, true), (true, false), (true, true)] {
          let name =
            "interpolate-\(mode)-\(label)" + (corners ? "-corners" : "") + (smooth ? "-antialias" : "")
          list.one(name) { interpolate($0, size: size, mode: mode, alignCorners: corners, antialias: smooth) }
        }
      }
    }
    for mode in [InterpolationMode.nearest, .bilinear, .bicubic, .area] {
      for scale in [0.7, 1.7, 2] {
        list.one("interpolate-\(mode)-by-\(scale)") { interpolate($0, scale: scale, mode: mode) }
      }
    }
    for mode in [InterpolationMode.nearest, .bilinear, .area] {
      list.one("interpolate-volume-\(mode)") { interpolate($0, size: [5, 3, 4], mode: mode) }
      list.one("interpolate-signal-\(mode)") { interpolate($0, size: [10], mode: mode) }
    }
  }

  private static func addSampling(to list: inout CaseList) {
    for corners in [false, true] {
      let suffix = corners ? "-corners" : ""
      for mode in [InterpolationMode.bilinear, .nearest, .bicubic] {
        for padding in [GridPadding.zeros, .border, .reflection] {
          list.two("grid-sample-\(mode)-\(padding)\(suffix)") {
            gridSample($0, $1, mode: mode, padding: padding, alignCorners: corners)
          }
        }
      }
      list.one("affine-grid\(suffix)") { affineGrid($0, size: [2, 1, 3, 4], alignCorners: corners) }
      list.one("affine-grid-volume\(suffix)") {
        affineGrid($0, size: [1, 1, 2, 3, 2], alignCorners: corners)
      }
    }
    list.two("grid-sample-volume") { gridSample($0, $1) }
    list.one("pad-constant") { pad($0, [1, 2, 0, 3], mode: .constant(1.5)) }
    list.one("pad-crop") { pad($0, [-1, 2, -2, 0]) }
    list.one("pad-reflect") { pad($0, [1, 2, 3, 0], mode: .reflect) }
    list.one("pad-replicate") { pad($0, [1, 2, 3, 0], mode: .replicate) }
    list.one("pad-circular") { pad($0, [1, 2, 3, 0], mode: .circular) }
    list.one("pixel-shuffle") { pixelShuffle($0, factor: 2) }
    list.one("pixel-unshuffle") { pixelUnshuffle($0, factor: 2) }
  }

  private static func addNormalization(to list: inout CaseList) {
    list.three("batch-norm") { batchNorm($0, weight: $1, bias: $2, training: true) }
    list.one("instance-norm") { instanceNorm($0) }
    list.three("instance-norm-affine") { instanceNorm($0, weight: $1, bias: $2) }
    list.three("layer-norm") { layerNorm($0, shape: [3, 5], weight: $1, bias: $2) }
    list.three("group-norm") { groupNorm($0, groups: 2, weight: $1, bias: $2) }
    list.one("pixel-norm") { pixelNorm($0) }
    for (batch, group) in [(8, 4), (3, 4), (6, 2)] {
      list.one("minibatch-deviation-\(batch)-\(group)") { minibatchStandardDeviation($0, groupSize: group) }
    }
  }

  private static func addRegressionLosses(
    to list: inout CaseList, _ label: String, _ reduction: LossReduction
  ) {
    list.two("l1-loss-\(label)") { l1Loss($0, $1, reduction: reduction) }
    list.two("mse-loss-\(label)") { mseLoss($0, $1, reduction: reduction) }
    list.two("smooth-l1-loss-\(label)") { smoothL1Loss($0, $1, beta: 0.5, reduction: reduction) }
    list.two("huber-loss-\(label)") { huberLoss($0, $1, delta: 0.7, reduction: reduction) }
  }

  private static func addClassificationLosses(
    to list: inout CaseList, _ label: String, _ reduction: LossReduction
  ) {
    list.two("bce-\(label)") { binaryCrossEntropy($0, $1.detached(), reduction: reduction) }
    list.three("bce-weighted-\(label)") {
      binaryCrossEntropy($0, $1.detached(), weight: $2.detached(), reduction: reduction)
    }
    list.two("bce-logits-\(label)") { binaryCrossEntropyWithLogits($0, $1.detached(), reduction: reduction) }
    list.three("bce-logits-weighted-\(label)") {
      binaryCrossEntropyWithLogits(
        $0, $1.detached(), weight: $2.detached(), positiveWeight: $2[0].detached(), reduction: reduction)
    }
    list.two("cross-entropy-\(label)") { crossEntropy($0, $1, reduction: reduction) }
    list.three("cross-entropy-weighted-\(label)") {
      crossEntropy(
        $0, $1, weight: $2.detached(), reduction: reduction, ignoreIndex: 2, labelSmoothing: 0.1)
    }
    list.two("nll-loss-\(label)") { nllLoss(logSoftmax($0, dim: 1), $1, reduction: reduction) }
    list.two("kl-divergence-\(label)") {
      klDivergence(logSoftmax($0, dim: 1), $1.detached(), reduction: reduction)
    }
    list.two("kl-divergence-log-\(label)") {
      klDivergence(logSoftmax($0, dim: 1), $1.detached(), reduction: reduction, logTarget: true)
    }
  }
}
