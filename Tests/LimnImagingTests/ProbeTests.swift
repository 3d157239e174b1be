// The header probe tells what reading gives; pairs and Analyze; all 48 orders and directions of axes.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct ProbeTests {
  @Test(arguments: [
    "gray8.png", "gray16.png", "rgb8.png", "rgba8.png", "palette.png", "bits.png", "gray16.tif", "float.tif",
    "double.tif", "signed.tif", "planar.tif", "white.tif", "palette.tif", "pages.tif", "int16.nii",
    "two.nii.gz", "big.nii", "scaled.nii", "four.nii", "colour.nii", "gray.jpg", "exif6.jpg", "mono1.dcm",
    "pet.dcm", "rgb.dcm", "ybr.dcm", "series/a.dcm", "dicom/bits.dcm", "dicom/palette16.dcm",
    "dicom/float.dcm",
    "dicom/pair.hdr", "dicom/packed.hdr.gz",
  ])
  func `a header tells the size, depth and spacing of what is read`(name: String) throws {
    let header = try ImageReader.probe(file(name))
    let volume = try ImageReader.read(file(name))
    #expect([header.channels, header.depth, header.height, header.width] == volume.voxels.shape)
    #expect(header.format.rawValue == volume.info.format)
    #expect(header.hasGeometry == volume.info.hasGeometry)
    #expect(header.storedBits == (name == "dicom/palette16.dcm" ? 8 : volume.storedBits))
    if let spacing = header.spacing {
      let gap = spacing - volume.spacing
      #expect((gap * gap).sum() < 1e-9)
    }
  }

  @Test func `a header survives JSON`() throws {
    let header = try ImageReader.probe(file("series/a.dcm"))
    let back = try JSONDecoder().decode(ImageHeader.self, from: JSONEncoder().encode(header))
    #expect(back == header)
    #expect(back.dicom?.patientID == "limn-7")
    #expect(back.dicom?.instanceNumber == 1)
    #expect(back.spacing?.x == 0.5)
  }

  @Test(arguments: ["text.png", "truncated.dcm", "medium/none"])
  func `what cannot be read is refused`(name: String) {
    #expect(throws: ImagingError.self) { try ImageReader.probe(file(name)) }
  }

  @Test func `a pair of files is one volume`() throws {
    let expected = try ExpectedDICOM.tensor("pair")
    for name in ["pair.hdr", "packed.hdr.gz"] {
      let volume = try ImageReader.read(dicomFile(name))
      #expect(difference(volume.voxels, expected) == 0)
      #expect(volume.spacing == [2, 3, 4])
    }
    try withTemporaryFolder { folder in
      let alone = folder.appendingPathComponent("alone.hdr")
      try FileManager.default.copyItem(at: dicomFile("pair.hdr"), to: alone)
      let error = #expect(throws: ImagingError.self) { try ImageReader.read(alone) }
      #expect(error?.found.contains("alone.img, which is missing") == true)
    }
    let error = #expect(throws: ImagingError.self) { try ImageReader.read(dicomFile("analyze.hdr")) }
    #expect(error?.found.contains("Analyze") == true)
  }
}

@Suite struct TurnedTests {
  @Test(arguments: allCodes)
  func `every order and direction of axes lies where it should`(code: String) throws {
    let expected = try ExpectedDICOM.tensor("turned")
    let affine = try ExpectedDICOM.affine("turned.affine")
    // NIfTI holds its affine as float32.
    try check("turned/\(code).nii", code, expected, affine, tolerance: 1e-5)
    // A DICOM stack goes along its normal, so its axes are right-handed: 24 of the 48.
    let dicom = file("turned/\(code).dcm")
    if FileManager.default.fileExists(atPath: dicom.path) {
      try check("turned/\(code).dcm", code, expected, affine, tolerance: 1e-9)
    }
  }

  private func check(
    _ name: String, _ code: String, _ expected: Tensor, _ affine: [Double], tolerance: Double
  ) throws {
    let volume = try ImageReader.read(file(name))
    #expect(volume.orientation.description == code)
    #expect(difference(volume.affine, try ExpectedDICOM.affine("turned.\(code).affine")) < tolerance)
    let upright = volume.reoriented(to: .ras)
    #expect(difference(upright.voxels, expected) == 0)
    #expect(difference(upright.affine, affine) < tolerance)
  }

