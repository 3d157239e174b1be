// DICOM's depths, colours, syntaxes and tables against pydicom; frames, repetitions, media, segments, identity.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

enum ExpectedDICOM {
  private static let contents = Result {
    try Safetensors.read(fixture("imaging/dicom/expected.safetensors")).tensors
  }

  static func tensor(_ name: String) throws -> Tensor {
    guard let tensor = try contents.get()[name] else { throw MissingFixture(name: name) }
    return tensor
  }

  static func affine(_ name: String) throws -> [Double] {
    try tensor(name).reshaped([-1]).array(of: Double.self)
  }
}

func dicomFile(_ name: String) -> URL { file("dicom/\(name)") }

@Suite struct DICOMPixelTests {
  @Test(arguments: [
    "uint32", "int32", "int8", "float", "double", "bits", "overlaid", "rle8", "rle16", "planes16", "swapped",
    "palette8", "palette16", "segmented", "rle", "jls", "j2k", "deflated", "implicit", "big", "lut",
  ])
  func `values are pydicom's`(name: String) throws {
    let volume = try ImageReader.read(dicomFile("\(name).dcm"))
    let expected = try ExpectedDICOM.tensor("\(name).dcm")
    #expect(volume.voxels.dtype == expected.dtype)
    #expect(difference(volume.voxels, expected) == 0)
  }

  @Test func `32-bit doses keep their digits`() throws {
    let volume = try ImageReader.read(dicomFile("dose.dcm"))
    // One rounding to float32 of values below 5.
    #expect(difference(volume.voxels, try ExpectedDICOM.tensor("dose.dcm")) <= 2.4e-7)
  }

  @Test(arguments: ["halved.dcm", "jpeg.dcm"])
  func `YBR becomes RGB`(name: String) throws {
    // Rounding of the colour conversion; JPEG's inverse transform may differ by one more.
    let gap = difference(try ImageReader.read(dicomFile(name)).voxels, try ExpectedDICOM.tensor(name))
    #expect(gap <= (name == "jpeg.dcm" ? 2 : 1))
  }

  @Test func `windows, padding and inversion are told`() throws {
    let info = try ImageReader.read(dicomFile("lut.dcm")).info
    #expect(info.windowPresets.map(\.name) == ["SOFT", "LUNG"])
    #expect(info.windowPresets.map(\.centre) == [40, -600])
    #expect(info.windowPresets.map(\.width) == [400, 1500])
    #expect(info.paddingValue == 3)
    #expect(!info.isDisplayInverted)
    #expect(try ImageReader.read(file("mono1.dcm")).info.isDisplayInverted)
  }

  @Test(arguments: ["rle", "jls", "j2k", "jpeg", "rle16", "deflated", "bits", "enhanced", "medium/DICOMDIR"])
  func `damaged files are refused in one line`(name: String) throws {
    let path = name.contains("/") ? name : "\(name).dcm"
    let whole = try Data(contentsOf: dicomFile(path))
    try withTemporaryFolder { folder in
      for share in 1..<8 {
        let url = folder.appendingPathComponent("\(share).dcm")
        try whole.prefix(whole.count * share / 8).write(to: url)
        let error = #expect(throws: ImagingError.self) { try ImageReader.read(url) }
        #expect(error?.errorDescription?.contains("\n") == false)
      }
    }
  }

  @Test func `a length beyond the file allocates nothing`() throws {
    var bytes = try Data(contentsOf: dicomFile("uint32.dcm"))
    let pixels = try #require(bytes.range(of: Data([0xE0, 0x7F, 0x10, 0, 0x4F, 0x57, 0, 0])))
    bytes.replaceSubrange(pixels.upperBound..<pixels.upperBound + 4, with: [0xF0, 0xFF, 0xFF, 0xFF])
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("long.dcm")
      try bytes.write(to: url)
      let error = #expect(throws: ImagingError.self) { try ImageReader.read(url) }
      #expect(error?.found == "a DICOM file that ends before its last value")
    }
  }
}

