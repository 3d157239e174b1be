// Calling libtorch's operators by name. Adding an operator is one line of Swift over `torch(_:_:)`.

import CTorch
import Synchronization

/// An argument of an operator.
public enum OperatorArgument: Sendable {
  case none
  case tensor(Tensor)
  case int(Int)
  case double(Double)
  case bool(Bool)
  case string(String)
  case ints([Int])
  case doubles([Double])
  case bools([Bool])
  case tensors([Tensor])
  case optionalTensors([Tensor?])
  case device(Device)
  case generator(Generator)

  static func tensor(_ value: Tensor?) -> OperatorArgument { value.map { .tensor($0) } ?? .none }
  static func generator(_ value: Generator?) -> OperatorArgument { value.map { .generator($0) } ?? .none }
  static func dtype(_ value: DType?) -> OperatorArgument { value.map { .int(Int($0.rawValue)) } ?? .none }
  static func int(_ value: Int?) -> OperatorArgument { value.map { .int($0) } ?? .none }
  static func double(_ value: Double?) -> OperatorArgument { value.map { .double($0) } ?? .none }
  static func ints(_ value: [Int]?) -> OperatorArgument { value.map { .ints($0) } ?? .none }
}

/// A result of an operator.
enum OperatorResult {
  case none
  case tensor(Tensor)
  case int(Int)
  case double(Double)
  case bool(Bool)
  case tensors([Tensor])
}

/// A handle to an operator; looked up once, kept for the life of the process.
struct Operator: Sendable {
  // An entry of libtorch's dispatcher, which is never taken away.
  nonisolated(unsafe) let handle: ct_operator
  let name: String

  private static let known = Mutex<[UInt: Operator]>([:])
  private static let knownByName = Mutex<[String: Operator]>([:])

  /// `name` is the schema's without the `aten::`, with its overload after a dot: `add.Tensor`.
  static func named(_ name: StaticString) throws -> Operator {
    let key = UInt(bitPattern: name.utf8Start)
    if let found = known.withLock({ $0[key] }) { return found }
    let found = try find("aten::\(name)")
    known.withLock { $0[key] = found }
    return found
  }

  /// `name` is the schema's, with its overload: `aten::add.Tensor`.
  static func find(_ name: String) throws -> Operator {
    if let found = knownByName.withLock({ $0[name] }) { return found }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    guard let handle = ct_operator_find(parts[0], parts.count > 1 ? parts[1] : "") else {
      throw Torch.lastError(name)
    }
    let found = Operator(handle: handle, name: name)
    knownByName.withLock { $0[name] = found }
    return found
  }

  func call(_ arguments: [OperatorArgument]) throws -> [OperatorResult] {
    var lists = ArgumentLists()
    let values = arguments.map { lists.value(of: $0) }
    defer { lists.free() }
    return try withUnsafeTemporaryAllocation(of: ct_value.self, capacity: 8) { results in
      var count: Int32 = 0
      let succeeded = ct_operator_call(
        handle, values, Int32(values.count), results.baseAddress, Int32(results.count), &count)
      // The handles in `values` are borrowed from `arguments`.
      withExtendedLifetime(arguments) {}
      guard succeeded else {
        throw Torch.lastError(name, arguments.map(describe).joined(separator: ", "))
      }
      return (0..<Int(count)).map { OperatorResult(results[$0]) }
    }
  }
}

/// The C arrays behind list arguments, alive for the length of one call.
private struct ArgumentLists {
  private var buffers: [UnsafeMutableRawBufferPointer] = []

  mutating func value(of argument: OperatorArgument) -> ct_value {
    switch argument {
    case .none: ct_value(kind: CT_NONE, integer: 0, real: 0, pointer: nil, count: 0)
    case .tensor(let tensor): ct_value(kind: CT_TENSOR, integer: 0, real: 0, pointer: tensor.handle, count: 0)
    case .int(let value): ct_value(kind: CT_INT, integer: Int64(value), real: 0, pointer: nil, count: 0)
    case .double(let value): ct_value(kind: CT_DOUBLE, integer: 0, real: value, pointer: nil, count: 0)
    case .bool(let value): ct_value(kind: CT_BOOL, integer: value ? 1 : 0, real: 0, pointer: nil, count: 0)
    case .string(let value): list(CT_STRING, Array(value.utf8))
    case .ints(let values): list(CT_INTS, values.map(Int64.init))
    case .doubles(let values): list(CT_DOUBLES, values)
    case .bools(let values): list(CT_BOOLS, values)
    case .tensors(let values): list(CT_TENSORS, values.map { Optional($0.handle) })
    case .optionalTensors(let values): list(CT_OPTIONAL_TENSORS, values.map { $0?.handle })
    case .device(let value):
      ct_value(
        kind: CT_DEVICE, integer: Int64(value.kind.rawValue), real: 0, pointer: nil, count: Int64(value.index)
      )
    case .generator(let value):
      ct_value(kind: CT_GENERATOR, integer: 0, real: 0, pointer: value.handle, count: 0)
    }
  }

