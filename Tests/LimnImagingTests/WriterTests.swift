// What is written is read back the same; marks, atomicity, refusals.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct WriterTests {
  @Test(arguments: ["gray8.png", "gray16.png", "rgb8.png"])
  func `PNG round trip`(name: String) throws {
    let pixels = try Expected.tensor(name).squeezed(1)
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.png")
      try PNGFile.write(pixels: pixels, text: PNGFile.syntheticText("by Limn"), to: url)
      let back = try ImageReader.read(url).voxels
      #expect(back.dtype == pixels.dtype)
      #expect(difference(back.squeezed(1), pixels) == 0)
      #expect(try Data(contentsOf: url).range(of: Data("tEXtSynthetic\0by Limn".utf8)) != nil)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
    }
  }

  @Test(arguments: ["pages.tif", "float.tif", "signed.tif", "planar.tif"])
  func `TIFF round trip`(name: String) throws {
    let voxels = try Expected.tensor(name)
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.tif")
      try TIFFFile.write(voxels: voxels, description: "Synthetic: by Limn", to: url)
      let back = try ImageReader.read(url).voxels
      #expect(back.dtype == voxels.dtype)
      #expect(difference(back, voxels) == 0)
      #expect(try Data(contentsOf: url).range(of: Data("Synthetic: by Limn".utf8)) != nil)
    }
  }

  @Test(arguments: ["int16.nii", "two.nii.gz", "four.nii", "qform.nii"], ["a.nii", "a.nii.gz"])
  func `NIfTI round trip`(name: String, target: String) throws {
    let volume = try ImageReader.read(file(name))
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(target)
      try NIfTIFile.write(volume, description: "Synthetic: by Limn", to: url)
      let back = try ImageReader.read(url)
      #expect(back.voxels.dtype == volume.voxels.dtype)
      #expect(difference(back.voxels, volume.voxels) == 0)
      #expect(difference(back.affine, volume.affine.elements) < 1e-5)
      let isCompressed = try Data(contentsOf: url).starts(with: [0x1F, 0x8B])
      #expect(isCompressed == target.hasSuffix("gz"))
    }
  }

  @Test func `JPEG keeps smooth images close`() throws {
    let pixels = try Expected.tensor("gray.jpg").squeezed(1)
    let data = try JPEGFile.encode(pixels: pixels, quality: 95, comment: "Synthetic")
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.jpg")
      try data.write(to: url)
      #expect(difference(try ImageReader.read(url).voxels.squeezed(1), pixels) <= 8)
      #expect(data.range(of: Data("Synthetic".utf8)) != nil)
    }
  }

  @Test func `what a format cannot hold is refused`() {
    #expect(throws: ImagingError.self) { try PNGFile.encode(pixels: Tensor.zeros([1, 4, 4])) }
    #expect(throws: ImagingError.self) { try PNGFile.encode(pixels: Tensor.zeros([2, 4, 4], dtype: .uint8)) }
    #expect(throws: ImagingError.self) { try PNGFile.encode(pixels: Tensor.zeros([4, 4], dtype: .uint8)) }
    #expect(throws: ImagingError.self) {
      try JPEGFile.encode(pixels: Tensor.zeros([1, 4, 4], dtype: .uint16))
    }
  }

  @Test func `nothing stays where writing fails`() throws {
    let pixels = Tensor.zeros([1, 4, 4], dtype: .uint8)
    let nowhere = URL(fileURLWithPath: "/proc/nowhere/a.png")
    #expect(throws: (any Error).self) { try PNGFile.write(pixels: pixels, to: nowhere) }
    try withTemporaryFolder { folder in
      #expect(throws: ImagingError.self) {
        try TIFFFile.write(
          voxels: Tensor.zeros([2, 1, 4, 4], dtype: .uint8), to: folder.appendingPathComponent("a.tif"))
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.isEmpty)
    }
  }

  @Test func `an animation holds its frames`() throws {
    let frames = try ["gray8.png", "gray8.png"].map { try Expected.tensor($0).squeezed(1) }
    let moved = [frames[0], frames[1].flipped([2])]
    let data = try AnimatedPNG.encode(frames: moved, framesPerSecond: 5, text: PNGFile.syntheticText("yes"))
    for name in ["acTL", "fcTL", "fdAT", "tEXtSynthetic"] { #expect(data.range(of: Data(name.utf8)) != nil) }
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.png")
      try data.write(to: url)
      #expect(difference(try ImageReader.read(url).voxels.squeezed(1), moved[0]) == 0)
    }
    #expect(throws: ImagingError.self) { try AnimatedPNG.encode(frames: []) }
  }
}

@Suite struct ContactSheetTests {
  @Test func `images lie in reading order`() {
    let images = Tensor((0..<3).map { UInt8($0 + 1) }, shape: [3, 1, 1, 1]).expanded([3, 1, 2, 2])
    let sheet = ContactSheet(columns: 2, padding: 1, background: 9).image(of: images)
    #expect(sheet.shape == [1, 7, 7])
    #expect(sheet[0, 1].array(of: UInt8.self) == [9, 1, 1, 9, 2, 2, 9])
    #expect(sheet[0, 4].array(of: UInt8.self) == [9, 3, 3, 9, 9, 9, 9])
  }

  @Test func `rows of groups alternate, gray joins colour`() {
    let colour = Tensor.full([3, 3, 1, 1], 1)
    let gray = Tensor.full([3, 1, 1, 1], -1)
    let sheet = ContactSheet(columns: 2, padding: 0).image(ofRows: [colour, gray])
    #expect(sheet.shape == [3, 4, 2])
    #expect(sheet[2].array(of: UInt8.self) == [255, 255, 0, 0, 255, 255, 0, 255])
  }

  @Test func `floats are rounded to bytes`() {
    let x = Tensor([-2, -1, 0, 0.5, 1, 2] as [Float], shape: [1, 1, 1, 6])
    #expect(ContactSheet.bytes(x).array(of: UInt8.self) == [0, 0, 128, 191, 255, 255])
  }
}
