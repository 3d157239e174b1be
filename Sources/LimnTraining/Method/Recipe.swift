// Recipes: a method's hyper-parameters as a readable file, with unknown keys answered by the nearest valid
// one.

import Foundation
import LimnTorch
import Yams

/// A hyper-parameter's meaning, for `limn methods` and for people.
public struct RecipeKey: Sendable {
  /// With dots for nested recipes: `sketch.learning_rate`.
  public let name: String
  /// One line.
  public let meaning: String
  /// Who says so: the paper's section, the official code, or Limn where the paper leaves it open.
  public let source: String

  /// A key with its meaning and who says so.
  public init(_ name: String, _ meaning: String, source: String) {
    (self.name, self.meaning, self.source) = (name, meaning, source)
  }

  /// The same key inside a nested recipe.
  public func nested(in parent: String) -> RecipeKey {
    RecipeKey("\(parent).\(name)", meaning, source: source)
  }
}

/// The hyper-parameters of a method. Property names become the keys: `learningRate` is `learning_rate`.
public protocol MethodRecipe: Codable, Sendable {
  /// The paper's values.
  init()
  /// Every key with its meaning.
  static var keys: [RecipeKey] { get }
}

/// What is wrong with a recipe, in one line.
public struct RecipeError: Error, CustomStringConvertible, LocalizedError {
  /// One line: what was found, what was expected, what to do.
  public let description: String
  public var errorDescription: String? { description }
  /// Carries one line.
  public init(_ description: String) { self.description = description.asPlainLine }
}

extension MethodRecipe {
  /// The paper's values, overridden by a recipe file's text, then by `key=value` settings.
  /// - Throws: ``RecipeError`` naming an unknown key with the nearest valid one, or a value of the wrong
  ///   type.
  public static func resolved(yaml: String? = nil, settings: [String] = []) throws -> Self {
    var tree = try Self().tree
    let known = keys.map(\.name)
    if let yaml { try tree.overlay(RecipeTree(yaml: yaml), path: [], known: known) }
    for setting in settings { try tree.overlay(RecipeTree(setting: setting), path: [], known: known) }
    return try Self(tree: tree)
  }

  /// The recipe as YAML, keys in alphabetical order.
  public var yaml: String {
    get throws { try Yams.dump(object: readable(tree.object), sortKeys: true) }
  }

  /// The value of a dotted key, as text.
  public func text(of key: String) -> String {
    var node: Any? = (try? tree)?.object
    for part in key.split(separator: ".") { node = (node as? [String: Any])?[String(part)] }
    return node.map { $0 is NSNull ? "null" : "\($0)" } ?? "null"
  }

  private var tree: RecipeTree {
    get throws {
      var tree = try RecipeTree(yaml: YAMLEncoder().encode(self)).mappingKeys(snakeCase)
      // Encoders leave a nil out; here it is a value, and its key is known.
      for key in Self.keys { tree.addNull(at: key.name.split(separator: ".").map(String.init)) }
      return tree
    }
  }

  private init(tree: RecipeTree) throws {
    let text = try Yams.dump(object: tree.mappingKeys(camelCase).object)
    do {
      self = try YAMLDecoder().decode(Self.self, from: text)
    } catch let error as DecodingError {
      throw RecipeError(explanation(error, in: tree))
    }
  }
}

/// A number as people write it: 0.0001, where Yams writes 1e-4.
private struct ReadableNumber: NodeRepresentable {
  let value: Double

  func represented() -> Node { Node("\(value)", Tag(.float)) }
}

/// The same settings with all numbers readable.
private func readable(_ value: Any) -> Any {
  switch value {
  case let group as [String: Any]: group.mapValues(readable)
  case let list as [Any]: list.map(readable)
  case let number as Double: ReadableNumber(value: number)
  default: value
  }
}

/// A nested dictionary of settings.
private struct RecipeTree {
  var object: [String: Any]

  init(_ object: [String: Any]) { self.object = object }

  init(yaml: String) throws {
    let content = try Self.value(yaml, of: "the recipe") ?? [String: Any]()
    guard let found = content as? [String: Any] else {
      throw RecipeError(
        "the recipe is not a list of 'key: value' lines; 'limn methods METHOD' lists the keys")
    }
    object = found
  }

  /// `a.b=value`, with the value read as YAML.
  init(setting: String) throws {
    let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !path.contains("") else {
      throw RecipeError("'\(setting)' is not a setting; expected key=value")
    }
    let value = try Self.value(String(parts[1]), of: "the value of '\(parts[0])'") ?? NSNull()
    var tree: [String: Any] = [path[path.count - 1]: value]
    for part in path.dropLast().reversed() { tree = [part: tree] }
    object = tree
  }

  private static func value(_ yaml: String, of name: String) throws -> Any? {
    let node: Node?
    do { node = try Yams.compose(yaml: yaml) } catch {
      throw RecipeError("\(name) is not YAML: \(oneLine("\(error)"))")
    }
    guard let node else { return nil }
    var room = largest
    try check(node, of: name, room: &room)
    return Constructor.default.any(from: node)
  }

  private static let largest = 10_000