@Suite struct DICOMDamageTests {
  /// Bytes changed at random, the same in every run; GDCM's codecs, which may end a process, take no part.
  @Test(arguments: [
    "enhanced", "palette16", "segmented", "lut", "binary", "rle16", "deflated", "halved", "bits",
  ])
  func `no mutation does more than fail`(name: String) throws {
    let whole = [UInt8](try Data(contentsOf: dicomFile("\(name).dcm")))
    var state: UInt64 = 20_261_121
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("mutated.dcm")
      for _ in 0..<150 {
        var bytes = whole
        for _ in 0...random(4) { bytes[132 + random(whole.count - 132)] = UInt8(random(256)) }
        try Data(bytes).write(to: url)
        do {
          let header = try ImageReader.probe(url)
          // A claim of gigabytes is bounded, but takes its time.
          if header.width * header.height * header.depth < 1 << 22,
            header.dicom?.transferSyntax.contains(".2.4.") == false
          {
            _ = try ImageReader.read(url)
          }
        } catch let error as ImagingError {
          #expect(error.errorDescription?.contains("\n") == false)
        }
      }
    }
  }
}

@Suite struct DICOMFrameTests {
  @Test func `frames are ordered, rescaled one by one, times become channels`() throws {
    let volume = try ImageReader.read(dicomFile("enhanced.dcm"))
    #expect(difference(volume.voxels, try ExpectedDICOM.tensor("enhanced.dcm")) == 0)
    #expect(difference(volume.affine, try ExpectedDICOM.affine("enhanced.affine")) < 1e-9)
    #expect(volume.info.stack?.tiltDegrees ?? 1 < 1e-3)
    #expect(volume.info.stack?.usualGap == 5)
  }

  @Test func `a series has a volume for each time`() throws {
    let volumes = try DICOMSeries.read(dicomFile("enhanced.dcm"))
    let expected = try ExpectedDICOM.tensor("enhanced.dcm")
    #expect(volumes.count == 2)
    for (time, volume) in volumes.enumerated() {
      #expect(difference(volume.voxels, expected.narrowed(dim: 0, start: time, length: 1)) == 0)
    }
  }

