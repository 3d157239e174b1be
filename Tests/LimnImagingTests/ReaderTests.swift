// Every format against Pillow, tifffile, nibabel and pydicom: values to the bit, types, geometry, bad files.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct ReaderTests {
  @Test(arguments: [
    "gray8.png", "gray16.png", "rgb8.png", "rgba8.png", "palette.png", "bits.png", "gray16.tif", "float.tif",
    "double.tif", "signed.tif", "planar.tif", "white.tif", "palette.tif", "pages.tif", "rgb16.png",
    "palette2.png",
    "palette4.png", "alpha.png", "lzw.tif", "packbits.tif", "deflate.tif", "jpeg.tif", "fax.tif", "int8.tif",
    "uint32.tif", "tiles.tif", "int16.nii",
    "two.nii.gz", "big.nii", "four.nii", "colour.nii", "mono1.dcm", "pet.dcm", "rgb.dcm",
    "ybr.dcm",
  ])
  func `stored values arrive to the bit`(name: String) throws {
    let volume = try ImageReader.read(file(name))
    let expected = try Expected.tensor(name)
    #expect(volume.voxels.dtype == expected.dtype)
    #expect(difference(volume.voxels, expected) == 0)
    #expect(volume.info.path == file(name).path)
  }

  @Test(arguments: ["gray.jpg", "cmyk.jpg"] + (1...8).map { "exif\($0).jpg" })
  func `JPEG is upright and decodes as Pillow decodes it`(name: String) throws {
    let volume = try ImageReader.read(file(name))
    // Both use libjpeg-turbo; colour conversion may round by one.
    #expect(difference(volume.voxels, try Expected.tensor(name)) <= 1)
  }

  @Test(arguments: ["scaled.nii", "qform.nii"])
  func `NIfTI scaling gives float32`(name: String) throws {
    let volume = try ImageReader.read(file(name))
    #expect(volume.voxels.dtype == .float32)
    #expect(difference(volume.voxels, try Expected.tensor(name)) == 0)
  }

  @Test(arguments: [
    "int16.nii", "two.nii.gz", "big.nii", "scaled.nii", "qform.nii", "four.nii", "colour.nii",
  ])
  func `NIfTI affines are nibabel's`(name: String) throws {
    let volume = try ImageReader.read(file(name))
    // NIfTI-1 holds them as float32.
    #expect(difference(volume.affine, try Expected.affine("\(name).affine")) < 1e-5)
    #expect(volume.info.hasGeometry)
  }

  @Test func `stored bits and units are told`() throws {
    #expect(try ImageReader.read(file("gray16.png")).storedBits == 16)
    #expect(try ImageReader.read(file("mono1.dcm")).storedBits == 10)
    #expect(try ImageReader.read(file("pet.dcm")).affine == .picture())
    let slice = try ImageReader.read(file("series/a.dcm"))
    #expect(slice.storedBits == 12)
    #expect(slice.unit == .hounsfield)
    #expect(slice.info.patientID == "limn-7")
    #expect(slice.info.modality == "CT")
  }

  @Test func `content decides, not the name`() throws {
    try withTemporaryFolder { folder in
      for name in ["gray16.tif", "two.nii.gz", "pet.dcm", "rgb8.png"] {
        let renamed = folder.appendingPathComponent("\(name).jpg")
        try FileManager.default.copyItem(at: file(name), to: renamed)
        #expect(ImageReader.isReadable(renamed))
        #expect(difference(try ImageReader.read(renamed).voxels, try Expected.tensor(name)) == 0)
      }
    }
    #expect(!ImageReader.isReadable(file("text.png")))
    #expect(!ImageReader.isReadable(file("nowhere.png")))
  }

  @Test(arguments: ["png", "jpg", "tif", "nii", "dcm"])
  func `a file cut short is refused in one line`(suffix: String) throws {
    let name = "truncated.\(suffix)"
    let error = #expect(throws: ImagingError.self) { try ImageReader.read(file(name)) }
    let line = try #require(error?.errorDescription)
    #expect(line.hasPrefix(file(name).path))
    #expect(!line.contains("\n"))
  }

  /// Where a header says how large the image is, and a size that no file so short can hold (PNG: with its sum).
  @Test(arguments: [
    ("gray16.png", 16, [0, 0, 255, 0, 0, 0, 255, 0, 16, 0, 0, 0, 0, 198, 125, 38, 23]),
    ("int16.nii", 42, [0, 0x7D, 0, 0x7D, 1, 0]),
    ("gray.jpg", nil, [0xFF, 0, 0xFF, 0]),
  ])
  func `a small file cannot ask for much memory`(name: String, place: Int?, extents: [UInt8]) throws {
    try withTemporaryFolder { folder in
      var bytes = [UInt8](try Data(contentsOf: file(name)))
      let frame = bytes.indices.first { bytes[$0] == 0xFF && $0 + 1 < bytes.count && bytes[$0 + 1] == 0xC0 }
      let start = try #require(place ?? frame.map { $0 + 5 })
      bytes.replaceSubrange(start..<start + extents.count, with: extents)
      let url = folder.appendingPathComponent(name)
      try Data(bytes).write(to: url)
      let error = #expect(throws: ImagingError.self) { try ImageReader.read(url) }
      #expect(
        error?.found.contains("more than the limit of 64 MiB for a file of this size") == true,
        "\(error?.found ?? "")")
    }
  }

  @Test func `a text of a claimed 2 GiB in a PNG takes no memory`() throws {
    /// The most memory that the process has held, in KiB.
    func peak() -> Int {
      var usage = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss
    }
    try withTemporaryFolder { folder in
      let bytes = [UInt8](try Data(contentsOf: file("gray8.png")))
      let url = folder.appendingPathComponent("text.png")
      // After the signature and the header, 33 bytes.
      let chunk: [UInt8] = [0x7F, 0xFF, 0xFF, 0xF0] + Array("zTXtname".utf8) + [0, 0]
      try Data(bytes[..<33] + chunk + bytes[33...]).write(to: url)
      let before = peak()
      #expect(throws: ImagingError.self) { try ImageReader.read(url) }
      // Tests beside this one take some, too.
      #expect(peak() - before < 1 << 20)
    }
  }

  @Test func `text under a picture's name is named as text`() throws {
    let error = #expect(throws: ImagingError.self) { try ImageReader.read(file("text.png")) }
    #expect(error?.found == "text")
    #expect(error?.expected == "PNG, JPEG, TIFF, NIfTI or DICOM")
  }

  @Test func `short and empty files are refused`() throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 3, 7] {
        let url = folder.appendingPathComponent("\(count).bin")
        try Data([8, 0, 5, 0, 67, 83, 4, 0].prefix(count)).write(to: url)
        #expect(throws: ImagingError.self) { try ImageReader.read(url) }
      }
    }
  }
}

