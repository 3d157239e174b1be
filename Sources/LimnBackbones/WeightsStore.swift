// The folder of networks' weights: what is there, what fits, and how a file gets in.

import Foundation
import LimnTorch

/// What is wrong with weights, in one line: what was found, what was expected, what to do.
public struct WeightsStoreError: Error, CustomStringConvertible, LocalizedError, Equatable {
  public let description: String
  public var errorDescription: String? { description }

  init(_ description: String) { self.description = description }
}

/// Weights of published networks: a folder that `limn weights add` writes, and folders that came with Limn.
public struct WeightsStore: Sendable {
  /// Where added weights go, `NAME.safetensors` each.
  public let folder: URL
  /// Where weights that came with Limn lie, `NAME.pth` or `NAME.safetensors`; looked at after ``folder``.
  public let shippedFolders: [URL]

  /// A store of its own.
  public init(folder: URL, shippedFolders: [URL] = []) {
    (self.folder, self.shippedFolders) = (folder, shippedFolders)
  }

  /// A network with its published weights.
  public struct Loaded {
    /// In evaluation mode, on the CPU, without gradients.
    public let backbone: any Backbone
    /// The SHA-256 of the published file, 64 hexadecimal digits.
    public let digest: String
  }

  /// How ``add(_:from:)`` went.
  public struct Addition: Sendable {
    /// The file in the store.
    public let place: URL
    /// The SHA-256 of the file that was added.
    public let digest: String
    /// Whether that is the published file's.
    public let isKnown: Bool
    /// The number of trainable values.
    public let parameterCount: Int
  }

  /// The file with a network's weights; nil where it is not installed.
  public func place(of network: PublishedNetwork) -> URL? {
    let places =
      [folder.appendingPathComponent("\(network.name).safetensors")]
      + shippedFolders.flatMap { shipped in
        ["safetensors", "pth"].map { shipped.appendingPathComponent("\(network.name).\($0)") }
      }
    return places.first { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// A network with its weights, ready for use.
  /// - Throws: ``WeightsStoreError`` naming the command that adds missing weights, and for weights that do not
  ///   fit; what the file's reader throws.
  public func load(_ network: PublishedNetwork) throws -> Loaded {
    guard let place = place(of: network) else {
      throw WeightsStoreError("the weights of \(network.name) are not installed; \(network.remedy)")
    }
    if place.pathExtension == "safetensors" {
      let contents = try Safetensors.read(place)
      let backbone = try Self.fitted(network, contents.tensors, place)
      return Loaded(backbone: backbone, digest: try contents.metadata["sha256"] ?? Self.digest(of: place))
    }
    let backbone = try Self.fitted(network, try WeightsFile.read(place), place)
    return Loaded(backbone: backbone, digest: try Self.digest(of: place))
  }

  /// Checks a file against the network, and keeps it as safetensors; the source's SHA-256 stays with it.
  /// - Throws: ``WeightsStoreError`` naming what is missing, superfluous or of another shape; nothing is
  ///   written then. What reading and writing throw.
  public func add(_ network: PublishedNetwork, from source: URL) throws -> Addition {
    let backbone = try Self.fitted(network, try WeightsFile.read(source), source)
    let digest = try Self.digest(of: source)
    let place = folder.appendingPathComponent("\(network.name).safetensors")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw WeightsStoreError("\(folder.path): this folder cannot be made; LIMN_WEIGHTS names another")
    }
    let origin = [
      "network": network.name, "source": source.lastPathComponent, "sha256": digest,
      "licence": network.licence,
    ]
    try Safetensors.write(backbone.stateDict, metadata: origin, to: place)
    return Addition(
      place: place, digest: digest, isKnown: digest.hasPrefix(network.digest),
      parameterCount: backbone.parameterCount)
  }

  /// The network with tensors of a file, once names, shapes and values are found to fit.
  static func fitted(
    _ network: PublishedNetwork, _ tensors: [String: Tensor], _ source: URL
  ) throws -> any Backbone {
    let backbone = network.make()
    let relevant = tensors.filter { tensor in
      !network.ignoredPrefixes.contains { tensor.key.hasPrefix($0) }
    }
    do { try backbone.load(relevant) } catch let error as StateDictError {
      throw WeightsStoreError("\(source.path): \(error.description)".asPlainLine)
    }
    for (name, tensor) in backbone.stateDict where !tensor.sum().item().isFinite {
      throw WeightsStoreError("\(source.path): \(name) holds values that are not finite")
    }
    backbone.evaluate()
    backbone.requireGradients(false)
    return backbone
  }

  private static func digest(of file: URL) throws -> String {
    let data = try Data(contentsOf: file, options: .alwaysMapped)
    var hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.hexDigest
  }
}

extension WeightsStore {
  /// The user's store: `LIMN_WEIGHTS`, or `limn/weights` in the data folder of the XDG specification; then
  /// what `make deps` fetched, and what was installed with the command.
  public static var standard: WeightsStore {
    let environment = ProcessInfo.processInfo.environment
    return WeightsStore(
      folder: userFolder(environment),
      shippedFolders: shippedFolders(environment, program: Bundle.main.executableURL))
  }

  static func userFolder(_ environment: [String: String]) -> URL {
    if let folder = environment["LIMN_WEIGHTS"], !folder.isEmpty { return URL(fileURLWithPath: folder) }
    let data = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0) : nil }
    let home = FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/share")
    return (data ?? home).appendingPathComponent("limn/weights")
  }

  /// `$LIMN_DEPS/weights`; `share/limn/weights` beside an installed `bin`; `.deps/weights` beside the `.build`
  /// that holds the program.
  static func shippedFolders(_ environment: [String: String], program: URL?) -> [URL] {
    let given = environment["LIMN_DEPS"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
    let fetched = given.map { [$0.appendingPathComponent("weights")] } ?? []
    guard let folder = program?.resolvingSymlinksInPath().deletingLastPathComponent() else { return fetched }
    let installed = folder.deletingLastPathComponent().appendingPathComponent("share/limn/weights")
    let built = buildRoot(of: folder).map { [$0.appendingPathComponent(".deps/weights")] } ?? []
    return fetched + [installed] + built
  }

  private static func buildRoot(of folder: URL) -> URL? {
    let parts = folder.pathComponents
    return parts.lastIndex(of: ".build").map { index in
      URL(fileURLWithPath: NSString.path(withComponents: Array(parts[..<index])))
    }
  }
}
