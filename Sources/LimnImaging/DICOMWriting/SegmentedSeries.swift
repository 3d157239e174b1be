// What a segmentation object takes over from the series that it lies on: patient, study, place and images.

import Foundation
import LimnTorch

/// A DICOM series about which a segmentation object is written, as a new series of the same study.
public struct SegmentedSeries: Sendable {
  private let identity: DICOMSeriesIdentity
  private let series: String
  /// In the order of the volume's slices; their labels are yet to come.
  private let slices: [SegmentationObject.Slice]
  private let isUneven: Bool

  private static let expected = "DICOM images that say where they lie, one volume of them"
  private static let advice = "write the labels in another format"

  /// Reads what the files' headers say.
  /// - Parameter files: what ``DICOMSeries/read(files:)`` makes one volume of; it has the same slices.
  /// - Throws: `ImagingError` for files that are not DICOM, say no place, or hold several volumes.
  public init(_ files: [URL]) throws {
    let path = files.first?.path ?? "no file"
    for file in files where FileKind(sniffing: file.path) != .dicom {
      let kind = FileKind(sniffing: file.path).map { "a \($0.rawValue) file" } ?? "another file"
      throw ImagingError(file: file.path, found: kind, expected: Self.expected, advice: Self.advice)
    }
    let groups = try DICOMSeries.groups(of: files.map(\.path), in: path)
    let stacks = try groups.flatMap { group in
      group.count == 1 && group[0].frameCount > 1
        ? try MultiFrame(reading: group[0].path).stacks() : [SliceStack(group.map(Slice.init(only:)))]
    }
    guard let stack = stacks.first, stacks.count == 1, stack.isPlaced else {
      throw ImagingError(
        file: path, found: stacks.count > 1 ? "\(stacks.count) volumes" : "images without a place",
        expected: Self.expected, advice: Self.advice)
    }
    identity = DICOMSeriesIdentity(sameStudyAs: try DICOMFile(reading: stack.slices[0].header.path))
    series = stack.slices[0].header.seriesUID
    let (gaps, usual) = (stack.report?.gaps ?? [], stack.report?.usualGap)
    isUneven = stack.report?.isIrregular ?? false
    let gap = isUneven ? usual : gaps.isEmpty ? nil : gaps.reduce(0, +) / Double(gaps.count)
    slices = stack.slices.map { $0.awaitingLabels(gap: gap) }
  }

  /// Slices of the volume.
  public var count: Int { slices.count }

  /// A segmentation object over the series.
  /// - Parameters:
  ///   - labels: [Z, H, W], integers.
  ///   - segments: what the values stand for; 0 and others are background.
  ///   - algorithm: what drew them, for people to read.
  /// - Returns: an object that is written even where nothing was found.
  public func object(
    labels: Tensor, segments: [SegmentationObject.Segment], algorithm: String
  ) -> SegmentationObject {
    precondition(labels.rank == 3 && labels.size(0) == count, "\(count) slices, labels of \(labels.shape)")
    let labelled = slices.enumerated().map { place, slice in
      var slice = slice
      slice.labels = labels[place]
      return slice
    }
    var object = SegmentationObject(
      identity: identity, imageSeries: series, segments: segments, slices: labelled)
    object.identity.derivation = "Labelled by \(algorithm)"
    (object.algorithm, object.emptyFrames) = (algorithm, isUneven ? .all : .one)
    return object
  }
}

extension Slice {
  // The gap is in millimetres; a single slice's thickness stands for it.
  fileprivate func awaitingLabels(gap: Double?) -> SegmentationObject.Slice {
    var slice = SegmentationObject.Slice(
      labels: .zeros([header.rows, header.columns], dtype: .uint8), image: header.instanceUID,
      affine: SliceStack([self]).affine.withStep(gap ?? 0))
    slice.imageClass = header.sopClass
    slice.imageFrame = header.frameCount > 1 ? frame + 1 : nil
    return slice
  }
}

extension Affine {
  /// The same plane with a third axis of another length; as it is for 0.
  fileprivate func withStep(_ step: Double) -> Affine {
    let z = column(2)
    guard length(z) > 0, step > 0 else { return self }
    return Affine(x: column(0), y: column(1), z: z * (step / length(z)), origin: column(3))
  }
}

extension DICOMSeriesIdentity {
  /// Patient (PS3.3 C.7.1.1) and study (C.7.2.1): what must be there even where it is empty.
  private static let required: [(DICOMTag, WrittenElement.Representation)] = [
    (0x0010_0010, .pn), (0x0010_0020, .lo), (0x0010_0030, .da), (0x0010_0040, .cs), (0x0020_000D, .ui),
    (0x0008_0020, .da), (0x0008_0030, .tm), (0x0008_0050, .sh), (0x0008_0090, .pn), (0x0020_0010, .sh),
  ]
  /// What is there only where the images have it.
  private static let optional: [(DICOMTag, WrittenElement.Representation)] = [
    (0x0010_0021, .lo), (0x0008_1030, .lo), (0x0012_0062, .cs), (0x0012_0063, .lo), (0x0028_0303, .cs),
  ]
  private static let method: DICOMTag = 0x0012_0063

  /// A new series of labels in the study and frame of reference of an image.
  init(sameStudyAs file: DICOMFile) {
    let data = file.data
    self.init(
      patient: data.text(0x0010_0020) ?? "", study: data.text(0x0020_000D) ?? "", date: nil,
      isSynthetic: data.texts(0x0008_0008).contains("SYNTHETIC"), derivation: "")
    seriesDescription = "labels"
    seriesNumber = 1000 + (data.integer(0x0020_0011) ?? 0)
    frameOfReference = data.text(0x0020_0052) ?? frameOfReference
    let present = Self.optional.filter { data.text($0.0) != nil }
    let copied = (Self.required + present).map { tag, representation in
      WrittenElement(tag, representation, bytes: Data((data.text(tag) ?? "").utf8))
    }
    // How identity was removed may be said in codes alone, which are not copied.
    let isUnsaid = data.text(0x0012_0062) == "YES" && data.text(Self.method) == nil
    sameStudy = copied + (isUnsaid ? [.text(Self.method, .lo, "As the images of the study say")] : [])
  }
}
