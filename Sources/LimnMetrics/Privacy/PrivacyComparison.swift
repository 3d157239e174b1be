// From nearest images to tests, suspects and scores, for one distance.

extension PrivacyComparison {
  /// Judges the synthetic images' nearest training images by those of the baseline.
  init(
    search: some NearestSearch, synthetic: Judged, baseline: Judged, membership: MembershipScore?,
    falseAlarmRate: Double
  ) {
    let distances = UsualValues(baseline.nearest.map(\.distance), patients: baseline.patients)
    let ratios = UsualValues(baseline.nearest.map(\.ratio), patients: baseline.patients)
    let drawn = (synthetic.nearest.map(\.distance), synthetic.nearest.map(\.ratio))
    let tests = Self.tests(drawn, (distances, ratios), patients: synthetic.patients)
    let p = combinedProbability(tests.map(\.pValue))
    self.init(
      name: search.name, definition: search.definition, synthetic: synthetic.nearest,
      baseline: baseline.nearest, usualDistance: distances.median, tests: tests, pValue: p,
      dataCopying: dataCopyingStatistic(
        synthetic: drawn.0, unseen: baseline.nearest.map(\.distance)),
      membership: membership,
      suspects: p <= falseAlarmRate ? Self.suspects(synthetic.nearest, (distances, ratios)) : [])
  }

  /// Nearest training images, and a number for the patient of each image that they are nearest to.
  struct Judged {
    let nearest: [NearestImage]
    let patients: [Int]
  }

  private static func tests(
    _ drawn: (distances: [Double], ratios: [Double]), _ usual: (distances: UsualValues, ratios: UsualValues),
    patients: [Int]
  ) -> [ExcessTest] {
    [("distance", drawn.distances, usual.distances), ("ratio of distances", drawn.ratios, usual.ratios)]
      .flatMap { what, values, usual in
        [
          usual.countTest(values, drawnPatients: patients, fraction: 0.05, of: what),
          usual.tailTest(values, drawnPatients: patients, of: what),
          usual.extremeTest(values, of: what),
        ].compactMap { $0 }
      }
  }

  /// Those whose distance or ratio is improbably small, up to a fifth of false ones among them; where counts
  /// alone gave the set away, the nearest ones.
  private static func suspects(
    _ synthetic: [NearestImage], _ usual: (distances: UsualValues, ratios: UsualValues)
  ) -> [Suspect] {
    let p = synthetic.map { near in
      min(
        1,
        2
          * min(
            usual.distances.probability(below: near.distance), usual.ratios.probability(below: near.ratio)))
    }
    let rates = falseDiscoveryRates(p)
    var chosen = synthetic.indices.filter { rates[$0] <= 0.2 }
    if chosen.isEmpty {
      chosen = synthetic.indices.filter { synthetic[$0].distance < usual.distances.quantile(0.05) }
    }
    return chosen.sorted { (p[$0], $0) < (p[$1], $1) }.map { image in
      let near = synthetic[image]
      return Suspect(
        image: image, training: near.index, distance: near.distance,
        timesNearer: usual.distances.median / max(near.distance, 1e-9), ratio: near.ratio,
        falseDiscoveryRate: rates[image])
    }
  }
}
