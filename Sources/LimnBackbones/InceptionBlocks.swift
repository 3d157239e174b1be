// The blocks of Inception-v3: branches of convolutions whose results lie side by side.

import LimnTorch

/// A convolution without bias, batch normalisation and a rectifier; keys `conv.weight`, `bn.weight`, ….
final class InceptionUnit: Module, UnaryLayer {
  let conv: RectangularConvolution
  let bn: BatchNorm2d

  /// - Parameters:
  ///   - inputChannels: channels of the input.
  ///   - outputChannels: channels of the result.
  ///   - kernel: height and width.
  ///   - stride: along both axes.
  ///   - isPadded: whether a stride of 1 keeps the size.
  init(_ inputChannels: Int, _ outputChannels: Int, _ kernel: [Int], stride: Int = 1, isPadded: Bool = true) {
    conv = RectangularConvolution(
      inputChannels, outputChannels, kernel, stride: stride, padding: kernel.map { isPadded ? $0 / 2 : 0 })
    bn = BatchNorm2d(channels: outputChannels, epsilon: 1e-3)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { relu(bn(conv(x))) }
}

/// A convolution without bias whose kernel need not be square.
final class RectangularConvolution: Module, UnaryLayer {
  let weight: Parameter
  private let stride: Int
  private let padding: [Int]

  init(_ inputChannels: Int, _ outputChannels: Int, _ kernel: [Int], stride: Int, padding: [Int]) {
    let fanIn = inputChannels * kernel.reduce(1, *)
    weight = .initialized([outputChannels, inputChannels] + kernel, by: .torchDefault(fanIn: fanIn))
    (self.stride, self.padding) = (stride, padding)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    conv2d(x, weight, stride: [stride, stride], padding: padding)
  }
}

/// How a block pools, in windows of 3×3.
enum InceptionPool {
  case average(countsPadding: Bool)
  case max
  case maxHalving

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .average(let countsPadding):
      avgPool2d(x, 3, stride: 1, padding: 1, countIncludesPadding: countsPadding)
    case .max: maxPool2d(x, 3, stride: 1, padding: 1)
    case .maxHalving: maxPool2d(x, 3, stride: 2)
    }
  }
}

/// A way through a block: a pooling, units one after the other, then units side by side.
struct InceptionBranch {
  typealias Unit = (key: String, unit: InceptionUnit)
  var pool: InceptionPool?
  var units: [Unit] = []
  var fork: [Unit] = []

  func callAsFunction(_ x: Tensor) -> [Tensor] {
    let y = units.reduce(pool.map { $0(x) } ?? x) { $1.unit($0) }
    return fork.isEmpty ? [y] : fork.map { $0.unit(y) }
  }
}

/// A block named A to E as in torchvision's code; the paper's figures 5, 10, 6, – and 7.
final class InceptionBlock: Module, UnaryLayer {
  private let branches: [InceptionBranch]

  init(_ branches: [InceptionBranch]) { self.branches = branches }

  override var children: [(key: String, module: Module)] {
    branches.flatMap { $0.units + $0.fork }.map { ($0.key, $0.unit) }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { Tensor.cat(branches.flatMap { $0(x) }, dim: 1) }

  private static func unit(
    _ key: String, _ inputChannels: Int, _ outputChannels: Int, _ kernel: [Int] = [1, 1]
  ) -> InceptionBranch.Unit {
    (key, InceptionUnit(inputChannels, outputChannels, kernel))
  }

  /// A 3×3 unit that halves the image.
  private static func halving(
    _ key: String, _ inputChannels: Int, _ outputChannels: Int
  ) -> InceptionBranch.Unit {
    (key, InceptionUnit(inputChannels, outputChannels, [3, 3], stride: 2, isPadded: false))
  }

  /// [N, in, H, W] → [N, 224 + pooled, H, W].
  static func a(_ input: Int, pooled: Int, _ pool: InceptionPool) -> InceptionBlock {
    InceptionBlock([
      InceptionBranch(units: [unit("branch1x1", input, 64)]),
      InceptionBranch(units: [unit("branch5x5_1", input, 48), unit("branch5x5_2", 48, 64, [5, 5])]),
      InceptionBranch(units: [
        unit("branch3x3dbl_1", input, 64), unit("branch3x3dbl_2", 64, 96, [3, 3]),
        unit("branch3x3dbl_3", 96, 96, [3, 3]),
      ]),
      InceptionBranch(pool: pool, units: [unit("branch_pool", input, pooled)]),
    ])
  }

  /// [N, in, H, W] → [N, in + 480, H/2, W/2].
  static func b(_ input: Int) -> InceptionBlock {
    InceptionBlock([
      InceptionBranch(units: [halving("branch3x3", input, 384)]),
      InceptionBranch(units: [
        unit("branch3x3dbl_1", input, 64), unit("branch3x3dbl_2", 64, 96, [3, 3]),
        halving("branch3x3dbl_3", 96, 96),
      ]),
      InceptionBranch(pool: .maxHalving),
    ])
  }

  /// [N, in, H, W] → [N, 768, H, W]; `width` is that of the 7×1 and 1×7 convolutions within.
  static func c(_ input: Int, width: Int, _ pool: InceptionPool) -> InceptionBlock {
    InceptionBlock([
      InceptionBranch(units: [unit("branch1x1", input, 192)]),
      InceptionBranch(units: [
        unit("branch7x7_1", input, width), unit("branch7x7_2", width, width, [1, 7]),
        unit("branch7x7_3", width, 192, [7, 1]),
      ]),
      InceptionBranch(units: [
        unit("branch7x7dbl_1", input, width), unit("branch7x7dbl_2", width, width, [7, 1]),
        unit("branch7x7dbl_3", width, width, [1, 7]), unit("branch7x7dbl_4", width, width, [7, 1]),
        unit("branch7x7dbl_5", width, 192, [1, 7]),
      ]),
      InceptionBranch(pool: pool, units: [unit("branch_pool", input, 192)]),
    ])
  }

  /// [N, in, H, W] → [N, in + 512, H/2, W/2].
  static func d(_ input: Int) -> InceptionBlock {
    InceptionBlock([
      InceptionBranch(units: [unit("branch3x3_1", input, 192), halving("branch3x3_2", 192, 320)]),
      InceptionBranch(units: [
        unit("branch7x7x3_1", input, 192), unit("branch7x7x3_2", 192, 192, [1, 7]),
        unit("branch7x7x3_3", 192, 192, [7, 1]), halving("branch7x7x3_4", 192, 192),
      ]),
      InceptionBranch(pool: .maxHalving),
    ])
  }

  /// [N, in, H, W] → [N, 2048, H, W].
  static func e(_ input: Int, _ pool: InceptionPool) -> InceptionBlock {
    InceptionBlock([
      InceptionBranch(units: [unit("branch1x1", input, 320)]),
      InceptionBranch(
        units: [unit("branch3x3_1", input, 384)],
        fork: [unit("branch3x3_2a", 384, 384, [1, 3]), unit("branch3x3_2b", 384, 384, [3, 1])]),
      InceptionBranch(
        units: [unit("branch3x3dbl_1", input, 448), unit("branch3x3dbl_2", 448, 384, [3, 3])],
        fork: [unit("branch3x3dbl_3a", 384, 384, [1, 3]), unit("branch3x3dbl_3b", 384, 384, [3, 1])]),
      InceptionBranch(pool: pool, units: [unit("branch_pool", input, 192)]),
    ])
  }
}
