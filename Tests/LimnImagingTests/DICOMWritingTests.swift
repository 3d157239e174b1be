// DICOM as Limn writes it, read back by GDCM; scripts/check-export has pydicom and dciodvfy look at it too.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnImaging

@Suite struct DICOMWritingTests {
  private func identity(isSynthetic: Bool = true) -> DICOMSeriesIdentity {
    var identity = DICOMSeriesIdentity(
      patient: "patient-1", study: DICOMUID.new(), date: "2019-03-07", isSynthetic: isSynthetic,
      derivation: "made by a test")
    identity.modality = "MR"
    return identity
  }

  /// Oblique, without any symmetry: pixels of 0.7 by 0.9 mm, slices 2.5 mm apart.
  private func affine(slice: Double) -> Affine {
    let (a, b) = (0.3, -0.5)
    let x: SIMD3<Double> = [cos(a), sin(a), 0]
    let y: SIMD3<Double> = [-sin(a) * cos(b), cos(a) * cos(b), sin(b)]
    let z: SIMD3<Double> = [x.y * y.z - x.z * y.y, x.z * y.x - x.x * y.z, x.x * y.y - x.y * y.x]
    return Affine(
      x: x * -0.7, y: y * -0.9, z: z * 2.5, origin: SIMD3(12.5, -33.25, 71.125) + z * (2.5 * slice))
  }

  private func noise(_ dtype: DType, _ shape: [Int]) -> Tensor {
    Tensor.randint(0, dtype == .uint8 ? 256 : 65536, shape, generator: Generator(seed: 4)).to(.int32).to(
      dtype)
  }

  @Test(arguments: [DType.uint8, .uint16], [1, 3])
  func picturesKeepEveryBit(dtype: DType, channels: Int) throws {
    try withTemporaryFolder { folder in
      // An odd count of bytes must be padded.
      let pixels = noise(dtype, [channels, 5, 7])
      var capture = SecondaryCapture(identity: identity(), pixels: pixels)
      capture.spacing = [0.5, 0.25]
      let url = folder.appendingPathComponent("a.dcm")
      try capture.encoded().write(to: url)
      let back = try ImageReader.read(url)
      #expect(back.voxels.dtype == dtype && difference(back.voxels.squeezed(1), pixels) == 0)
      #expect(back.info.patientID == "patient-1" && back.info.modality == "MR" && !back.info.hasGeometry)
      #expect(back.spacing.x == 0.25 && back.spacing.y == 0.5)
    }
  }

  @Test func aSeriesLiesWhereItCameFrom() throws {
    try withTemporaryFolder { folder in
      let voxels = noise(.uint16, [1, 4, 5, 7])
      let identity = identity()
      // Written in an order other than that in space.
      for slice in [2, 0, 3, 1] {
        var capture = SecondaryCapture(identity: identity, pixels: voxels[.all, slice])
        (capture.number, capture.affine) = (slice + 1, affine(slice: Double(slice)))
        try capture.encoded().write(to: folder.appendingPathComponent("\(7 * slice % 5).dcm"))
      }
      let volumes = try DICOMSeries.read(folder)
      #expect(volumes.count == 1 && volumes[0].info.hasGeometry)
      #expect(difference(volumes[0].voxels, voxels) == 0)
      // Millimetres; DICOM's decimals have at least 10 digits.
      #expect(difference(volumes[0].affine, affine(slice: 0).elements) < 1e-8)
    }
  }

  @Test func whatIsNotAtRightAnglesHasNoPlace() throws {
    try withTemporaryFolder { folder in
      var capture = SecondaryCapture(identity: identity(), pixels: noise(.uint8, [1, 4, 4]))
      capture.affine = Affine(x: [1, 0, 0], y: [0.1, 1, 0], z: [0, 0, 1], origin: .zero)
      let url = folder.appendingPathComponent("a.dcm")
      try capture.encoded().write(to: url)
      #expect(try !ImageReader.read(url).info.hasGeometry)
    }
  }