  @Test func `24 of them are DICOM files`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: file("turned").path)
    #expect(names.filter { $0.hasSuffix(".dcm") }.count == 24)
    #expect(names.filter { $0.hasSuffix(".nii") }.count == 48)
  }
}

@Suite struct RegularTests {
  /// Five slices under a tilt of 18.5 degrees, gaps 1.1, 4.2, 4.2 and 8.4 mm; values that are linear in
  /// millimetres, which linear interpolation must give back exactly.
  private func tilted() -> Volume {
    let heights = [0, 1.1, 5.3, 9.5, 17.9]
    let slope = Foundation.tan(18.5 * Double.pi / 180)
    let origins = heights.map { SIMD3(-20, 10 + slope * $0, 5 + $0) }
    let slices = origins.map { origin -> Tensor in
      let values = (0..<12).flatMap { y in
        (0..<9).map { x in Float(value(at: origin + [0.5 * Double(x), 0.75 * Double(y), 0])) }
      }
      return Tensor(values, shape: [1, 1, 12, 9])
    }
    let gaps = zip(heights, heights.dropFirst()).map { $1 - $0 }
    var info = SourceInfo(path: "", format: "DICOM", hasGeometry: true)
    info.stack = SliceStackReport(
      origins: origins, gaps: gaps, usualGap: 4.2, isIrregular: true, tiltDegrees: 18.5, duplicates: [])
    let step = (origins[4] - origins[0]) / 4
    let affine = Affine(x: [0.5, 0, 0], y: [0, 0.75, 0], z: step, origin: origins[0])
    return Volume(voxels: Tensor.cat(slices, dim: 1), affine: affine, storedBits: 32, info: info)
  }

  private func value(at place: SIMD3<Double>) -> Double {
    3 * place.x - 2 * place.y + 5 * place.z + 100
  }

  @Test(arguments: [nil, 1.0, 2.5])
  func `tilt and gaps are undone in millimetres`(spacing: Double?) throws {
    let regular = try tilted().resampledRegular(sliceSpacing: spacing, fill: -9999)
    #expect(abs(regular.spacing.z - (spacing ?? 4.2)) < 1e-9)
    #expect(abs(dot(regular.affine.column(1), regular.affine.column(2))) < 1e-9)
    #expect(regular.info.stack == nil)
    let shape = regular.voxels.shape
    #expect(shape[1] == Int(17.9 / (spacing ?? 4.2)) + 1)
    let values = regular.voxels.array(of: Float.self)
    var compared = 0
    for (index, found) in values.enumerated() where found > -50 {
      let (x, y) = (index % shape[3], index / shape[3] % shape[2])
      let z = index / shape[3] / shape[2]
      let right = value(at: regular.affine([Double(x), Double(y), Double(z)]))
      // float32 sums of numbers below 300.
      #expect(abs(Double(found) - right) < 1e-3)
      compared += 1
    }
    #expect(compared > 12 * 9 * shape[1] / 2)
  }

  private func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { (a * b).sum() }

  @Test func `a regular volume stays as it is`() throws {
    let volume = try ImageReader.read(file("int16.nii"))
    let regular = try volume.resampledRegular()
    #expect(difference(regular.voxels, volume.voxels) == 0)
    #expect(difference(regular.affine, volume.affine.elements) < 1e-6)
  }

  @Test func `labels keep their numbers`() throws {
    var volume = tilted()
    volume.voxels = (volume.voxels.isGreater(than: 100).to(.float32) * 7).to(.uint8)
    let regular = try volume.resampledRegular(sliceSpacing: 1, interpolation: .nearest, fill: 0)
    #expect(regular.voxels.dtype == .uint8)
    #expect(Set(regular.voxels.array(of: UInt8.self)) == [0, 7])
  }

  @Test func `missing slices are counted`() throws {
    let volume = try #require(try DICOMSeries.read(file("series")).first)
    let stack = try #require(volume.info.stack)
    #expect(stack.gaps.map { ($0 * 1000).rounded() / 1000 } == [2, 2, 2, 3])
    #expect(stack.usualGap == 2)
    #expect(stack.isIrregular)
    #expect(stack.missing.isEmpty)
    let tilted = try #require(try DICOMSeries.read(file("tilted")).first?.info.stack)
    #expect(abs(tilted.tiltDegrees - 20) < 1e-6)
    #expect(tilted.duplicates.count == 1)
  }
}
