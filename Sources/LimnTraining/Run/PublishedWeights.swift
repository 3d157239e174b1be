// Weights from a file, of another program or another run, as the beginning of one network of a new run.

import Foundation
import LimnTorch

/// `NETWORK=FILE` or `NETWORK=FILE:ENTRY`: what a network begins with.
public struct PublishedWeights: Sendable, Equatable {
  /// The network's name in the method, such as `generator_b`.
  public let network: String
  /// Safetensors, PyTorch or NumPy.
  public let file: URL
  /// The part of a PyTorch checkpoint's outermost dictionary that holds the network; nil: the file is the network.
  public let entry: String?

  /// - Parameter text: `NETWORK=FILE`, or `NETWORK=FILE:ENTRY`.
  /// - Throws: ``RunError`` if it is neither.
  public init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw RunError("'\(text)' names no weights; expected NETWORK=FILE or NETWORK=FILE:ENTRY")
    }
    network = parts[0]
    let place = parts[1].lastIndex(of: ":")
    let isWhole = place == nil || FileManager.default.fileExists(atPath: parts[1])
    if let place, !isWhole {
      file = URL(fileURLWithPath: String(parts[1][..<place]))
      entry = String(parts[1][parts[1].index(after: place)...])
    } else {
      (file, entry) = (URL(fileURLWithPath: parts[1]), nil)
    }
  }

  /// Copies all weights into the network, whose layout they have, or a published one that it knows.
  /// - Parameter method: one of its networks has the name.
  /// - Returns: what was taken, in a line for people.
  /// - Throws: ``RunError`` that names the file where there is no such network or the weights do not fit it.
  func copy(into method: any Method) throws -> String {
    guard let module = method.networks.first(where: { $0.name == network })?.module else {
      let names = method.networks.map(\.name).sorted().joined(separator: ", ")
      throw RunError("\(file.path): weights for '\(network)', but the method's networks are \(names)")
    }
    let all = try WeightsFile.read(file, entries: entry.map { [$0] })
    let own = entry.map { entry in
      all.filter { $0.key.hasPrefix("\(entry).") }.map {
        (String($0.key.dropFirst(entry.count + 1)), $0.value)
      }
    }
    do {
      try module.load(module.renamed(own.map { Dictionary(uniqueKeysWithValues: $0) } ?? all))
    } catch let error as StateDictError {
      throw RunError("\(file.path), for \(network): \(error.description)")
    }
    return "\(network) of \(file.path)" + (entry.map { ", entry \($0)" } ?? "")
  }
}