  private mutating func list<T>(_ kind: ct_kind, _ values: [T]) -> ct_value {
    let bytes = values.count * MemoryLayout<T>.stride
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes, 1), alignment: 8)
    values.withUnsafeBytes { buffer.copyMemory(from: $0) }
    buffers.append(buffer)
    return ct_value(
      kind: kind, integer: 0, real: 0, pointer: UnsafeRawPointer(buffer.baseAddress),
      count: Int64(values.count))
  }

  func free() { buffers.forEach { $0.deallocate() } }
}

extension OperatorResult {
  fileprivate init(_ value: ct_value) {
    switch value.kind {
    case CT_TENSOR: self = value.pointer.map { .tensor(Tensor(owning: $0)) } ?? .none
    case CT_INT: self = .int(Int(value.integer))
    case CT_DOUBLE: self = .double(value.real)
    case CT_BOOL: self = .bool(value.integer != 0)
    case CT_TENSORS: self = .tensors(Self.tensors(value))
    default: self = .none
    }
  }

  private static func tensors(_ value: ct_value) -> [Tensor] {
    guard let first = value.pointer?.assumingMemoryBound(to: ct_tensor.self) else { return [] }
    defer { ct_free(first) }
    return (0..<Int(value.count)).map { Tensor(owning: first[$0]) }
  }

  var tensors: [Tensor] {
    switch self {
    case .tensor(let tensor): [tensor]
    case .tensors(let tensors): tensors
    default: []
    }
  }
}

private func describe(_ argument: OperatorArgument) -> String {
  switch argument {
  case .none: "none"
  case .tensor(let tensor): tensor.summary
  case .int(let value): "\(value)"
  case .double(let value): "\(value)"
  case .bool(let value): "\(value)"
  case .string(let value): "\"\(value)\""
  case .ints(let values): "\(values)"
  case .doubles(let values): "\(values)"
  case .bools(let values): "\(values)"
  case .tensors(let values): "[" + values.map(\.summary).joined(separator: ", ") + "]"
  case .optionalTensors(let values): "[" + values.map { $0?.summary ?? "none" }.joined(separator: ", ") + "]"
  case .device(let value): value.description
  case .generator: "generator"
  }
}

// MARK: - The calls

/// Calls an operator that gives one tensor. A failure is a programmer's error and stops the process, see
/// ``Torch/onFailure(_:)``.
func torch(_ name: StaticString, _ arguments: OperatorArgument...) -> Tensor { torch(name, arguments) }

func torch(_ name: StaticString, _ arguments: [OperatorArgument]) -> Tensor {
  let results = run(name, arguments)
  guard let first = results.first?.tensors.first else {
    Torch.fail(TorchError(operation: "aten::\(name)", arguments: "", reason: "gave no tensor"))
  }
  return first
}

/// Calls an operator that gives several tensors, or a list of them.
func torchTensors(_ name: StaticString, _ arguments: OperatorArgument...) -> [Tensor] {
  run(name, arguments).flatMap(\.tensors)
}

/// Calls an operator for its effect.
func torchEffect(_ name: StaticString, _ arguments: OperatorArgument...) { _ = run(name, arguments) }

/// Calls an operator that gives a number.
func torchNumber(_ name: StaticString, _ arguments: OperatorArgument...) -> Double {
  switch run(name, arguments).first {
  case .int(let value): Double(value)
  case .double(let value): value
  case .bool(let value): value ? 1 : 0
  default: .nan
  }
}

private func run(_ name: StaticString, _ arguments: [OperatorArgument]) -> [OperatorResult] {
  do {
    return try Operator.named(name).call(arguments)
  } catch let error as TorchError {
    Torch.fail(error)
  } catch {
    Torch.fail(TorchError(operation: "aten::\(name)", arguments: "", reason: "\(error)"))
  }
}

extension Torch {
  /// Calls any operator of libtorch by its schema name, such as `aten::add.Tensor`.
  ///
  /// Arguments missing at the end take the schema's defaults.
  /// - Returns: the tensors among the results, in order.
  /// - Throws: ``TorchError`` with the operator, its arguments' shapes and libtorch's reason.
  public static func call(_ name: String, _ arguments: OperatorArgument...) throws -> [Tensor] {
    try Operator.find(name).call(arguments).flatMap(\.tensors)
  }
}
