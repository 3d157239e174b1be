// DICOM SEG: segments of a segmentation object as one volume of labels on its own grid (PS3.3, A.51).

import Foundation
import LimnTorch

/// Reads segmentation objects.
public enum DICOMSegmentation {
  /// A segment: its number is its value in the label volume, or in objects that Limn wrote the value it had.
  public struct Class: Sendable, Codable, Equatable {
    /// The value of its voxels.
    public var value: Int
    /// The segment's label.
    public var name: String
  }

  private static let storageClasses = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"]

  /// Whether the header is a segmentation object's.
  public static func isSegmentation(_ header: DICOMHeader) -> Bool {
    storageClasses.contains(header.sopClass)
  }

  /// Reads binary, fractional and label-map segmentations.
  ///
  /// Fractions count from half on, the largest where several do; of overlapping binary segments the later
  /// one is kept, which a warning tells. Planes that the object leaves out are background.
  /// - Returns: labels [1, Z, Y, X], uint8 (uint16 beyond 255), 0 background; and the segments.
  /// - Throws: `ImagingError` where the file is none or its frames cannot be placed.
  public static func read(_ url: URL) throws -> (labels: Volume, classes: [Class]) {
    let file = try DICOMFile(reading: url.path)
    let pixels = DICOMPixels(file)
    guard isSegmentation(pixels.header) else {
      throw refused(url, "a DICOM file that is no segmentation", "a SEG object")
    }
    let (classes, values) = segments(of: file.data)
    let frames = DICOMFrame.all(of: file, count: pixels.header.frameCount)
    let stored = try pixels.stored().voxels
    var planes = try Planes(frames.map { Slice(pixels.header, $0) }, url)
    let kind = file.data.text(0x0062_0001)?.uppercased() ?? "BINARY"
    let full = Double(file.data.unsignedShort(0x0062_000E) ?? 255)
    for (index, frame) in frames.enumerated() {
      let picture = stored[0, index]
      switch (kind, frame.segment) {
      case ("LABELMAP", _): planes.add(labels: picture, frame: index)
      case ("FRACTIONAL", let segment?):
        planes.add(picture.to(.float32) / full, values[segment] ?? segment, frame: index)
      case (_, let segment?):
        planes.add(picture.isGreater(than: 0).to(.float32), values[segment] ?? segment, frame: index)
      case (_, nil): throw refused(url, "frame \(index + 1) without a segment", "a segment for every frame")
      }
    }
    return (planes.volume(pixels.header), classes)
  }

  /// The segments, and the values that stand for their numbers.
  private static func segments(of data: DICOMDataSet) -> (classes: [Class], values: [Int: Int]) {
    let described = data.items(0x0062_0002).compactMap { item in
      item.unsignedShort(0x0062_0004).map { ($0, item.text(0x0062_0005), ownValue(item) ?? $0) }
    }
    let isUnique = Set(described.map(\.2)).count == described.count
    let classes = described.map { number, name, value in
      Class(value: isUnique ? value : number, name: name ?? "segment \(number)")
    }
    return (
      classes, Dictionary(zip(described.map(\.0), classes.map(\.value)), uniquingKeysWith: { a, _ in a })
    )
  }

  private static func ownValue(_ segment: DICOMDataSet) -> Int? {
    guard let type = segment.item(0x0062_000F), type.text(0x0008_0102) == SegmentationObject.codingScheme
    else { return nil }
    return type.text(0x0008_0100).flatMap(SegmentationObject.value(ofCode:))
  }

  private static func refused(_ url: URL, _ found: String, _ expected: String) -> ImagingError {
    ImagingError(file: url.path, found: found, expected: expected, advice: ImageReader.damagedAdvice)
  }

  /// The label planes that frames are drawn into.
  private struct Planes {
    private var stack: SliceStack
    /// The plane of each frame.
    private var indices: [Int] = []
    private var step: Double?
    private var labels: [Tensor] = []
    private var shares: [Tensor] = []
    private var overlaps = false

    init(_ slices: [Slice], _ url: URL) throws {
      var seen = Set<Int>()
      stack = SliceStack(slices.filter { slice in slice.place.map { seen.insert($0).inserted } ?? true })
      guard stack.isPlaced, let first = stack.slices.first, let origin = first.place else {
        throw DICOMSegmentation.refused(url, "frames without a place", "a position for every frame")
      }
      let heights = slices.map { Double(($0.place ?? 0) - origin) / 1000 }
      let candidates = [first.header.spacing.z, stack.report?.usualGap].compactMap { $0 }
      step = candidates.first { step in step > 1e-3 && heights.allSatisfy { Self.isMultiple($0, of: step) } }
      let ordered = stack.slices.compactMap(\.place)
      indices = zip(slices, heights).map { slice, height in
        step.map { Int((height / $0).rounded()) } ?? ordered.firstIndex(of: slice.place ?? 0) ?? 0
      }
      let count = (indices.max() ?? 0) + 1
      let extents = [first.header.rows, first.header.columns]
      guard count * extents[0] * extents[1] <= ImageReader.maximumBytes / 8 else {
        throw DICOMSegmentation.refused(url, "\(count) planes", "fewer planes than memory's bound allows")
      }
      labels = (0..<count).map { _ in Tensor.zeros(extents, dtype: .int32) }
      shares = (0..<count).map { _ in Tensor.zeros(extents) }
    }

    private static func isMultiple(_ height: Double, of step: Double) -> Bool {
      height / step < 1e6 && abs(height - (height / step).rounded() * step) < 0.05 * step
    }

    mutating func add(labels picture: Tensor, frame: Int) {
      labels[indices[frame]] = picture.to(.int32)
    }

    /// Draws a segment where its share (0 to 1) is at least half and no less than any before.
    mutating func add(_ share: Tensor, _ segment: Int, frame: Int) {
      let plane = indices[frame]
      let isCovered = share.isGreater(than: 0.499_999).to(.float32)
      let isMore = (share - shares[plane] + 1e-6).isGreater(than: 0).to(.float32)
      let taken = (isCovered * isMore).to(.int32)
      let isShared = shares[plane].isGreater(than: 0.499_999).to(.float32) * isCovered
      overlaps = overlaps || isShared.max().item() > 0
      labels[plane] = labels[plane] * (1 - taken) + taken * Double(segment)
      shares[plane] = maximum(shares[plane], share)
    }

    func volume(_ header: DICOMHeader) -> Volume {
      let stacked = Tensor.stack(labels, dim: 0).unsqueezed(0).to(.int32)
      let largest = stacked.max().item()
      let voxels = stacked.to(largest > 255 ? .uint16 : .uint8)
      var result = stack.volume(voxels, bits: largest > 255 ? 16 : 8)
      if let step {
        let along = result.affine.column(2)
        let plane = cross(result.affine.column(0), result.affine.column(1))
        let rise = abs(dot(along, plane)) / max(length(plane), .leastNormalMagnitude)
        // Of a tilted stack the step is longer than the distance of its planes.
        let z = labels.count > 1 && rise > 0 ? along * (step / rise) : along
        for row in 0..<3 { result.affine[row, 2] = z[row] }
        result.info.stack = nil
        result.info.warnings = []
      }
      if overlaps {
        result.info.warnings.append("segments overlap: the later one, or the larger share, is kept")
      }
      return result
    }
  }
}
