// The nearest image after alignment and in features: copies, strangers, patients, and a brute-force reference.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnMetrics

/// Copies of `images` shifted by up to 8 % of the side, rescaled by up to 7 %, with other brightness and
/// contrast, every second one mirrored: uint8 of the same shape.
func plantedCopies(_ images: Tensor, seed: UInt64) -> Tensor {
  var random = SeedSequence(seed: seed)
  func uniform(_ low: Double, _ high: Double) -> Float {
    Float(low + (high - low) * Double(random.next(below: 1 << 20)) / Double(1 << 20))
  }
  let rows = (0..<images.size(0)).flatMap { index -> [Float] in
    let scale = uniform(0.93, 1.07)
    return [index % 2 == 0 ? scale : -scale, 0, uniform(-0.16, 0.16), 0, scale, uniform(-0.16, 0.16)]
  }
  let maps = Tensor(rows, shape: [images.size(0), 2, 3])
  let moved = gridSample(images.to(.float32), affineGrid(maps, size: images.shape), padding: .border)
  let noise = Tensor.randn(images.shape, generator: Generator(seed: seed))
  return (moved * 0.9 + 10 + noise).round().clamped(min: 0, max: 255).to(.uint8)
}

/// Anatomy of a kind: one smooth body that all share, with smooth differences; uint8 [count, 1, 64, 64].
func bodies(_ count: Int, seed: UInt64) throws -> Tensor {
  let body = Tensor.randn([1, 1, 8, 8], generator: Generator(seed: 77))
  let own = Tensor.randn([count, 1, 12, 12], generator: Generator(seed: seed))
  let side = [64, 64]
  return try quantized(
    interpolate(body, size: side, mode: .bicubic) * 0.3 + interpolate(own, size: side, mode: .bicubic) * 0.15)
}

/// Features that need no network: the pixels of an image of 8×8.
struct Thumbnails: FeatureExtractor {
  let name = "thumbnail"
  let weights = "none"
  let dimension = 64
  let preprocessing = "8x8 px"
  func features(of images: Tensor) -> Tensor {
    let grey = images.to(.float32).mean(dims: [1], keepDim: true)
    return interpolate(grey, size: [8, 8], mode: .area).reshaped([-1, 64]) - 127
  }
}

@Suite struct PrivacySearchTests {
  private func search(
    _ queries: Tensor, _ references: Tensor, by search: some NearestSearch = AlignedSearch(),
    queryPatients: [Int]? = nil, patients: [Int]? = nil
  ) throws -> [NearestImage?] {
    let (q, r) = (try set(queries), try set(references))
    return try search.nearest(
      of: search.index(q, at: Array(0..<q.count)), in: search.index(r, at: Array(0..<r.count)),
      queryPatients: queryPatients ?? (0..<q.count).map { -1 - $0 },
      referencePatients: patients ?? Array(0..<r.count))
  }

  @Test func copiesAreNearAndStrangersFar() throws {
    let training = try bodies(160, seed: 1)
    let copies = try search(plantedCopies(training[0..<20], seed: 2), training).compactMap(\.self)
    #expect(copies.map(\.index) == Array(0..<20))
    #expect(copies.allSatisfy { $0.distance < 0.15 && $0.ratio < 0.3 }, "\(copies)")
    let strangers = try search(bodies(20, seed: 3), training).compactMap(\.self)
    #expect(strangers.allSatisfy { $0.distance > 0.35 && $0.ratio > 0.6 }, "\(strangers)")
  }

