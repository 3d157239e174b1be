// What the DICOM objects that Limn writes say of patient, study, series and origin.

import Foundation
import LimnTorch

/// Unique identifiers.
public enum DICOMUID {
  /// A new one, from a random UUID (PS3.5 section B.2).
  public static func new() -> String {
    let bytes = withUnsafeBytes(of: UUID().uuid) { Array($0) }
    return "2.25.\(bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })"
  }
}

/// The patient, study and series that an object belongs to, and how it came to be.
public struct DICOMSeriesIdentity: Sendable {
  /// A pseudonym: PatientID and PatientName.
  public var patient: String
  /// StudyInstanceUID.
  public var study: String
  /// The day of the study, ISO 8601, moved; nil where not known.
  public var date: String?
  /// SeriesInstanceUID.
  public var series = DICOMUID.new()
  /// From 1 within the study.
  public var seriesNumber = 1
  /// SeriesDescription; `SYNTHETIC` is put before it where the image is.
  public var seriesDescription = ""
  /// Of the images, such as CT; nil where not known.
  public var modality: String?
  /// FrameOfReferenceUID of images that have a place.
  public var frameOfReference: String
  /// Whether a model drew the images.
  public var isSynthetic: Bool
  /// How the object was made.
  public var derivation: String
  /// What other objects of the study say of patient and study, which a new series of it has to repeat; nil of a
  /// study of Limn's own, under a pseudonym.
  var sameStudy: [WrittenElement]?

  /// A new series in a frame of reference of its own.
  public init(patient: String, study: String, date: String?, isSynthetic: Bool, derivation: String) {
    (self.patient, self.study, self.date) = (patient, study, date)
    (self.isSynthetic, self.derivation) = (isSynthetic, derivation)
    frameOfReference = DICOMUID.new()
  }

  /// Patient, study, series, equipment and SOP common modules (PS3.3 C.7.1, C.7.2, C.7.3, C.7.5, C.12.1), with
  /// the marks of de-identification (C.7.1.1) and of synthetic data.
  func elements(
    class sopClass: String, instance: String, number: Int, modality: String
  ) -> [WrittenElement] {
    (sameStudy ?? patientElements + studyElements) + [
      .text(0x0008_0005, .cs, "ISO_IR 192"), .text(0x0008_0016, .ui, sopClass),
      .text(0x0008_0018, .ui, instance), .text(0x0008_0060, .cs, modality),
      .text(0x0008_0070, .lo, "Limn"), .text(0x0008_1090, .lo, "limn"), .text(0x0018_1000, .lo, "none"),
      .text(0x0018_1020, .lo, LimnVersion.current),
      .text(0x0008_103E, .lo, (isSynthetic ? "SYNTHETIC " : "") + seriesDescription),
      .text(0x0020_000E, .ui, series), .whole(0x0020_0011, seriesNumber), .whole(0x0020_0013, number),
      .text(0x0020_0020, .cs, ""),
      .text(0x0008_2111, .st, derivation),
    ]
      + (isSynthetic ? [.text(0x0020_4000, .lt, "SYNTHETIC: \(derivation)")] : [])
  }

  private var patientElements: [WrittenElement] {
    [
      .text(0x0010_0010, .pn, "\(patient)^"), .text(0x0010_0020, .lo, patient), .text(0x0010_0030, .da, ""),
      .text(0x0010_0040, .cs, ""), .text(0x0012_0062, .cs, "YES"),
      .text(0x0012_0063, .lo, "No attribute of the source copied; pseudonym; dates shifted"),
      .text(0x0028_0303, .cs, date == nil ? "REMOVED" : "MODIFIED"),
    ]
  }

  private var studyElements: [WrittenElement] {
    let day = date?.filter { $0.isASCII && $0.isNumber } ?? ""
    return [
      .text(0x0008_0020, .da, day.count == 8 ? day : ""), .text(0x0008_0030, .tm, ""),
      .text(0x0008_0050, .sh, ""), .text(0x0008_0090, .pn, ""), .text(0x0020_000D, .ui, study),
      .text(0x0020_0010, .sh, "1"),
    ]
  }
}

/// A file of one object (PS3.10 section 7.1).
enum DICOMPart10 {
  private static let explicitLittleEndian = "1.2.840.10008.1.2.1"
  private static let implementation = "2.25.232002813383080463737372809899752560140"

  static func encoded(_ elements: [WrittenElement], class sopClass: String, instance: String) -> Data {
    let meta = WrittenElement.encoded([
      WrittenElement(0x0002_0001, .ob, bytes: Data([0, 1])), .text(0x0002_0002, .ui, sopClass),
      .text(0x0002_0003, .ui, instance), .text(0x0002_0010, .ui, explicitLittleEndian),
      .text(0x0002_0012, .ui, implementation), .text(0x0002_0013, .sh, "LIMN \(LimnVersion.current)"),
    ])
    return Data(count: 128) + Data("DICM".utf8) + WrittenElement.encoded([.longs(0x0002_0000, [meta.count])])
      + meta + WrittenElement.encoded(elements)
  }
}
