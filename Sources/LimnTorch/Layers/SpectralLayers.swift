// Spectral normalisation (Miyato et al., ICLR 2018, arXiv:1802.05957), under the names of
// torch.nn.utils.spectral_norm.

/// A layer whose weight is divided by its largest singular value σ whenever it is used.
///
/// σ ≈ uᵀ · W · v, where u and v are kept from one forward pass to the next and come closer to the singular vectors
/// by one step of the power iteration in each pass of training (algorithm 1); evaluation leaves them alone. They are
/// constants for the gradient (eq. 11).
public class SpectralLayer: Module {
  /// The weight that is trained, [out, …].
  public let weightOrig: Parameter
  /// Left singular vector, [out].
  public let weightU: Buffer
  /// Right singular vector, [all other axes together].
  public let weightV: Buffer

  /// A weight of `shape` as PyTorch draws it, and random unit vectors.
  init(shape: [Int]) {
    let width = shape.dropFirst().reduce(1, *)
    weightOrig = .initialized(shape, by: .torchDefault(fanIn: width))
    weightU = Buffer(Self.unit(.randn([shape[0]], generator: Initialization.generator)))
    weightV = Buffer(Self.unit(.randn([width], generator: Initialization.generator)))
  }

  /// The weight over its largest singular value, float32, of the shape of ``weightOrig``; while training after one
  /// step of the power iteration.
  public var normalizedWeight: Tensor {
    withAutocast(.float32, device: weightOrig.device) {
      let vectors = isTraining ? iterated() : (u: weightU, v: weightV)
      let sigma = torch("dot", .tensor(vectors.u), .tensor(product(matrix, vectors.v)))
      return weightOrig / sigma
    }
  }

  /// One step of the power iteration, as a forward pass of training takes it.
  public func advance() {
    withAutocast(.float32, device: weightOrig.device) { _ = iterated() }
  }

  private var matrix: Tensor { weightOrig.reshaped([weightOrig.size(0), -1]) }

  /// The new vectors; copies of what is kept, so that a later step leaves this one's graph alone.
  private func iterated() -> (u: Tensor, v: Tensor) {
    withoutGradients {
      let matrix = matrix
      let v = Self.unit(product(matrix.transposed(0, 1), weightU))
      let u = Self.unit(product(matrix, v))
      weightU.copy(from: u)
      weightV.copy(from: v)
      return (u, v)
    }
  }

  private func product(_ matrix: Tensor, _ vector: Tensor) -> Tensor {
    torch("mv", .tensor(matrix), .tensor(vector))
  }

  private static func unit(_ x: Tensor) -> Tensor { x / x.norm().clamped(min: 1e-12) }
}

/// A convolution with spectral normalisation. Weights start as PyTorch's.
public final class SpectralConv2d: SpectralLayer, UnaryLayer {
  /// [out].
  public let bias: Parameter?
  let stride: Int
  let padding: Int

  /// Kernels of `kernelSize`²; stride and padding as in PyTorch.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0,
    bias: Bool = true
  ) {
    let fanIn = inputChannels * kernelSize * kernelSize
    self.bias = bias ? .initialized([outputChannels], by: .torchDefault(fanIn: fanIn)) : nil
    (self.stride, self.padding) = (stride, padding)
    super.init(shape: [outputChannels, inputChannels, kernelSize, kernelSize])
  }

  /// x: [N, in, H, W] → [N, out, H′, W′].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv2d(x, normalizedWeight, bias, stride: stride, padding: padding)
  }
}

/// A linear map with spectral normalisation. Weights start as PyTorch's.
public final class SpectralLinear: SpectralLayer, UnaryLayer {
  /// [out].
  public let bias: Parameter?

  /// Weights and bias as PyTorch draws them.
  public init(inputFeatures: Int, outputFeatures: Int, bias: Bool = true) {
    self.bias = bias ? .initialized([outputFeatures], by: .torchDefault(fanIn: inputFeatures)) : nil
    super.init(shape: [outputFeatures, inputFeatures])
  }

  /// x: [..., in] → [..., out].
  public func callAsFunction(_ x: Tensor) -> Tensor { linear(x, normalizedWeight, bias) }
}
