// The sets of one assessment: which images take part, who belongs to whom, and what is nearest to what.

import LimnTorch

/// One assessment under way.
struct PrivacyWork {
  let synthetic: PatientImages
  let training: PatientImages
  let heldOut: PatientImages?
  let options: Privacy.Options
  let syntheticPositions: [Int]
  /// Of held-out images that are no training images; of training images where there are none.
  let unseenPositions: [Int]
  let leaks: HeldOutLeaks
  /// Numbers for the patients of the synthetic, the training and the held-out images.
  let numbers: (synthetic: [Int], training: [Int], heldOut: [Int])
  /// Synthetic images with the very pixels of a training image.
  let identicalCount: Int

  init(
    synthetic: PatientImages, training: PatientImages, heldOut: PatientImages?, options: Privacy.Options
  ) throws {
    for set in [synthetic, training] where set.images.count < 2 {
      throw MetricError("\(set.images.name): \(set.images.count) images; at least two were expected")
    }
    (self.synthetic, self.training, self.options) = (synthetic, training, options)
    options.progress("comparing pixels")
    let known = try pixelHashes(of: training.images)
    leaks = try heldOut.map { try HeldOutLeaks($0, training: training, known: Set(known)) } ?? HeldOutLeaks()
    let hasUnseen = leaks.clean.count >= Privacy.leastBaseline
    self.heldOut = hasUnseen ? heldOut : nil
    numbers = Self.numbers(synthetic, training, hasUnseen ? heldOut : nil)
    syntheticPositions = Self.chosen(Array(0..<synthetic.images.count), options, purpose: 1)
    let candidates = hasUnseen ? leaks.clean : Array(0..<training.images.count)
    unseenPositions = Self.chosen(candidates, options, purpose: 2)
    identicalCount = try Set(known).intersectionCount(with: pixelHashes(of: synthetic.images))
  }

  var baseline: PrivacyReport.Baseline { heldOut == nil ? .leaveOneOut : .heldOut }
  var baselineCount: Int { unseenPositions.count }

  /// At most `limit` of the positions, drawn with the seed, in order.
  private static func chosen(_ positions: [Int], _ options: Privacy.Options, purpose: UInt64) -> [Int] {
    guard positions.count > options.limit else { return positions }
    let generator = Generator(seed: Seed.derive(options.seed, 0x5052_4956, purpose))
    let order = Tensor.randperm(positions.count, generator: generator).array(of: Int.self)
    return order.prefix(options.limit).map { positions[$0] }.sorted()
  }

  private static func numbers(
    _ synthetic: PatientImages, _ training: PatientImages, _ heldOut: PatientImages?
  ) -> (synthetic: [Int], training: [Int], heldOut: [Int]) {
    var known: [String: Int] = [:]
    func numbers(_ set: PatientImages?, _ purpose: String) -> [Int] {
      (0..<(set?.images.count ?? 0)).map { index in
        let name = set?.patients.map { "\(purpose == "s" ? "s" : "p") \($0[index])" } ?? "\(purpose) \(index)"
        let number = known[name] ?? known.count
        known[name] = number
        return number
      }
    }
    return (numbers(synthetic, "s"), numbers(training, "t"), numbers(heldOut, "h"))
  }

  // MARK: - One distance

  func comparison(_ search: some NearestSearch, falseAlarmRate: Double) throws -> PrivacyComparison {
    let reference = try search.index(training.images, at: Array(0..<training.images.count))
    let drawn = try search.index(synthetic.images, at: syntheticPositions)
    let drawnNumbers = syntheticPositions.map { numbers.synthetic[$0] }
    let nearest = search.nearest(
      of: drawn, in: reference, queryPatients: drawnNumbers, referencePatients: numbers.training)
    let (unseen, unseenNumbers) = try unseenIndex(search, reference)
    let usual = search.nearest(
      of: unseen, in: reference, queryPatients: unseenNumbers, referencePatients: numbers.training)
    let judged = zip(usual, unseenNumbers).filter { $0.0 != nil }
    guard judged.count >= 2 else {
      throw MetricError(
        "\(training.images.name): all images are of one patient and none is held out, so nothing says which "
          + "distance is usual; hold other patients out")
    }
    return PrivacyComparison(
      search: search, synthetic: .init(nearest: nearest.compactMap(\.self), patients: drawnNumbers),
      baseline: .init(nearest: judged.compactMap(\.0), patients: judged.map(\.1)),
      membership: heldOut == nil
        ? nil
        : membership(
          search, reference, drawn: (drawn, drawnNumbers), unseen: (unseen, unseenNumbers)),
      falseAlarmRate: falseAlarmRate
    ).placed(syntheticPositions)
  }

  private func unseenIndex<Search: NearestSearch>(
    _ search: Search, _ reference: Search.Index
  ) throws -> (Search.Index, [Int]) {
    guard let heldOut else {
      let index = search.part(of: reference, at: unseenPositions)
      return (index, unseenPositions.map { numbers.training[$0] })
    }
    let index = try search.index(heldOut.images, at: unseenPositions)
    return (index, unseenPositions.map { numbers.heldOut[$0] })
  }

  /// The search turned round: from real images, seen and unseen, to the nearest synthetic one.
  private func membership<Search: NearestSearch>(
    _ search: Search, _ reference: Search.Index, drawn: (index: Search.Index, numbers: [Int]),
    unseen: (index: Search.Index, numbers: [Int])
  ) -> MembershipScore {
    let positions = Self.chosen(Array(0..<training.images.count), options, purpose: 3)
    let members = (search.part(of: reference, at: positions), positions.map { numbers.training[$0] })
    func samples(_ set: (index: Search.Index, numbers: [Int])) -> [MembershipSample] {
      let nearest = search.nearest(
        of: set.index, in: drawn.index, queryPatients: set.numbers, referencePatients: drawn.numbers)
      return zip(nearest, set.numbers).compactMap { near, patient in
        near.map { MembershipSample(distance: $0.distance, patient: patient) }
      }
    }
    return MembershipScore(training: samples(members), unseen: samples(unseen), seed: options.seed)
  }
}

extension PrivacyComparison {
  /// With the suspects' positions among the images looked at turned into positions in their set.
  fileprivate func placed(_ positions: [Int]) -> PrivacyComparison {
    PrivacyComparison(
      name: name, definition: definition, synthetic: synthetic, baseline: baseline,
      usualDistance: usualDistance, tests: tests, pValue: pValue, dataCopying: dataCopying,
      membership: membership,
      suspects: suspects.map {
        Suspect(
          image: positions[$0.image], training: $0.training, distance: $0.distance,
          timesNearer: $0.timesNearer, ratio: $0.ratio, falseDiscoveryRate: $0.falseDiscoveryRate)
      })
  }
}

extension Set<UInt64> {
  fileprivate func intersectionCount(with list: [UInt64]) -> Int { list.count { contains($0) } }
}
