// What a search for nearest images takes and gives, whatever the distance.

import LimnTorch

/// Images of which it is known, or not, who belongs to which patient.
public struct PatientImages: Sendable {
  /// The pixels.
  public let images: any ImageSource
  /// Of every image, in order; nil where not known: then every image counts as a patient of its own.
  public let patients: [String]?

  /// - Throws: ``MetricError`` where the list of patients is not as long as that of images.
  public init(_ images: any ImageSource, patients: [String]? = nil) throws {
    guard patients?.count ?? images.count == images.count else {
      throw MetricError("\(images.name): \(images.count) images and \(patients?.count ?? 0) patients")
    }
    self.images = images
    self.patients = patients
  }
}

/// The nearest image to another one.
public struct NearestImage: Codable, Sendable, Equatable {
  /// The position of the nearest image in its set.
  public let index: Int
  /// To the nearest image; 0 for a copy, √2 (by the distances of this room) for what has nothing in common.
  public let distance: Double
  /// To the nearest image of another patient than the nearest image's; nil where there is none.
  public let otherDistance: Double?

  /// The first distance over the second: near 1 as a rule, far below 1 for a copy, whatever is usual in the
  /// neighbourhood. 1 where there is no second.
  public var ratio: Double { otherDistance.map { distance / max($0, 1e-9) } ?? 1 }
}

/// A distance between images, and how the nearest of many is found.
public protocol NearestSearch: Sendable {
  associatedtype Index
  /// Part of the names of figures, such as `pixels_aligned`.
  var name: String { get }
  /// One sentence that another person could repeat the search from.
  var definition: String { get }
  /// Makes images ready to be searched, or to be searched for, a batch at a time.
  func index(_ images: any ImageSource, at positions: [Int]) throws -> Index
  /// Some images of an index, in the order of `positions`.
  func part(of index: Index, at positions: [Int]) -> Index
  /// The nearest reference of every query. References with a query's own patient number are passed over.
  /// - Parameters:
  ///   - queries: what is searched for.
  ///   - references: what is searched.
  ///   - queryPatients: a number for each query's patient.
  ///   - referencePatients: a number for each reference's patient, from the same numbering.
  /// - Returns: one for each query, in order; nil where every reference is the query's own patient's.
  func nearest(
    of queries: Index, in references: Index, queryPatients: [Int], referencePatients: [Int]
  ) -> [NearestImage?]
}

/// The nearest and the nearest of another patient, out of some candidates.
func nearestImage(
  among candidates: [(index: Int, distance: Double)], patients: [Int], excluding own: Int
) -> NearestImage? {
  let others = candidates.filter { patients[$0.index] != own }
  // Equal distances go to the lower position, so that no order of computation shows.
  func nearest(_ list: [(index: Int, distance: Double)]) -> (index: Int, distance: Double)? {
    list.min { ($0.distance, $0.index) < ($1.distance, $1.index) }
  }
  guard let first = nearest(others) else { return nil }
  let second = nearest(others.filter { patients[$0.index] != patients[first.index] })
  return NearestImage(index: first.index, distance: first.distance, otherDistance: second?.distance)
}