  @Test func `acquisitions of one place are kept apart, the same object counts once`() throws {
    let volumes = try DICOMSeries.read(dicomFile("repeated"))
    let expected = try ExpectedDICOM.tensor("repeated")
    #expect(volumes.map { $0.voxels.shape } == [[1, 3, 4, 5], [1, 3, 4, 5]])
    for (acquisition, volume) in volumes.enumerated() {
      #expect(difference(volume.voxels[0], expected[acquisition]) == 0)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: dicomFile("repeated").path)
    let grouping = DICOMSeries.grouped(names.sorted().map { dicomFile("repeated/\($0)") })
    #expect(grouping.series.map(\.count) == [3, 4])
    #expect(volumes.map(\.info.warnings.count) == [0, 1])
    #expect(grouping.unreadable.isEmpty)
  }

  @Test func `colour and gray of one series are kept apart`() throws {
    let volumes = try DICOMSeries.read(files: [file("mono1.dcm"), file("rgb.dcm")])
    #expect(volumes.map(\.channels) == [1, 3])
  }

  @Test func `a file named twice is read once`() throws {
    let volumes = try DICOMSeries.read(files: [dicomFile("enhanced.dcm"), dicomFile("enhanced.dcm")])
    #expect(volumes.count == 2)
    #expect(volumes.map { $0.size[0] } == [3, 3])
  }

  @Test func `frames of one place have no geometry along z`() throws {
    let volume = try ImageReader.read(dicomFile("cine.dcm"))
    #expect(difference(volume.voxels, try ExpectedDICOM.tensor("cine.dcm")) == 0)
    #expect(!volume.info.hasGeometry)
    #expect(volume.info.stack == nil)
    #expect(volume.spacing == [1, 2, 3])
  }

  @Test func `missing slices are counted and told`() throws {
    let volume = try #require(try DICOMSeries.read(dicomFile("gap")).first)
    let missing = try #require(volume.info.stack?.missing)
    #expect(missing.map(\.after) == [2])
    #expect(missing.map(\.millimetres) == [6])
    #expect(missing.map(\.missing) == [2])
    #expect(volume.info.warnings.contains { $0.hasPrefix("2 slices seem to be missing") })
    let regular = try volume.resampledRegular()
    #expect(regular.size[0] == 6)
    // A third of the way into the gap.
    let between = volume.voxels[0, 2].to(.float64) * 2 / 3 + volume.voxels[0, 3].to(.float64) / 3
    #expect(difference(regular.voxels[0, 3], between.round()) <= 1)
  }

  @Test func `a VOI table is told as the window it spans`() throws {
    let info = try ImageReader.read(dicomFile("gap/0.dcm")).info
    #expect(info.windowPresets == [])
    let table = try ImageReader.read(dicomFile("int32.dcm")).info.windowPresets
    #expect(table.map(\.name) == ["bones"])
    #expect(table.map(\.centre) == [130])
    #expect(table.map(\.width) == [60])
  }

  @Test func `a DICOMDIR stands for its files`() throws {
    let medium = dicomFile("medium/DICOMDIR")
    #expect(try DICOMDirectory.files(listedIn: medium)?.count == 2)
    #expect(try DICOMDirectory.files(listedIn: dicomFile("lut.dcm")) == nil)
    let volumes = try DICOMSeries.read(medium)
    #expect(Set(volumes.map { $0.voxels.shape }) == [[1, 1, 40, 33], [1, 1, 4, 5]])
    try withTemporaryFolder { folder in
      let alone = folder.appendingPathComponent("DICOMDIR")
      try FileManager.default.copyItem(at: medium, to: alone)
      let error = #expect(throws: ImagingError.self) { try DICOMSeries.read(alone) }
      #expect(error?.found.contains("2 files") == true)
    }
  }
}

@Suite struct DICOMSegmentationTests {
  @Test(arguments: ["binary.dcm", "fractional.dcm"])
  func `segments become labels on their own grid`(name: String) throws {
    let (labels, classes) = try DICOMSegmentation.read(dicomFile(name))
    #expect(labels.voxels.dtype == .uint8)
    #expect(difference(labels.voxels, try ExpectedDICOM.tensor("segmentation")) == 0)
    #expect(difference(labels.affine, try ExpectedDICOM.affine("segmentation.affine")) < 1e-9)
    #expect(classes.map(\.value) == [1, 2])
    #expect(classes.map(\.name) == ["liver", "lesion"])
  }

  @Test func `other files are no segmentations`() {
    #expect(throws: ImagingError.self) { try DICOMSegmentation.read(dicomFile("lut.dcm")) }
  }
}

@Suite struct DICOMPrivacyTests {
  @Test func `identifying values are found, in sequences too`() throws {
    let found = try DICOMIdentity.values(in: dicomFile("private.dcm"))
    #expect(found["(0010,0010)"] == ["Quill^Ada"])
    #expect(found["(0010,0020)"] == ["limn-7"])
    #expect(found["(0010,0030)"] == ["19330817"])
    #expect(found["(0008,0050)"] == ["ACC-55120"])
    #expect(found["(0008,0080)"] == ["Limnhaven Infirmary"])
    #expect(found["(0008,0090)"] == ["Thorne^Basil"])
    #expect(found["(0040,1001)"] == ["RQ-90210"])
    #expect(found["(0008,0020)"] == ["20010203"])
    #expect(found["(0020,000d)"] == ["1.2.826.0.1.3680043.8.498.7.2"])
    #expect(found["(0008,0016)"] == nil)
  }

  @Test func `the header tells what may show a name`() throws {
    let header = try #require(try ImageReader.probe(dicomFile("private.dcm")).dicom)
    #expect(header.hasBurnedInAnnotation == true)
    #expect(header.hasUltrasoundRegions)
    #expect(header.mayShowText)
    #expect(header.imageType == ["DERIVED", "SECONDARY"])
    #expect(header.studyDate == "20010203")
    let plain = try #require(try ImageReader.probe(file("series/a.dcm")).dicom)
    #expect(!plain.mayShowText)
    #expect(try #require(try ImageReader.probe(dicomFile("lut.dcm")).dicom).isSecondaryCapture)
  }
}
