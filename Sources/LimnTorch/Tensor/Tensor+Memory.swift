// The bytes behind a tensor: reading them, wrapping memory without a copy, moving between types and devices.

import CTorch

extension Tensor {
  /// The only element, as a Double.
  public func item() -> Double {
    precondition(count == 1, "item() needs one element; this tensor is \(summary)")
    return to(.float64).to(.cpu).array(of: Double.self)[0]
  }

  /// Copies the elements, last axis fastest. The element type must be the tensor's.
  public func array<Element: TensorElement>(of type: Element.Type) -> [Element] {
    precondition(dtype == Element.dtype, "the tensor holds \(dtype), not \(Element.dtype)")
    return withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
  }

  /// Lends the elements' bytes, last axis fastest. Copies first where the tensor is not contiguous on the
  /// CPU.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let source = to(.cpu).contiguous()
    let bytes = UnsafeRawBufferPointer(start: ct_tensor_data(source.handle), count: source.count * dtype.size)
    defer { withExtendedLifetime(source) {} }
    return try body(bytes)
  }

  /// Lends the bytes for writing. The tensor must be contiguous and on the CPU.
  public func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    precondition(isContiguous && device == .cpu, "only a contiguous CPU tensor can be written to directly")
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeMutableRawBufferPointer(start: ct_tensor_data(handle), count: count * dtype.size))
  }

  /// A tensor over memory that someone else owns; nothing is copied.
  /// - Parameters:
  ///   - memory: at least as many bytes as the shape needs, valid as long as `owner` lives.
  ///   - shape: of the tensor, row-major.
  ///   - dtype: of the elements in memory.
  ///   - owner: kept alive until the last tensor over this memory is gone.
  /// - Returns: a tensor that reads and writes this memory.
  public static func wrapping(
    _ memory: UnsafeMutableRawPointer, shape: [Int], dtype: DType, owner: AnyObject
  ) -> Tensor {
    let retained = Unmanaged.passRetained(owner).toOpaque()
    let handle = ct_tensor_from_memory(
      memory, shape.map(Int64.init), Int32(shape.count), dtype.rawValue, retained
    ) { owner in
      if let owner { Unmanaged<AnyObject>.fromOpaque(owner).release() }
    }
    guard let handle else { Torch.fail(Torch.lastError("from_blob", "\(dtype)\(shape)")) }
    return Tensor(owning: handle)
  }

  /// The same values in another element type; itself where it has it.
  public func to(_ dtype: DType) -> Tensor {
    self.dtype == dtype ? self : torch("to.dtype", .tensor(self), .dtype(dtype))
  }

  /// The same values in float32, where they are of a lower precision; what losses are computed from.
  public var atLeastFloat32: Tensor { dtype == .float64 ? self : to(.float32) }

  /// The same values on another device; itself where it is there.
  public func to(_ device: Device) -> Tensor {
    self.device == device
      ? self : torch("to.device", .tensor(self), .device(device), .dtype(dtype))
  }

  /// The order in which an image tensor's axes lie in memory.
  public enum MemoryFormat: Int, Sendable {
    case contiguous = 0
    /// [N, C, H, W] with the channels fastest.
    case channelsLast = 2
    /// [N, C, D, H, W] with the channels fastest.
    case channelsLast3d = 3
  }

  /// Whether this is [N, C, H, W] with the channels fastest, and not the usual order as well.
  public var isChannelsLast: Bool {
    rank == 4 && size(1) > 1 && size(2) * size(3) > 1 && strides[1] == 1 && strides[3] == size(1)
  }

  /// The same values, laid out in `format`; itself where it is so already.
  public func contiguous(_ format: MemoryFormat = .contiguous) -> Tensor {
    torch("contiguous", .tensor(self), .int(format.rawValue))
  }

  /// The same values, laid out in `format`, while gradients come back in the layout that this tensor has, [N, C, H, W].
  ///
  /// `contiguous` hands gradients on as they come, so that every layer before it would work in two layouts.
  public func relaid(_ format: MemoryFormat) -> Tensor {
    // A view that merges axes has a gradient of one layout only, which is this tensor's.
    guard isChannelsLast else {
      return reshaped([size(0), size(1) * size(2), size(3)]).reshaped(shape).contiguous(format)
    }
    let rows = permuted([0, 2, 3, 1])
    let merged = rows.reshaped([size(0), size(2), size(3) * size(1)]).reshaped(rows.shape)
    return merged.permuted([0, 3, 1, 2]).contiguous(format)
  }

  /// A copy with data of its own.
  public func cloned() -> Tensor { torch("clone", .tensor(self)) }

  /// Sets every element.
  public func fill(_ value: Double) { torchEffect("fill_.Scalar", .tensor(self), .double(value)) }

  /// Takes over the values of a tensor of the same shape (broadcast where needed).
  public func copy(from source: Tensor) { torchEffect("copy_", .tensor(self), .tensor(source)) }

  /// Adds `scale · other` in place.
  public func add(_ other: Tensor, scaledBy scale: Double = 1) {
    torchEffect("add_.Tensor", .tensor(self), .tensor(other), .double(scale))
  }

  /// Becomes `share · self + a · b` in its own memory, for matrices; with a share of 0 whatever it held is
  /// forgotten, NaN too.
  public func addProduct(of a: Tensor, _ b: Tensor, keeping share: Double = 1) {
    torchEffect("addmm_", .tensor(self), .tensor(a), .tensor(b), .double(share), .double(1))
  }

  /// Multiplies in place.
  public func multiply(by factor: Double) { torchEffect("mul_.Scalar", .tensor(self), .double(factor)) }

  /// Moves towards `other` in place: self + weight · (other − self).
  public func interpolate(towards other: Tensor, weight: Double) {
    torchEffect("lerp_.Scalar", .tensor(self), .tensor(other), .double(weight))
  }

  /// Makes this tensor stand for its data on another device, in another layout or type, while staying the
  /// same object; its accumulated gradient goes with it.
  func replaceData(_ change: (Tensor) -> Tensor) {
    let data = change(detached())
    let changedGradient = gradient.map { change($0.detached()) }
    gradient = nil
    Torch.check(ct_tensor_set_data(handle, data.handle), "set_data", "\(summary), \(data.summary)")
    gradient = changedGradient
  }
}
