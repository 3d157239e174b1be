// Images of different patients that are equal or nearly so: one of them may be a copy that would leak into a test.

/// Groups patients whose images look alike.
struct LookAlikes {
  /// Patients, by pseudonym, that belong in one split.
  private(set) var groups: [[String]] = []
  private var pairs: [(Int, Int)] = []

  /// Fingerprints that differ in no more bits than this are of images that look alike.
  private static let tolerance = 3

  /// A copy that was stored as JPEG, or at another size, differs by less; images of two people by more.
  private static let largestDifference = 0.01

  /// - Parameters:
  ///   - patients: of every image.
  ///   - fingerprints: of every image.
  ///   - difference: the mean difference of two images' pixels, as a part of the whole range.
  init(patients: [String], fingerprints: [UInt64], difference: (Int, Int) -> Double) {
    var parent: [String: String] = [:]
    func root(_ patient: String) -> String {
      var patient = patient
      while let next = parent[patient] { patient = next }
      return patient
    }
    for (first, second) in Self.pairs(patients, fingerprints) {
      let (a, b) = (root(patients[first]), root(patients[second]))
      // Patients that belong together already need no look at their pixels.
      guard a != b, difference(first, second) <= Self.largestDifference else { continue }
      parent[b] = a
      pairs.append((first, second))
    }
    let joined = Set(pairs.flatMap { [patients[$0.0], patients[$0.1]] })
    groups = Dictionary(grouping: joined.sorted(), by: root).values.sorted { $0[0] < $1[0] }
  }

  /// Pairs of images of different patients. Where so few bits differ, one quarter of the bits is equal, and
  /// only images that share a quarter are compared.
  private static func pairs(_ patients: [String], _ fingerprints: [UInt64]) -> [(Int, Int)] {
    var found: [(Int, Int)] = []
    // Pairs with several equal quarters are found several times, which does no harm.
    for quarter in 0..<4 {
      let shelves = Dictionary(grouping: fingerprints.indices) { fingerprints[$0] >> (16 * quarter) & 0xFFFF }
      for shelf in shelves.values where shelf.count <= largestShelf {
        for (place, a) in shelf.enumerated() {
          for b in shelf[(place + 1)...] where patients[a] != patients[b] {
            guard isTelling(fingerprints[a]), isTelling(fingerprints[b]) else { continue }
            if (fingerprints[a] ^ fingerprints[b]).nonzeroBitCount <= tolerance { found.append((a, b)) }
          }
        }
      }
    }
    return found
  }

  /// Images whose quarter is shared by so many are flat there, and the other quarters tell.
  private static let largestShelf = 2000

  /// An image that is nearly flat looks like every other flat one.
  private static func isTelling(_ fingerprint: UInt64) -> Bool {
    (8...56).contains(fingerprint.nonzeroBitCount)
  }

  /// One line where patients had to be kept together.
  func warnings(_ items: [DatasetItem]) -> [String] {
    guard let first = pairs.first else { return [] }
    return [
      "\(groups.reduce(0) { $0 + $1.count }) patients have images that look alike, such as "
        + "\(items[first.0].id) and \(items[first.1].id); they were put into the same split"
    ]
  }
}