  @Test func brightnessContrastAndWholeShiftsDoNotCount() throws {
    let training = try bodies(30, seed: 1)
    let dim = (training.to(.float32) * 0.5).round().to(.uint8)
    for (name, query) in [("same", training), ("dim", dim), ("mirrored", training.flipped([3]))] {
      let found = try search(query[4...4], training)[0]
      #expect(
        found?.index == 4 && found?.distance ?? 1 < (name == "dim" ? 0.05 : 0.002),
        "\(name) \(String(describing: found))")
    }
    // A shift of 3 px in 64 is 15 steps of the finest search; what rolls in lies outside of the window.
    let rolled = try search(training[4...4].rolled([3, -3], dims: [2, 3]), training)[0]
    #expect(rolled?.index == 4 && rolled?.distance ?? 1 < 0.01, "\(String(describing: rolled))")
  }

  /// The reference tries every shift of whole pixels, written out; the search may find better ones between.
  @Test func agreesWithBruteForceOverShifts() throws {
    let (queries, references) = (try bodies(6, seed: 5), try bodies(12, seed: 6))
    let found = try search(queries, references).compactMap(\.self)
    for query in 0..<6 {
      let best = (0..<12).map { Self.bruteForce(queries[query][0], references[$0][0]) }
      let reference = try #require(best.min())
      #expect(found[query].distance <= reference + 1e-4, "\(query)")
      #expect(found[query].distance > 0.6 * reference, "\(query)")
    }
  }

  private static func bruteForce(_ a: Tensor, _ b: Tensor) -> Double {
    func unit(_ x: Tensor) -> Tensor {
      let centred = x.to(.float64) - x.to(.float64).mean()
      return centred / centred.norm()
    }
    let window = unit(a[8..<56, 8..<56].contiguous())
    var least = 2.0
    for y in 2...14 {
      for x in 2...14 {
        let moved = unit(b[y..<y + 48, x..<x + 48].contiguous())
        least = min(least, (window - moved).norm().item())
      }
    }
    return least
  }

  @Test func imagesWithoutContrastAreNearToNothing() throws {
    let flat = Tensor.full([1, 1, 64, 64], 40).to(.uint8)
    let found = try search(flat, bodies(3, seed: 1))[0]
    // A vector of length 0 and one of length 1.
    #expect(abs((found?.distance ?? 0) - 1) < 1e-5)
  }

  @Test func anyOrderOfReferencesGivesTheSame() throws {
    let (queries, references) = (try bodies(5, seed: 5), try bodies(150, seed: 6))
    let found = try search(queries, references).compactMap(\.self)
    let turned = try search(queries, references.flipped([0])).compactMap(\.self)
    #expect(zip(found, turned).allSatisfy { abs($0.distance - $1.distance) < 1e-4 })
    #expect(found.map(\.index) == turned.map { 149 - $0.index })
  }

  @Test(arguments: [false, true])
  func patientsArePassedOverOrCompared(inFeatures: Bool) throws {
    let training = try bodies(12, seed: 1)
    func nearest(_ queries: [Int]) throws -> NearestImage? {
      let patients = (0..<12).map { $0 / 3 }
      return inFeatures
        ? try search(
          training[3...3], training, by: FeatureSearch(Thumbnails()), queryPatients: queries,
          patients: patients)[0]
        : try search(training[3...3], training, queryPatients: queries, patients: patients)[0]
    }
    let all = try nearest([-1])
    #expect(all?.index == 3 && all?.distance ?? 1 < 1e-3)
    let others = try nearest([1])
    #expect(others.map { !(3...5).contains($0.index) } == true)
    // What is nearest of all but the copy's patient is the second of the pair.
    #expect(all?.otherDistance == others?.distance)
  }

  @Test func onlyTheOwnPatientGivesNothing() throws {
    let training = try bodies(3, seed: 1)
    #expect(
      try search(training, training, queryPatients: [7, 7, 7], patients: [7, 7, 7]) == [nil, nil, nil])
  }

  @Test func featuresFindTheNearestByCosine() throws {
    let (queries, references) = (try bodies(4, seed: 1), try bodies(9, seed: 2))
    let found = try search(queries, references, by: FeatureSearch(Thumbnails()))
    let (a, b) = (Thumbnails().features(of: queries), Thumbnails().features(of: references))
    for query in 0..<4 {
      let distances = (0..<9).map { reference in
        let cosine = (a[query] * b[reference]).sum() / (a[query].norm() * b[reference].norm())
        return (2 * (1 - cosine.item())).squareRoot()
      }
      let order = distances.indices.sorted { distances[$0] < distances[$1] }
      let near = try #require(found[query])
      #expect(near.index == order[0])
      // float32 products on both sides.
      #expect(abs(near.distance - distances[order[0]]) < 1e-4)
      #expect(abs((near.otherDistance ?? 0) - distances[order[1]]) < 1e-4)
    }
  }
}
