// DICOM SEG: label maps of a series as binary segments, frame by frame (PS3.3 A.51 and C.8.20).

import Foundation
import LimnTorch

/// A DICOM Segmentation object of type BINARY.
public struct SegmentationObject: Sendable {
  /// A label and what it stands for.
  public struct Segment: Sendable, Equatable {
    /// The value in the label maps.
    public var value: Int
    /// SegmentLabel.
    public var name: String
    /// RecommendedDisplayCIELabValue.
    public var colour: LabelColours.Colour

    /// A segment of the pixels with `value`.
    public init(value: Int, name: String, colour: LabelColours.Colour) {
      (self.value, self.name, self.colour) = (value, name, colour)
    }
  }

  /// A label map and the image that it lies on.
  public struct Slice: Sendable {
    /// [H, W], integers.
    public var labels: Tensor
    /// SOPInstanceUID of the image.
    public var image: String
    /// SOPClassUID of the image.
    public var imageClass = SecondaryCapture.sopClass
    /// Which frame of the image is meant, from 1; nil of images of one frame.
    public var imageFrame: Int?
    /// Pixel (column, row, 0) to millimetres, RAS+; nil where the image has no place.
    public var affine: Affine?

    /// The labels of a Secondary Capture.
    public init(labels: Tensor, image: String, affine: Affine?) {
      (self.labels, self.image, self.affine) = (labels, image, affine)
    }
  }

  /// Frames in which nothing is drawn.
  public enum EmptyFrames: Sendable {
    /// No frame; no object where no pixel has a segment's value.
    case none
    /// One where there would be no frame at all, which an object must have.
    case one
    /// All slices: of slices at uneven distances the rest would not tell where they lie.
    case all
  }

  /// Whom and what the object belongs to: a series of its own in the images' study and frame of reference.
  public var identity: DICOMSeriesIdentity
  /// SeriesInstanceUID of the images.
  public var imageSeries: String
  /// In the order of their numbers, from 1.
  public var segments: [Segment]
  /// In the order of their positions; all of one size.
  public var slices: [Slice]
  /// What drew the segments, SegmentAlgorithmName; nil where people did.
  public var algorithm: String?
  /// Which frames of the first segment are there without a pixel of it.
  public var emptyFrames = EmptyFrames.none
  /// When the object was made.
  public var date = Date()

  /// SegmentationStorage.
  public static let sopClass = "1.2.840.10008.5.1.4.1.1.66.4"

  /// A segmentation of a series of images.
  public init(identity: DICOMSeriesIdentity, imageSeries: String, segments: [Segment], slices: [Slice]) {
    (self.identity, self.imageSeries) = (identity, imageSeries)
    (self.segments, self.slices) = (segments, slices)
  }

  /// A plane of one segment: places in `segments` and `slices`.
  private struct Frame {
    let segment: Int
    let slice: Int
  }

  /// The file; nil where no pixel has a segment's value, unless empty frames are kept. Other planes without a pixel
  /// of a segment are left out.
  public func encoded() -> Data? {
    let present = slices.map { Set(Self.values(of: $0)) }
    var frames = segments.indices.flatMap { segment in
      let value = Int32(segments[segment].value)
      return slices.indices.filter { present[$0].contains(value) || segment == 0 && emptyFrames == .all }
        .map { Frame(segment: segment, slice: $0) }
    }
    if frames.isEmpty, emptyFrames == .one { frames = [Frame(segment: 0, slice: 0)] }
    guard !frames.isEmpty else { return nil }
    let instance = DICOMUID.new()
    let elements =
      identity.elements(class: Self.sopClass, instance: instance, number: 1, modality: "SEG")
      + general + references + dimensions + image(frames)
      + [
        .sequence(0x0062_0002, segments.indices.map(describe)),
        .sequence(0x5200_9229, [planes.first.map(shared) ?? []]),
        .sequence(0x5200_9230, frames.map(functionalGroups)),
      ]
    return DICOMPart10.encoded(elements, class: Self.sopClass, instance: instance)
  }

  /// One for each slice, or none where a slice has no place.
  private var planes: [ImagePlane] {
    let planes = slices.compactMap { $0.affine.flatMap(ImagePlane.init) }
    return planes.count == slices.count ? planes : []
  }

  private var general: [WrittenElement] {
    let time = date.formatted(.iso8601).filter(\.isNumber)
    let elements: [WrittenElement] = [
      .text(0x0008_0008, .cs, "DERIVED", "PRIMARY"), .text(0x0008_0023, .da, String(time.prefix(8))),
      .text(0x0008_0033, .tm, String(time.suffix(6))), .text(0x0028_2110, .cs, "00"),
      .text(0x0062_0001, .cs, "BINARY"), .text(0x0062_0013, .cs, "NO"),
      .text(0x0070_0080, .cs, "SEGMENTATION"), .text(0x0070_0081, .lo, "Labels"),
      .text(0x0070_0084, .pn, "Limn^"),
    ]
    guard !planes.isEmpty else { return elements }
    return elements + [.text(0x0020_0052, .ui, identity.frameOfReference), .text(0x0020_1040, .lo, "")]
  }

  /// Common Instance Reference module (C.12.2).
  private var references: [WrittenElement] {
    var seen = Set<String>()
    let images = slices.filter { seen.insert($0.image).inserted }.map(Self.reference)
    return [
      .sequence(0x0008_1115, [[.text(0x0020_000E, .ui, imageSeries), .sequence(0x0008_114A, images)]])
    ]
  }