@Suite struct DICOMSeriesTests {
  @Test func `slices are ordered, rescaled and placed`() throws {
    let volumes = try DICOMSeries.read(file("series"))
    let volume = try #require(volumes.first)
    #expect(volumes.count == 1)
    #expect(volume.voxels.dtype == .int16)
    #expect(difference(volume.voxels, try Expected.tensor("series")) == 0)
    // Positions are stored as decimal text with six places.
    #expect(difference(volume.affine, try Expected.affine("series.affine")) < 1e-5)
  }

  @Test func `irregular gaps are reported`() throws {
    let volume = try #require(try DICOMSeries.read(file("series")).first)
    #expect(volume.info.warnings.count == 1)
    #expect(volume.info.warnings.first?.contains("2, 3 mm") == true)
  }

  @Test func `a tilted gantry shears the affine, a repeated place is used once`() throws {
    let volume = try #require(try DICOMSeries.read(file("tilted")).first)
    #expect(volume.voxels.dtype == .uint16)
    #expect(difference(volume.voxels, try Expected.tensor("tilted")) == 0)
    #expect(difference(volume.affine, try Expected.affine("tilted.affine")) < 1e-9)
    #expect(volume.unit == .arbitrary)
    #expect(volume.info.warnings.count == 2)
    #expect(volume.info.warnings.first?.contains("4 files at 3 places") == true)
    #expect(volume.info.warnings.last?.contains("20.0°") == true)
  }

  @Test func `series are kept apart and order of files does not matter`() throws {
    let files = ["series/c.dcm", "mono1.dcm", "series/e.dcm", "series/a.dcm", "series/d.dcm", "series/b.dcm"]
    let volumes = try DICOMSeries.read(files: files.map(file))
    #expect(volumes.count == 2)
    #expect(difference(volumes[0].voxels, try Expected.tensor("series")) == 0)
    #expect(difference(volumes[1].voxels, try Expected.tensor("mono1.dcm")) == 0)
  }

  @Test func `a folder without DICOM is refused`() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: ImagingError.self) { try DICOMSeries.read(folder) }
      #expect(error?.found == "no DICOM image")
    }
  }
}
