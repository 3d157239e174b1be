// Element types and devices, numbered as libtorch numbers them.

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, CaseIterable, Codable {
  case uint8 = 0
  case int8 = 1
  case int16 = 2
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15
  case uint16 = 27

  /// Bytes an element takes.
  public var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether the type holds fractions.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }
}

/// A Swift number that a tensor can hold.
public protocol TensorElement: Sendable {
  static var dtype: DType { get }
}

extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Int8: TensorElement { public static var dtype: DType { .int8 } }
extension Int16: TensorElement { public static var dtype: DType { .int16 } }
extension UInt16: TensorElement { public static var dtype: DType { .uint16 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Int: TensorElement { public static var dtype: DType { .int64 } }
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }

/// Where a tensor lives: the CPU, or one CUDA GPU.
public struct Device: Sendable, Hashable, CustomStringConvertible {
  /// What kind of processor.
  public enum Kind: Int32, Sendable { case cpu = 0, cuda = 1 }

  /// CPU or GPU.
  public let kind: Kind
  /// The GPU's number; -1 on the CPU.
  public let index: Int

  /// The CPU.
  public static let cpu = Device(kind: .cpu, index: -1)

  /// A GPU by its number.
  public static func cuda(_ index: Int = 0) -> Device { Device(kind: .cuda, index: index) }

  init(kind: Kind, index: Int) {
    self.kind = kind
    self.index = index
  }

  /// Reads `cpu`, `cuda` or `cuda:1`; nil for anything else.
  public init?(_ text: String) {
    switch text.split(separator: ":", omittingEmptySubsequences: false).map(String.init) {
    case ["cpu"]: self = .cpu
    case ["cuda"]: self = .cuda(0)
    case let parts where parts.count == 2 && parts[0] == "cuda":
      guard let index = Int(parts[1]), index >= 0 else { return nil }
      self = .cuda(index)
    default: return nil
    }
  }

  /// `cpu` or `cuda:1`.
  public var description: String { kind == .cpu ? "cpu" : "cuda:\(index)" }
}
