// A module's weights by name: taking them out, putting them in, and saying what does not fit.

/// Why weights do not fit a module.
public struct StateDictError: Error, CustomStringConvertible {
  /// One line that names the keys.
  public let description: String
}

extension Module {
  /// Weights and buffers by key. The tensors share the module's data.
  public var stateDict: [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (key, parameter) in namedParameters { state[key] = parameter }
    for (key, buffer) in namedBuffers { state[key] = buffer }
    return state
  }

  /// Copies weights and buffers from a state dictionary.
  /// - Parameters:
  ///   - state: tensors under PyTorch's names.
  ///   - prefix: only keys that begin with it are looked at; it is cut off.
  ///   - ignored: last parts of keys that the module need not have, such as PyTorch's `num_batches_tracked`,
  ///     which counts for nothing as long as the momentum is a number.
  /// - Throws: ``StateDictError`` naming the missing, unknown and misshapen keys; nothing is copied then.
  public func load(
    _ state: [String: Tensor], prefix: String = "", ignoring ignored: Set<String> = ["num_batches_tracked"]
  ) throws {
    let own = stateDict
    let relevant = state.filter { $0.key.hasPrefix(prefix) }
    let given = Dictionary(
      uniqueKeysWithValues: relevant.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    let missing = own.keys.filter { given[$0] == nil }
    let unknown = given.keys.filter { key in
      own[key] == nil && !ignored.contains(key.split(separator: ".").last.map(String.init) ?? key)
    }
    let misshapen = own.compactMap { key, tensor -> String? in
      guard let other = given[key], other.shape != tensor.shape else { return nil }
      return "\(key) is \(other.shape) where \(tensor.shape) was expected"
    }
    let problems = [("missing", missing), ("unknown", unknown), ("misshapen", misshapen)]
      .filter { !$0.1.isEmpty }
      .map { "\($0.0): \($0.1.sorted().prefix(5).joined(separator: ", "))\($0.1.count > 5 ? ", …" : "")" }
    guard problems.isEmpty else {
      throw StateDictError(
        description: "the weights do not fit \(type(of: self)); " + problems.joined(separator: "; "))
    }
    withoutGradients {
      for (key, tensor) in own { if let other = given[key] { tensor.copy(from: other) } }
    }
  }
}