  /// Refuses what the parser would trip over: a list as a key, and aliases of aliases that stand for billions
  /// of values. `room` is how many more values there may be.
  private static func check(_ node: Node, of name: String, room: inout Int) throws {
    room -= 1
    guard room >= 0 else { throw RecipeError("\(name) holds more than \(largest) values; is it a recipe?") }
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping {
        guard key.scalar != nil else {
          throw RecipeError(
            "\(name) has a list or a group where a key should be; expected 'key: value' lines")
        }
        try check(value, of: name, room: &room)
      }
    case .sequence(let list): for value in list { try check(value, of: name, room: &room) }
    case .scalar, .alias: break
    }
  }

  /// Replaces values by those of `other`, which may hold known keys only.
  /// - Parameters:
  ///   - other: the new values.
  ///   - path: the keys above both.
  ///   - known: all keys, with dots, to say which one may have been meant.
  /// - Throws: ``RecipeError`` naming an unknown key, or a group where a value was given.
  mutating func overlay(_ other: RecipeTree, path: [String], known: [String]) throws {
    for (key, value) in other.object {
      guard let present = object[key] else {
        throw Self.unknown(Self.firstLeaf(path + [key], value).joined(separator: "."), known: known)
      }
      if let branch = present as? [String: Any] {
        guard let changes = value as? [String: Any] else {
          throw RecipeError("'\((path + [key]).joined(separator: "."))' is a group of keys, not a value")
        }
        var subtree = RecipeTree(branch)
        try subtree.overlay(RecipeTree(changes), path: path + [key], known: known)
        object[key] = subtree.object
      } else {
        object[key] = value
      }
    }
  }

  /// The first key below a group, or the key itself.
  private static func firstLeaf(_ path: [String], _ value: Any) -> [String] {
    guard let group = value as? [String: Any], let first = group.min(by: { $0.key < $1.key }) else {
      return path
    }
    return firstLeaf(path + [first.key], first.value)
  }

  private static func unknown(_ name: String, known: [String]) -> RecipeError {
    // A key may be misspelt, or right but for the group that it belongs to.
    let endings = known.filter { $0.hasSuffix(".\(name)") }
    let hint = (nearest(to: name, in: known) ?? endings.first).map { "; did you mean '\($0)'?" } ?? "."
    return RecipeError("unknown recipe key '\(name)'\(hint) Known: \(known.sorted().joined(separator: ", "))")
  }

  /// Gives a key that is not there the value null.
  mutating func addNull(at path: [String]) {
    guard let first = path.first else { return }
    if path.count == 1 {
      if object[first] == nil { object[first] = NSNull() }
    } else {
      var subtree = RecipeTree(object[first] as? [String: Any] ?? [:])
      subtree.addNull(at: Array(path.dropFirst()))
      object[first] = subtree.object
    }
  }

  /// The value at a path of keys, as a person wrote it; nil where there is none.
  func text(at path: [any CodingKey]) -> String? {
    var value: Any? = object
    for key in path {
      if let index = key.intValue, let list = value as? [Any], list.indices.contains(index) {
        value = list[index]
      } else {
        value = (value as? [String: Any])?[snakeCase(key.stringValue)]
      }
    }
    return value.map { $0 is NSNull ? "null" : "'\($0)'" }
  }

  func mappingKeys(_ transform: (String) -> String) -> RecipeTree {
    RecipeTree(
      Dictionary(
        object.map { key, value in
          let nested = (value as? [String: Any]).map { RecipeTree($0).mappingKeys(transform).object as Any }
          return (transform(key), nested ?? value)
        }, uniquingKeysWith: { first, _ in first }))
  }
}

/// A parser's message without its line breaks.
private func oneLine(_ text: String) -> String {
  text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(
    separator: " ")
}

/// The candidate with the smallest edit distance, if it is close enough to be what was meant.
public func nearest(to word: String, in candidates: [String]) -> String? {
  candidates.map { ($0, editDistance(word, $0)) }
    .filter { $0.1 <= max(2, word.count / 3) }
    .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
}

private func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for i in 0..<a.count {
    var diagonal = row[0]
    row[0] = i + 1
    for j in 0..<b.count {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}

/// `learning_rate` → `learningRate`.
private func camelCase(_ key: String) -> String {
  let parts = key.split(separator: "_")
  return (parts.first.map(String.init) ?? "")
    + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
}

private func explanation(_ error: DecodingError, in tree: RecipeTree) -> String {
  switch error {
  case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
    let found = tree.text(at: context.codingPath).map { "found \($0), " } ?? ""
    return "recipe key '\(name(context.codingPath))': \(found)expected \(words(for: type))"
  case .dataCorrupted(let context), .keyNotFound(_, let context):
    return "recipe key '\(name(context.codingPath))': \(oneLine(context.debugDescription))"
  @unknown default: return "\(error)"
  }
}

private func name(_ path: [any CodingKey]) -> String {
  path.map { $0.intValue.map { "[\($0)]" } ?? snakeCase($0.stringValue) }.joined(separator: ".")
}

private func words(for type: Any.Type) -> String {
  switch type {
  case is any BinaryInteger.Type: "a whole number"
  case is any BinaryFloatingPoint.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "a word"
  case is any Sequence.Type: "a list, such as [1, 2]"
  default: "\(type)"
  }
}
