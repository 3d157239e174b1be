// A pickle machine that can build dictionaries of tensors and nothing else.
//
// libtorch's own unpickler gives nothing for the OrderedDict that every published file is, does not know the
// format of before PyTorch 1.6, and trusts the sizes that a file states; hence this one, of few instructions.

/// What the machine can build.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  /// `depth` counts the tuples within tuples.
  case tuple([PickleValue], depth: Int)
  case collection(PickleCollection)
  /// A class or function that the machine knows, by its qualified name.
  case name(String)
  case storage(PickleStorage)
  case tensor(PickleTensor)

  /// What a person would call it.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool, .integer, .real: "a number"
    case .text: "a text"
    case .tuple: "a tuple"
    case .collection(let collection): collection.isList ? "a list" : "a dictionary"
    case .name(let name): "the class \(name)"
    case .storage: "a bare storage"
    case .tensor: "a tensor"
    }
  }
}

/// A list or dictionary: an object that instructions change after others have taken hold of it.
final class PickleCollection {
  let isList: Bool
  /// A list's items have no key.
  var items: [(key: PickleValue, value: PickleValue)] = []

  init(isList: Bool) { self.isList = isList }
}

/// Numbers that lie elsewhere in the file.
struct PickleStorage {
  let key: String
  let dtype: DType
  let count: Int
}

/// A view of a storage, as PyTorch describes it.
struct PickleTensor {
  let storage: PickleStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// Runs one pickle (protocols 2 to 5) over an allow-list of classes; anything else is refused by its name.
struct Unpickler {
  private var cursor: ByteCursor
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var collections: [PickleCollection] = []

  /// Real files take some thirty instructions for a tensor.
  private static let mostInstructions = 1_000_000
  private static let deepestTuple = 64

  init(_ cursor: ByteCursor) { self.cursor = cursor }

  /// Runs to the end of one pickle, and lends its value to `body` before the value is taken apart.
  /// - Returns: what `body` gives, and where the pickle ended.
  static func run<R>(_ cursor: ByteCursor, _ body: (PickleValue) throws -> R) throws -> (R, end: Int) {
    var machine = Unpickler(cursor)
    // A collection may hold itself, and a chain of them be longer than any stack: they are emptied one by one.
    defer { for collection in machine.collections { collection.items = [] } }
    let value = try machine.value()
    return (try body(value), machine.cursor.position)
  }

  private mutating func value() throws -> PickleValue {
    for _ in 0..<Self.mostInstructions {
      let instruction = try cursor.byte()
      if instruction == UInt8(ascii: ".") { return try pop() }
      if try !constant(instruction), try !container(instruction) { try object(instruction) }
    }
    throw FileProblem("a pickle of more than \(Self.mostInstructions) instructions")
  }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw FileProblem("a damaged pickle: an instruction lacks its operand")
    }
    return value
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw FileProblem("a damaged pickle: a mark is missing") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  // MARK: - Numbers, texts, and what was seen before

  private mutating func constant(_ instruction: UInt8) throws -> Bool {
    switch instruction {
    case 0x80: _ = try cursor.byte()  // protocol
    case 0x95: _ = try cursor.skip(8)  // frame
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "J"): stack.append(.integer(try cursor.number(Int32.self)))
    case UInt8(ascii: "K"): stack.append(.integer(try cursor.number(UInt8.self)))
    case UInt8(ascii: "M"): stack.append(.integer(try cursor.number(UInt16.self)))
    case 0x8A: stack.append(.integer(try longInteger()))
    case UInt8(ascii: "G"): stack.append(.real(try bigEndianReal()))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try text(cursor.number(UInt32.self))
    case 0x8C, UInt8(ascii: "U"): try text(cursor.number(UInt8.self))
    case UInt8(ascii: "q"): memo[try cursor.number(UInt8.self)] = try top()
    case UInt8(ascii: "r"): memo[try cursor.number(UInt32.self)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(cursor.number(UInt8.self))
    case UInt8(ascii: "j"): try recall(cursor.number(UInt32.self))
    default: return false
    }
    return true
  }

  private mutating func text(_ count: Int) throws { stack.append(.text(try cursor.text(count))) }