  @Test func syntheticImagesSaySo() throws {
    let pixels = noise(.uint8, [1, 4, 4])
    let drawn = try SecondaryCapture(identity: identity(), pixels: pixels).encoded()
    let real = try SecondaryCapture(identity: identity(isSynthetic: false), pixels: pixels).encoded()
    for mark in ["SYNTHETIC", "DERIVED\\SECONDARY\\SYNTHETIC", "SYNTHETIC: made by a test"] {
      #expect(drawn.range(of: Data(mark.utf8)) != nil && real.range(of: Data(mark.utf8)) == nil)
    }
    for data in [drawn, real] { #expect(data.range(of: Data("20190307".utf8)) != nil) }
  }

  @Test func otherPixelsAreRefused() {
    #expect(throws: ImagingError.self) {
      try SecondaryCapture(identity: identity(), pixels: Tensor.zeros([1, 4, 4])).encoded()
    }
    #expect(throws: ImagingError.self) {
      try SecondaryCapture(identity: identity(), pixels: Tensor.zeros([2, 4, 4], dtype: .uint8)).encoded()
    }
  }

  /// Two frames of 6 pixels each are 12 bits: the second begins in the middle of the first byte.
  @Test func segmentsArePackedWithoutGaps() throws {
    let labels = Tensor([2, 0, 0, 5, 0, 2] as [UInt8], shape: [2, 3])
    func object(_ values: [Int]) -> SegmentationObject {
      SegmentationObject(
        identity: identity(), imageSeries: DICOMUID.new(),
        segments: values.map {
          SegmentationObject.Segment(value: $0, name: "part \($0)", colour: LabelColours.colour(of: $0))
        },
        slices: [SegmentationObject.Slice(labels: labels, image: DICOMUID.new(), affine: affine(slice: 0))])
    }
    let data = try #require(object([2, 5, 7]).encoded())
    #expect(data.suffix(2).elementsEqual([0b0010_0001, 0b0000_0010]))
    #expect(data.range(of: Data("part 7".utf8)) != nil)
    #expect(object([7]).encoded() == nil)
  }

  @Test func segmentsLieWhereTheyCameFrom() throws {
    try withTemporaryFolder { folder in
      let labels = Tensor.randint(0, 4, [3, 5, 7], generator: Generator(seed: 2)).to(.uint8)
      labels[1].fill(0)
      let object = SegmentationObject(
        identity: identity(), imageSeries: DICOMUID.new(),
        segments: (1...3).map {
          SegmentationObject.Segment(value: $0, name: "part \($0)", colour: LabelColours.colour(of: $0))
        },
        slices: (0..<3).map {
          SegmentationObject.Slice(
            labels: labels[$0], image: DICOMUID.new(), affine: affine(slice: Double($0)))
        })
      let url = folder.appendingPathComponent("a.dcm")
      try #require(object.encoded()).write(to: url)
      let back = try DICOMSegmentation.read(url)
      #expect(back.classes.map(\.name) == ["part 1", "part 2", "part 3"])
      #expect(difference(back.labels.voxels[0].to(.uint8), labels) == 0)
      #expect(difference(back.labels.affine, affine(slice: 0).elements) < 1e-8)
    }
  }

  @Test(arguments: [0, 1, -0.1, 1.0 / 3, -123456.789012345, 1e-7 / 3, 6.02214076e23, -2.5e-300])
  func decimalsFitSixteenCharacters(value: Double) throws {
    let text = WrittenElement.decimal(value)
    #expect(text.count <= 16)
    // A sign, a point and an exponent of three digits leave nine of sixteen.
    #expect(abs(try #require(Double(text)) - value) <= 1e-8 * abs(value))
  }

  @Test func textsAreCutAndCleaned() {
    let long = String(repeating: "ä", count: 70)
    #expect(String(decoding: WrittenElement.text(0, .lo, long).value, as: UTF8.self).hasPrefix("ää"))
    #expect(WrittenElement.text(0, .lo, long).value.count == 128)
    #expect(WrittenElement.text(0, .lo, "a\\b\nc").value == Data("a/bc".utf8))
    #expect(WrittenElement.text(0, .cs, "A", "BC").value == Data("A\\BC".utf8))
    #expect(WrittenElement.text(0, .ui, "1.2").value == Data("1.2\0".utf8))
  }

  @Test func identifiersAreUniqueAndShortEnough() {
    let identifiers = (0..<1000).map { _ in DICOMUID.new() }
    #expect(Set(identifiers).count == 1000)
    for identifier in identifiers {
      #expect(identifier.hasPrefix("2.25.") && identifier.count <= 44)
      #expect(identifier.dropFirst(5).allSatisfy(\.isNumber) && !identifier.hasPrefix("2.25.0"))
    }
  }
}
