// The tensor: a handle to libtorch's, with reference semantics.

import CTorch

/// An n-dimensional array with autograd, on the CPU or a GPU.
///
/// A `Tensor` is a reference: two variables may name the same data. Operators give new tensors; what changes
/// a tensor in place is a verb (`fill(_:)`, `copy(from:)`). An operator that fails stops the process with one
/// line naming the operator, its arguments' shapes and libtorch's reason, as an array index out of range
/// does; ``Torch/call(_:_:)`` throws instead.
public class Tensor: @unchecked Sendable {
  let handle: ct_tensor

  /// Takes over a handle from C.
  init(owning handle: UnsafeRawPointer) { self.handle = UnsafeMutableRawPointer(mutating: handle) }

  /// A second reference to the same libtorch tensor.
  init(sharing other: Tensor) { handle = ct_tensor_retain(other.handle) }

  deinit { ct_tensor_release(handle) }

  /// The length of each axis.
  public var shape: [Int] {
    let dimensions = Int(ct_tensor_dimensions(handle))
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: Swift.max(dimensions, 1)) { buffer in
      ct_tensor_shape(handle, buffer.baseAddress)
      return (0..<dimensions).map { Int(buffer[$0]) }
    }
  }

  /// Elements between neighbours along each axis.
  public var strides: [Int] {
    let dimensions = Int(ct_tensor_dimensions(handle))
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: Swift.max(dimensions, 1)) { buffer in
      ct_tensor_strides(handle, buffer.baseAddress)
      return (0..<dimensions).map { Int(buffer[$0]) }
    }
  }

  /// The number of axes.
  public var rank: Int { Int(ct_tensor_dimensions(handle)) }

  /// The number of elements.
  public var count: Int { Int(ct_tensor_count(handle)) }

  /// The length of one axis; negative counts from the last.
  public func size(_ dim: Int) -> Int {
    let shape = shape
    return shape[dim < 0 ? dim + shape.count : dim]
  }

  /// The type of the elements.
  public var dtype: DType {
    let raw = ct_tensor_dtype(handle)
    guard let dtype = DType(rawValue: raw) else {
      Torch.fail(
        TorchError(
          operation: "dtype", arguments: "", reason: "element type \(raw) has no counterpart in Limn"))
    }
    return dtype
  }

  /// Where the elements lie.
  public var device: Device {
    var kind: Int32 = 0
    var index: Int32 = 0
    ct_tensor_device(handle, &kind, &index)
    return Device(kind: Device.Kind(rawValue: kind) ?? .cpu, index: Int(index))
  }

  /// Whether the elements lie in the order of the axes, last fastest, without gaps.
  public var isContiguous: Bool { ct_tensor_is_contiguous(handle) }

  /// Whether both names stand for one libtorch tensor.
  public func isSame(as other: Tensor) -> Bool { ct_tensor_is_same(handle, other.handle) }

  /// Type and shape in short, such as `float32[2, 3]`.
  public var summary: String { "\(dtype)\(shape)" }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    guard count <= 64 else { return "Tensor(\(summary), \(device))" }
    return "Tensor(\(summary), \(to(.float64).to(.cpu).array(of: Double.self)))"
  }
}

/// A tensor that training changes: a module's weight.
public final class Parameter: Tensor, @unchecked Sendable {
  /// Makes a leaf that asks for gradients, over the data of `tensor`.
  public init(_ tensor: Tensor) {
    super.init(sharing: tensor.detached())
    requiresGrad = true
  }
}

/// A tensor that belongs to a module's state but is not trained, such as running statistics.
public final class Buffer: Tensor, @unchecked Sendable {
  /// Makes a buffer over the data of `tensor`.
  public init(_ tensor: Tensor) { super.init(sharing: tensor.detached()) }
}
