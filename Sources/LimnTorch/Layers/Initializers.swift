// How weights begin. Each initialiser fills a tensor in place from a generator.

/// A rule that fills a weight.
public struct Initializer: Sendable {
  let fill: @Sendable (_ weight: Tensor, _ generator: Generator) -> Void

  /// A rule of your own; `fill` is called without a graph.
  public init(_ fill: @escaping @Sendable (_ weight: Tensor, _ generator: Generator) -> Void) {
    self.fill = fill
  }

  /// Fills `weight` in place.
  public func callAsFunction(_ weight: Tensor, generator: Generator) {
    withoutGradients { fill(weight, generator) }
  }

  /// One value everywhere.
  public static func constant(_ value: Double) -> Initializer {
    Initializer { weight, _ in weight.fill(value) }
  }

  /// N(mean, std²).
  public static func normal(mean: Double = 0, std: Double = 1) -> Initializer {
    Initializer { weight, generator in
      torchEffect("normal_", .tensor(weight), .double(mean), .double(std), .generator(generator))
    }
  }

  /// U(low, high).
  public static func uniform(_ low: Double, _ high: Double) -> Initializer {
    Initializer { weight, generator in
      torchEffect("uniform_", .tensor(weight), .double(low), .double(high), .generator(generator))
    }
  }

  /// He et al. 2015, eq. 10 and 15: N(0, gain² / fan-in) with gain² = 2 / (1 + slope²).
  public static func heNormal(slope: Double = 0) -> Initializer {
    Initializer { weight, generator in
      let std = (2 / (1 + slope * slope) / Double(fans(of: weight).in)).squareRoot()
      Initializer.normal(std: std).fill(weight, generator)
    }
  }

  /// ``heNormal(slope:)``'s variance from a uniform distribution.
  public static func heUniform(slope: Double = 0) -> Initializer {
    Initializer { weight, generator in
      let bound = (6 / (1 + slope * slope) / Double(fans(of: weight).in)).squareRoot()
      Initializer.uniform(-bound, bound).fill(weight, generator)
    }
  }

  /// Glorot & Bengio 2010, eq. 12, as a normal distribution: N(0, 2 / (fan-in + fan-out)).
  public static func xavierNormal(gain: Double = 1) -> Initializer {
    Initializer { weight, generator in
      let fans = fans(of: weight)
      Initializer.normal(std: gain * (2 / Double(fans.in + fans.out)).squareRoot()).fill(weight, generator)
    }
  }

  /// Glorot & Bengio 2010, eq. 16.
  public static func xavierUniform(gain: Double = 1) -> Initializer {
    Initializer { weight, generator in
      let fans = fans(of: weight)
      let bound = gain * (6 / Double(fans.in + fans.out)).squareRoot()
      Initializer.uniform(-bound, bound).fill(weight, generator)
    }
  }

  /// A random matrix with orthonormal rows or columns (Saxe, McClelland & Ganguli 2014).
  public static func orthogonal(gain: Double = 1) -> Initializer {
    Initializer { weight, generator in
      let rows = weight.size(0)
      let columns = weight.count / rows
      let random = Tensor.randn([Swift.max(rows, columns), Swift.min(rows, columns)], generator: generator)
      let (q, r) = random.qr()
      let unique = q * r.diagonal().sign()
      weight.copy(from: (rows < columns ? unique.transposed(0, 1) : unique).reshaped(weight.shape) * gain)
    }
  }

  /// PyTorch's default for the weights and biases of linear and convolution layers: U(±1 / √fan-in).
  public static func torchDefault(fanIn: Int) -> Initializer {
    let bound = 1 / Double(Swift.max(fanIn, 1)).squareRoot()
    return .uniform(-bound, bound)
  }

  /// Values that meet one output, and values that one input meets: of a weight [out, in, k…].
  static func fans(of weight: Tensor) -> (in: Int, out: Int) {
    let shape = weight.shape
    let field = shape.dropFirst(2).reduce(1, *)
    return (in: shape[1] * field, out: shape[0] * field)
  }
}

/// The generator that fills new layers; each module's weights follow from one seed.
public enum Initialization {
  @TaskLocal static var current: Generator?

  /// Builds modules whose weights are drawn from `generator`.
  public static func with<R>(_ generator: Generator, _ build: () throws -> R) rethrows -> R {
    try $current.withValue(generator, operation: build)
  }

  /// What new layers draw from now.
  public static var generator: Generator { current ?? Generator.default(on: .cpu) }
}