  private func top() throws -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.last else {
      throw FileProblem("a damaged pickle: nothing to remember")
    }
    return value
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw FileProblem("a damaged pickle: it recalls what it never had") }
    stack.append(value)
  }

  private mutating func longInteger() throws -> Int {
    let count = try cursor.number(UInt8.self)
    guard count <= 8 else { throw FileProblem("a number of \(count) bytes") }
    let bytes = try (0..<count).map { _ in try cursor.byte() }
    let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
    let padded = bytes + [UInt8](repeating: isNegative ? 0xFF : 0, count: 8 - count)
    return padded.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func bigEndianReal() throws -> Double {
    let bits = try (0..<8).reduce(UInt64(0)) { bits, _ in bits << 8 | UInt64(try cursor.byte()) }
    return Double(bitPattern: bits)
  }

  // MARK: - Containers

  private mutating func container(_ instruction: UInt8) throws -> Bool {
    switch instruction {
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): try pushTuple([])
    case 0x85, 0x86, 0x87:
      let count = Int(instruction) - 0x84
      try pushTuple(try (0..<count).map { _ in try pop() }.reversed())
    case UInt8(ascii: "t"): try pushTuple(try popToMark())
    case UInt8(ascii: "}"): pushCollection(isList: false)
    case UInt8(ascii: "]"): pushCollection(isList: true)
    case UInt8(ascii: "a"): try append([pop()])
    case UInt8(ascii: "e"): try append(popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try insert([try pop(), value])
    case UInt8(ascii: "u"): try insert(try popToMark())
    default: return false
    }
    return true
  }

  private mutating func pushTuple(_ items: [PickleValue]) throws {
    let depths = items.map { if case .tuple(_, let depth) = $0 { depth } else { 0 } }
    let depth = 1 + (depths.max() ?? 0)
    guard depth <= Self.deepestTuple else { throw FileProblem("tuples nested more than 64 levels deep") }
    stack.append(.tuple(items, depth: depth))
  }

  private mutating func pushCollection(isList: Bool) {
    let collection = PickleCollection(isList: isList)
    collections.append(collection)
    stack.append(.collection(collection))
  }

  private mutating func append(_ values: [PickleValue]) throws {
    guard case .collection(let list) = try top(), list.isList else {
      throw FileProblem("a damaged pickle: an item without its list")
    }
    list.items += values.map { (.none, $0) }
  }

  private mutating func insert(_ values: [PickleValue]) throws {
    guard case .collection(let dictionary) = try top(), !dictionary.isList, values.count % 2 == 0 else {
      throw FileProblem("a damaged pickle: an entry without its dictionary")
    }
    dictionary.items += stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  // MARK: - Objects

  private mutating func object(_ instruction: UInt8) throws {
    switch instruction {
    case UInt8(ascii: "c"): try pushName(try cursor.line() + "." + cursor.line())
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw FileProblem("a damaged pickle: a class without a name")
      }
      try pushName("\(module).\(name)")
    case UInt8(ascii: "Q"): stack.append(.storage(try PickleObjects.storage(try pop())))
    case UInt8(ascii: "R"):
      let arguments = try pop()
      try reduce(try pop(), arguments)
    case UInt8(ascii: "b"):
      // Attributes beside a dictionary's entries, such as PyTorch's `_metadata`.
      _ = try pop()
      guard case .collection = try top() else { throw FileProblem("it holds an object with attributes") }
    default:
      let code = String(instruction, radix: 16)
      throw FileProblem("it holds what only Python can build (pickle instruction 0x\(code))")
    }
  }

  private mutating func pushName(_ name: String) throws {
    guard PickleObjects.isKnown(name) else {
      throw FileProblem(
        "it holds an object of class \(name); only tensors in dictionaries are read. "
          + "In Python, save the state dictionary alone: torch.save(model.state_dict(), FILE)")
    }
    stack.append(.name(name))
  }

  private mutating func reduce(_ function: PickleValue, _ arguments: PickleValue) throws {
    guard case .name(let name) = function, case .tuple(let arguments, _) = arguments else {
      throw FileProblem("a damaged pickle: \(function.kind) is called")
    }
    guard name == "collections.OrderedDict" else {
      return stack.append(.tensor(try PickleObjects.tensor(name, arguments)))
    }
    pushCollection(isList: false)
    if case .collection(let pairs)? = arguments.first {
      try insert(try pairs.items.flatMap { try PickleObjects.pair($0.value) })
    }
  }
}
