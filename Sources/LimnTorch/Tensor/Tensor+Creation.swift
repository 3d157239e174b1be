// Making tensors: from Swift numbers, from constants, from random generators.

import CTorch

extension Tensor {
  /// Copies Swift numbers, last axis fastest.
  public convenience init<Element: TensorElement>(_ elements: [Element], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill the shape \(shape)")
    let empty = torch("empty.memory_format", .ints(shape), .dtype(Element.dtype))
    elements.withUnsafeBytes { source in
      guard let address = source.baseAddress, source.count > 0 else { return }
      ct_tensor_data(empty.handle)?.copyMemory(from: address, byteCount: source.count)
    }
    self.init(sharing: empty)
  }

  /// Copies Swift numbers into one axis.
  public convenience init<Element: TensorElement>(_ elements: [Element]) {
    self.init(elements, shape: [elements.count])
  }

  /// A tensor without axes that holds one number.
  public convenience init<Element: TensorElement>(_ scalar: Element) { self.init([scalar], shape: []) }

  /// Zeros of a shape.
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    torch("zeros", .ints(shape), .dtype(dtype), .none, .device(device))
  }

  /// Ones of a shape.
  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    torch("ones", .ints(shape), .dtype(dtype), .none, .device(device))
  }

  /// A shape filled with one value.
  public static func full(
    _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    torch("full", .ints(shape), .double(value), .dtype(dtype), .none, .device(device))
  }

  /// Memory of a shape whose values are not set.
  public static func empty(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    torch("empty.memory_format", .ints(shape), .dtype(dtype), .none, .device(device))
  }

  /// The integers `0 ..< count`, or `start ..< end` in steps.
  public static func arange(_ count: Int, dtype: DType = .int64, device: Device = .cpu) -> Tensor {
    torch("arange", .int(count), .dtype(dtype), .none, .device(device))
  }

  /// The numbers from `start` up to but not including `end`.
  public static func arange(
    _ start: Double, _ end: Double, step: Double = 1, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    torch(
      "arange.start_step", .double(start), .double(end), .double(step), .dtype(dtype), .none, .device(device))
  }

  /// `count` numbers from `start` to `end`, both included.
  public static func linspace(
    _ start: Double, _ end: Double, count: Int, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    torch("linspace", .double(start), .double(end), .int(count), .dtype(dtype), .none, .device(device))
  }

  /// The identity matrix, [n, n].
  public static func eye(_ n: Int, dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    torch("eye", .int(n), .dtype(dtype), .none, .device(device))
  }

  /// Standard normal numbers.
  public static func randn(_ shape: [Int], dtype: DType = .float32, generator: Generator) -> Tensor {
    torch(
      "randn.generator", .ints(shape), .generator(generator), .dtype(dtype), .none, .device(generator.device))
  }

  /// Uniform numbers in [0, 1).
  public static func rand(_ shape: [Int], dtype: DType = .float32, generator: Generator) -> Tensor {
    torch(
      "rand.generator", .ints(shape), .generator(generator), .dtype(dtype), .none, .device(generator.device))
  }

  /// Uniform integers in `low ..< high`.
  public static func randint(_ low: Int, _ high: Int, _ shape: [Int], generator: Generator) -> Tensor {
    torch(
      "randint.low_generator", .int(low), .int(high), .ints(shape), .generator(generator),
      .dtype(.int64), .none, .device(generator.device))
  }

  /// The integers `0 ..< n` in random order.
  public static func randperm(_ n: Int, generator: Generator) -> Tensor {
    torch(
      "randperm.generator", .int(n), .generator(generator), .dtype(.int64), .none, .device(generator.device))
  }

  /// Joins tensors of one shape along a new axis.
  public static func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    torch("stack", .tensors(tensors), .int(dim))
  }

  /// Joins tensors along an axis they have.
  public static func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    torch("cat", .tensors(tensors), .int(dim))
  }

  /// Zeros of this shape, type and device.
  public func zerosLike() -> Tensor { torch("zeros_like", .tensor(self)) }
  /// Ones of this shape, type and device.
  public func onesLike() -> Tensor { torch("ones_like", .tensor(self)) }
}
