// Features kept on the disk, so that a set goes through a network only once.

import Foundation
import LimnTorch

/// A folder of features, each file under the SHA-256 of the pixels and of the network that it was made from.
///
/// The name of an entry covers every byte that the network saw, in order, and the network's name, weights and
/// preprocessing, so a changed set or network never finds an old entry. The folder holds at most
/// ``byteLimit`` bytes: what was not used for longest goes first. A file that cannot be written or read is
/// passed over; the features are then computed again.
public struct FeatureCache: Sendable {
  /// Where the entries lie.
  public let folder: URL
  /// The size that the folder may reach.
  public let byteLimit: Int

  /// A cache in `folder`, which is made when it is first written to.
  public init(folder: URL, byteLimit: Int = 4 << 30) {
    self.folder = folder
    self.byteLimit = byteLimit
  }

  /// `$LIMN_CACHE/features`, else `limn/features` in `$XDG_CACHE_HOME` or `~/.cache`.
  public static func standard(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> FeatureCache {
    func folder(_ variable: String) -> URL? {
      environment[variable].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true) }
    }
    let caches =
      folder("XDG_CACHE_HOME")
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    let root = folder("LIMN_CACHE") ?? caches.appendingPathComponent("limn")
    return FeatureCache(folder: root.appendingPathComponent("features"))
  }
}

extension FeatureCache {
  /// The name and shape of one set's features.
  struct Entry: Equatable {
    let digest: String
    let shape: [Int]
  }

  /// Reads all the images, which costs little beside a network.
  func entry(
    of source: any ImageSource, at indices: [Int], _ network: any FeatureExtractor, batchSize: Int
  ) throws -> Entry {
    var hash = SHA256()
    func add(_ fields: [String]) {
      for field in fields { hash.update([UInt8]("\(field.utf8.count):\(field)".utf8)) }
    }
    add(["limn features 1", network.name, network.weights, network.preprocessing, "\(network.dimension)"])
    add([indices.count, source.channels, source.height, source.width].map { "\($0)" })
    try source.forEachBatch(of: batchSize, at: indices) { _, images in
      images.withUnsafeBytes { hash.update($0) }
    }
    return Entry(digest: hash.hexDigest, shape: [indices.count, network.dimension])
  }

  /// The entry's features; nil where there are none, or none that can be trusted.
  func read(_ entry: Entry) -> Tensor? {
    let url = place(of: entry)
    guard let contents = try? Safetensors.read(url), let features = contents.tensors["features"],
      features.dtype == .float32, features.shape == entry.shape,
      features.isFinite().all().item() == 1
    else { return nil }
    try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: url.path)
    return features
  }

  /// Writes the features beside their place, renames, and makes room.
  func write(_ features: Tensor, to entry: Entry) {
    guard features.count * features.dtype.size <= byteLimit,
      (try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)) != nil
    else { return }
    makeRoom(for: features.count * features.dtype.size)
    try? Safetensors.write(["features": features], to: place(of: entry))
  }

  private func place(of entry: Entry) -> URL { folder.appendingPathComponent("\(entry.digest).safetensors") }

  /// Removes what was not used for longest until `bytes` more fit.
  private func makeRoom(for bytes: Int) {
    let keys: Set<URLResourceKey> = [.contentModificationDateKey, .fileSizeKey]
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys)))
    let entries = (files ?? []).filter { $0.pathExtension == "safetensors" }.map { url in
      let values = try? url.resourceValues(forKeys: keys)
      return (url: url, date: values?.contentModificationDate ?? .distantPast, size: values?.fileSize ?? 0)
    }
    var total = entries.reduce(bytes) { $0 + $1.size }
    for entry in entries.sorted(by: { $0.date < $1.date }) where total > byteLimit {
      try? FileManager.default.removeItem(at: entry.url)
      total -= entry.size
    }
  }
}
