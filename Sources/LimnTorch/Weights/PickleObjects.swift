// The few classes and functions that a file of tensors names, and what their arguments must be.

enum PickleObjects {
  static func isKnown(_ name: String) -> Bool {
    storages[name] != nil || rebuilders.contains(name) || name == "collections.OrderedDict"
  }

  private static let rebuilders: Set<String> = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
  ]

  private static let storages: [String: DType] = [
    "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ShortStorage": .int16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8,
    "torch.BoolStorage": .bool,
  ]

  /// ('storage', type, key, device, count) and, before PyTorch 1.6, None for "no view".
  static func storage(_ value: PickleValue) throws -> PickleStorage {
    guard case .tuple(let parts, _) = value, parts.count >= 5, case .text("storage") = parts[0],
      case .name(let type) = parts[1], let dtype = storages[type], case .text(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else { throw FileProblem("a damaged pickle: a storage that cannot be read") }
    if parts.count > 5 {
      guard case .none = parts[5] else { throw FileProblem("it holds views of storages, of PyTorch 0.3") }
    }
    return PickleStorage(key: key, dtype: dtype, count: count)
  }

  /// The tensor that a function of `torch._utils` would build.
  static func tensor(_ function: String, _ arguments: [PickleValue]) throws -> PickleTensor {
    if function == "torch._utils._rebuild_parameter", case .tensor(let tensor)? = arguments.first {
      return tensor
    }
    guard rebuilders.contains(function), arguments.count >= 4, case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3]), strides.count == shape.count
    else { throw FileProblem("a damaged pickle: a tensor that cannot be read") }
    let tensor = PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
    guard liesWithin(tensor) else {
      throw FileProblem(
        "a tensor of shape \(shape) and strides \(strides) beyond its \(storage.count) numbers")
    }
    return tensor
  }

  /// A list's or tuple's two items, key and value.
  static func pair(_ value: PickleValue) throws -> [PickleValue] {
    let items: [PickleValue]
    switch value {
    case .tuple(let parts, _): items = parts
    case .collection(let list): items = list.items.map(\.value)
    default: items = []
    }
    guard items.count == 2 else { throw FileProblem("a damaged pickle: an entry that is no pair") }
    return items
  }

  private static func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let parts, _) = value, parts.count <= 16 else { return nil }
    let numbers = parts.compactMap { if case .integer(let number) = $0 { number } else { nil } }
    return numbers.count == parts.count ? numbers : nil
  }

  /// Whether each element has a place of its own within the storage.
  private static func liesWithin(_ tensor: PickleTensor) -> Bool {
    guard let count = elementCount(tensor.shape), count <= tensor.storage.count, tensor.offset >= 0,
      tensor.strides.allSatisfy({ $0 >= 0 })
    else { return false }
    guard count > 0 else { return true }
    var last = tensor.offset
    for (length, stride) in zip(tensor.shape, tensor.strides) {
      let (distance, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, tooFar) = last.addingReportingOverflow(distance)
      guard !overflow, !tooFar else { return false }
      last = sum
    }
    return last < tensor.storage.count
  }
}
