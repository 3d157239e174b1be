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
    let names = Set(patients).sorted()
    let places = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    let owners = patients.map { places[$0] ?? 0 }
    var families = Families(names.count)
    Self.forEachPair(owners, fingerprints) { first, second in
      // Patients that belong together already need no look at their pixels.
      guard !families.areOne(owners[first], owners[second]),
        difference(first, second) <= Self.largestDifference
      else { return }
      families.join(owners[first], owners[second])
      pairs.append((first, second))
    }
    groups = families.largerThanOne.map { $0.map { names[$0] } }
  }

  /// Pairs of images of different owners. Where so few bits differ, one quarter of the bits is equal, and only
  /// images that share a quarter are compared.
  private static func forEachPair(
    _ owners: [Int], _ fingerprints: [UInt64], _ body: (Int, Int) -> Void
  ) {
    let telling = fingerprints.indices.filter { isTelling(fingerprints[$0]) }
    // Pairs with several equal quarters are met several times, which does no harm.
    for quarter in 0..<4 {
      let shelves = Dictionary(grouping: telling) { fingerprints[$0] >> (16 * quarter) & 0xFFFF }
      for (_, shelf) in shelves.sorted(by: { $0.key < $1.key }) where shelf.count <= largestShelf {
        for (place, a) in shelf.enumerated() {
          for b in shelf[(place + 1)...] where owners[a] != owners[b] {
            if (fingerprints[a] ^ fingerprints[b]).nonzeroBitCount <= tolerance { body(a, b) }
          }
        }
      }
    }
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

/// Who belongs to whom: disjoint sets of whole numbers.
private struct Families {
  private var parents: [Int]

  init(_ count: Int) { parents = Array(0..<count) }

  private mutating func root(_ member: Int) -> Int {
    var member = member
    while parents[member] != member {
      parents[member] = parents[parents[member]]
      member = parents[member]
    }
    return member
  }

  mutating func areOne(_ a: Int, _ b: Int) -> Bool { root(a) == root(b) }

  mutating func join(_ a: Int, _ b: Int) { parents[root(b)] = root(a) }

  /// Every set of two or more, its members in order, by the first of them.
  var largerThanOne: [[Int]] {
    var copy = self
    let sets = Dictionary(grouping: parents.indices) { copy.root($0) }
    return sets.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }
}