  private static func reference(to slice: Slice) -> [WrittenElement] {
    [.text(0x0008_1150, .ui, slice.imageClass), .text(0x0008_1155, .ui, slice.image)]
  }

  /// Frames are told apart by segment, then by position in the stack (C.7.6.17).
  private var dimensions: [WrittenElement] {
    let uid = DICOMUID.new()
    func index(_ tag: DICOMTag, in group: DICOMTag) -> [WrittenElement] {
      [.text(0x0020_9164, .ui, uid), .pointer(0x0020_9165, to: tag), .pointer(0x0020_9167, to: group)]
    }
    return [
      .sequence(0x0020_9221, [[.text(0x0020_9164, .ui, uid)]]),
      .sequence(
        0x0020_9222, [index(0x0062_000B, in: 0x0062_000A), index(0x0020_9057, in: 0x0020_9111)]),
    ]
  }

  private func image(_ frames: [Frame]) -> [WrittenElement] {
    let size = slices[0].labels.shape
    return [
      .shorts(0x0028_0002, [1]), .text(0x0028_0004, .cs, "MONOCHROME2"), .whole(0x0028_0008, frames.count),
      .shorts(0x0028_0010, [size[0]]), .shorts(0x0028_0011, [size[1]]), .shorts(0x0028_0100, [1]),
      .shorts(0x0028_0101, [1]), .shorts(0x0028_0102, [0]), .shorts(0x0028_0103, [0]),
      WrittenElement(0x7FE0_0010, .ob, bytes: packed(frames)),
    ]
  }

  private static func values(of slice: Slice) -> [Int32] { slice.labels.to(.int32).array(of: Int32.self) }

  /// Eight pixels to a byte, the first in the lowest bit, frames without a gap (PS3.5 section 8.1.1).
  private func packed(_ frames: [Frame]) -> Data {
    let size = slices[0].labels.count
    var bytes = [UInt8](repeating: 0, count: (frames.count * size + 7) / 8)
    for (index, frame) in frames.enumerated() {
      let value = Int32(segments[frame.segment].value)
      for (pixel, label) in Self.values(of: slices[frame.slice]).enumerated() where label == value {
        let place = index * size + pixel
        bytes[place / 8] |= 1 << UInt8(place % 8)
      }
    }
    return Data(bytes)
  }
}

extension SegmentationObject {
  /// Whose codes of segments say the values that they had in the label maps.
  static let codingScheme = "99LIMN"
  private static let codePrefix = "CLASS-"

  private static func code(ofValue value: Int) -> String { "\(codePrefix)\(value)" }

  /// The value that a code of this scheme stands for; nil of other codes.
  static func value(ofCode code: String) -> Int? {
    guard code.hasPrefix(codePrefix) else { return nil }
    return Int(code.dropFirst(codePrefix.count)).flatMap { (1...65535).contains($0) ? $0 : nil }
  }

  /// Segment Description macro. Classes are the user's own, so their codes are too; the category says no more
  /// than that something in the body is meant.
  private func describe(_ place: Int) -> [WrittenElement] {
    let segment = segments[place]
    let lab = segment.colour.cielab
    let scaled = [lab.x / 100, (lab.y + 128) / 255, (lab.z + 128) / 255]
    let drawnBy: [WrittenElement] =
      algorithm.map { [.text(0x0062_0008, .cs, "AUTOMATIC"), .text(0x0062_0009, .lo, $0)] }
      ?? [.text(0x0062_0008, .cs, "MANUAL")]
    return drawnBy + [
      .shorts(0x0062_0004, [place + 1]), .text(0x0062_0005, .lo, segment.name),
      .code(0x0062_0003, "91723000", "SCT", "Anatomical Structure"),
      .code(0x0062_000F, Self.code(ofValue: segment.value), Self.codingScheme, segment.name),
      .shorts(0x0062_000D, scaled.map { Int(($0 * 65535).rounded()) }),
    ]
  }

  /// What holds for all frames: spacing and orientation.
  private func shared(_ plane: ImagePlane) -> [WrittenElement] {
    [
      .sequence(0x0028_9110, [plane.spacingElements]), .sequence(0x0020_9116, [[plane.orientationElement]]),
    ]
  }

  private func functionalGroups(of frame: Frame) -> [WrittenElement] {
    let content: [WrittenElement] = [
      .text(0x0020_9056, .sh, "1"), .longs(0x0020_9057, [frame.slice + 1]),
      .longs(0x0020_9157, [frame.segment + 1, frame.slice + 1]),
    ]
    let slice = slices[frame.slice]
    let source =
      Self.reference(to: slice) + (slice.imageFrame.map { [.whole(0x0008_1160, $0)] } ?? []) + [
        .code(0x0040_A170, "121322", "DCM", "Source image for image processing operation"),
        .text(0x0028_135A, .cs, "YES"),
      ]
    let derivation: [WrittenElement] = [
      .sequence(0x0008_2112, [source]), .code(0x0008_9215, "113076", "DCM", "Segmentation"),
    ]
    return [
      .sequence(0x0020_9111, [content]), .sequence(0x0008_9124, [derivation]),
      .sequence(0x0062_000A, [[.shorts(0x0062_000B, [frame.segment + 1])]]),
    ] + (planes.isEmpty ? [] : [.sequence(0x0020_9113, [[planes[frame.slice].positionElement]])])
  }
}
