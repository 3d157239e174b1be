// Two folders of images or label maps that belong together one to one, such as truths and predictions.

import Foundation
import LimnImaging

/// The pairs of two folders, or of two files.
///
/// Files belong together that have the same path below their folders; else the same name, alone or followed by
/// `_mask`, `_label`, `_seg`, `_truth`, `_gt`, `_pred`, `_real`, `_fake` or the like; else the same letters
/// before the first `_`, where no other file has them; and where there is one file on each side, those two.
public struct PairedSources: Sendable {
  /// What belongs together.
  public struct Pair: Sendable {
    public let first: VolumeSource
    public let second: VolumeSource
  }

  /// In the order of the first side's paths.
  public let pairs: [Pair]
  /// What a careful person would want to know, a line each: files without a counterpart, doubtful pairs.
  public let notes: [String]

  /// The second of each pair, by the first one's name.
  public var secondByName: [String: VolumeSource] {
    Dictionary(pairs.map { ($0.first.name, $0.second) }, uniquingKeysWith: { first, _ in first })
  }

  private static let words = [
    "mask", "label", "labels", "seg", "truth", "gt", "manual", "pred", "prediction", "real", "fake", "real_B",
    "fake_B", "real_A", "fake_A",
  ]

  /// Pairs what is at two paths.
  /// - Throws: ``DatasetError`` where a path holds no image, where a name fits several, or where nothing fits.
  public init(_ first: URL, _ second: URL) throws {
    let (firsts, seconds) = (try VolumeSource.all(at: first), try VolumeSource.all(at: second))
    if firsts.count == 1, seconds.count == 1 {
      pairs = [Pair(first: firsts[0], second: seconds[0])]
      notes = []
      return
    }
    let matching = try Matching(firsts, seconds, in: second)
    guard !matching.pairs.isEmpty else {
      throw DatasetError(
        first,
        "none of its \(firsts.count) images has a counterpart of the same name in \(second.path), such as "
          + "'\(firsts[0].name)' beside '\(seconds[0].name)'; give them the same names")
    }
    pairs = matching.pairs
    notes = Self.notes(
      alone: matching.alone, first.path, unused: Self.unused(seconds, pairs), second.path,
      byStart: matching.byStart)
  }

  /// What came of looking for each of the first side's sources.
  private struct Matching {
    var pairs: [Pair] = []
    /// Without a counterpart.
    var alone: [String] = []
    /// Alike only before the first `_`.
    var byStart: [String] = []

    init(_ firsts: [VolumeSource], _ seconds: [VolumeSource], in folder: URL) throws {
      let (own, others) = (PairedSources.index(firsts), PairedSources.index(seconds))
      for source in firsts {
        let matches = others.matches(source.path)
        // Only a start that nothing else has says who belongs to whom.
        guard let matches,
          matches.likeness == .name || matches.values.count == 1 && !own.sharesStart(source.path)
        else {
          alone.append(source.name)
          continue
        }
        guard matches.values.count == 1 else {
          throw DatasetError(
            source.files[0],
            "\(matches.values.count) files of \(folder.path) may belong to it, \(matches.values[0].name) and "
              + "\(matches.values[1].name) among them; give them the same path below their folders")
        }
        if matches.likeness == .start { byStart.append("\(source.name) with \(matches.values[0].name)") }
        pairs.append(Pair(first: source, second: matches.values[0]))
      }
    }
  }

  private static func index(_ sources: [VolumeSource]) -> NameIndex<VolumeSource> {
    var index = NameIndex<VolumeSource>(words: words)
    for source in sources { index.add(source, path: source.path) }
    return index
  }

  private static func unused(_ seconds: [VolumeSource], _ found: [Pair]) -> [String] {
    let used = Set(found.map(\.second.path))
    return seconds.filter { !used.contains($0.path) }.map(\.name)
  }

  private static func notes(
    alone: [String], _ first: String, unused: [String], _ second: String, byStart: [String]
  ) -> [String] {
    func line(_ names: [String], _ folder: String, _ other: String) -> String? {
      names.first.map {
        "\(names.count) of \(folder) without a counterpart in \(other), '\($0)' the first; not measured"
      }
    }
    let doubtful = byStart.first.map {
      "\(byStart.count) pairs are alike only before the first '_' of their names, such as \($0); check them"
    }
    return [line(alone, first, second), line(unused, second, first), doubtful].compactMap(\.self)
  }
}
