// Orientation, slices and resampling against nibabel and Pillow.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

/// The 48 orientations.
let allCodes: [String] = ["012", "021", "102", "120", "201", "210"].flatMap { order in
  (0..<8).map { signs in
    String(
      order.enumerated().map { place, axis in
        ["LR", "PA", "IS"].map(Array.init)[axis.wholeNumberValue ?? 0][signs >> place & 1]
      })
  }
}

@Suite struct GeometryTests {
  private func source() throws -> Volume {
    try Volume(
      voxels: Expected.tensor("reorientation.source"),
      affine: Affine(Expected.affine("reorientation.affine")),
      storedBits: 16, info: SourceInfo(path: "", format: ""))
  }

  @Test func `there are 48 codes`() { #expect(Set(allCodes).count == 48) }

  @Test(arguments: allCodes)
  func `reorientation is nibabel's`(code: String) throws {
    let target = try #require(Orientation(code))
    let turned = try source().reoriented(to: target)
    #expect(turned.orientation == target)
    #expect(difference(turned.voxels, try Expected.tensor("reorientation.\(code)")) == 0)
    #expect(difference(turned.affine, try Expected.affine("reorientation.\(code).affine")) < 1e-12)
    #expect(difference(turned.reoriented(to: .ras).voxels, try Expected.tensor("reorientation.RAS")) == 0)
  }

  @Test(arguments: ["RAA", "RA", "RASL", "XYZ", ""])
  func `letters that are no orientation are refused`(letters: String) {
    #expect(Orientation(letters) == nil)
  }

  @Test func `orientation is coded as its letters`() throws {
    let data = try JSONEncoder().encode([Orientation.lps])
    #expect(String(decoding: data, as: UTF8.self) == "[\"LPS\"]")
    #expect(try JSONDecoder().decode([Orientation].self, from: data) == [.lps])
  }

  /// One bright voxel at the patient's right, front, top.
  @Test(arguments: allCodes)
  func `slices are shown as a radiologist expects`(code: String) throws {
    let corner = Tensor.zeros([1, 5, 4, 3], dtype: .int16)
    corner[0, 4, 3, 2] = Tensor(Int16(7))
    let ras = Volume(
      voxels: corner, affine: .identity, storedBits: 16, info: SourceInfo(path: "", format: ""))
    let volume = ras.reoriented(to: try #require(Orientation(code)))
    let axial = volume.slices(axis: .axial)
    #expect(axial.map(\.shape) == Array(repeating: [1, 4, 3], count: 5))
    #expect(axial[4][0, 0, 0].item() == 7)
    let coronal = volume.slices(axis: .coronal)
    #expect(coronal.map(\.shape) == Array(repeating: [1, 5, 3], count: 4))
    #expect(coronal[0][0, 0, 0].item() == 7)
    let sagittal = volume.slices(axis: .sagittal)
    #expect(sagittal.map(\.shape) == Array(repeating: [1, 5, 4], count: 3))
    #expect(sagittal[0][0, 0, 0].item() == 7)
    #expect(SliceAxis.allCases.map(volume.sliceCount) == [5, 4, 3])
    #expect(volume.slices(axis: .axial, range: 3..<9).count == 2)
  }

  @Test func `a picture's only axial slice is the picture`() throws {
    let volume = try ImageReader.read(file("rgb8.png"))
    let slices = volume.slices(axis: .axial)
    #expect(slices.count == 1)
    #expect(difference(slices[0], try Expected.tensor("rgb8.png").squeezed(1)) == 0)
  }

  @Test func `an affine's inverse undoes it`() throws {
    let affine = try Affine(Expected.affine("series.affine"))
    let product = try #require(affine.inverse) * affine
    #expect(difference(product, Affine.identity.elements) < 1e-12)
    #expect(Affine([Double](repeating: 0, count: 16)).inverse == nil)
  }
}

@Suite struct ResamplingTests {
  @Test(arguments: [(8, 6), (40, 31), (9, 30)])
  func `stretching is Pillow's antialiased bilinear`(height: Int, width: Int) throws {
    let image = try Expected.tensor("resize.image")
    let resized = ImageResize.fit(image, height: height, width: width, mode: .stretch)
    // Values reach 1000; Pillow keeps its weights in single precision.
    #expect(difference(resized, try Expected.tensor("resize.\(height)x\(width)")) < 2e-3)
  }

  @Test func `padding keeps the whole image, cropping fills the size`() throws {
    let image = try Expected.tensor("resize.image").narrowed(dim: 1, start: 0, length: 20)
    let padded = ImageResize.fit(image, size: 40, mode: .pad, fill: -1)
    #expect(padded.shape == [1, 40, 40])
    #expect(padded[0, 0, 2].item() == -1)
    #expect(padded[0, 0, 3].item() >= 0)
    #expect(padded[0, 0, 37].item() == -1)
    let cropped = ImageResize.fit(image, size: 17, mode: .crop)
    #expect(difference(cropped, image.narrowed(dim: 1, start: 1, length: 17)) == 0)
  }

  @Test func `integers stay integers, labels stay labels`() throws {
    let labels = Tensor([0, 9, 0, 9, 200, 9] as [UInt8], shape: [1, 2, 3])
    let nearest = ImageResize.fit(labels, height: 4, width: 6, mode: .stretch, interpolation: .nearest)
    #expect(nearest[0, 1].array(of: UInt8.self) == [0, 0, 9, 9, 0, 0])
    #expect(ImageResize.fit(labels, height: 4, width: 6, mode: .stretch).dtype == .uint8)
  }

  @Test func `a resampled volume keeps its outer edges`() throws {
    let volume = try ImageReader.read(file("int16.nii"))
    let resampled = volume.resampled(spacing: [0.75, 4, 3.5])
    #expect(resampled.voxels.shape == [1, 3, 2, 10])
    let size = volume.size.reversed().map(Double.init)
    let before = [SIMD3(-0.5, -0.5, -0.5), SIMD3(size[0] - 0.5, size[1] - 0.5, size[2] - 0.5)]
    let after = [SIMD3(-0.5, -0.5, -0.5), SIMD3(9.5, 1.5, 2.5)]
    for (old, new) in zip(before, after) {
      let moved = volume.affine(old) - resampled.affine(new)
      #expect((moved * moved).sum() < 1e-18)
    }
  }

  @Test func `the mean of a halved volume stays`() throws {
    let values = Tensor((0..<64).map { Float($0 % 7) }, shape: [1, 4, 4, 4])
    let volume = Volume(
      voxels: values, affine: .identity, storedBits: 32, info: SourceInfo(path: "", format: ""))
    let flat = Tensor.full([1, 4, 4, 4], 3)
    var constant = volume
    constant.voxels = flat
    #expect(difference(constant.resampled(spacing: [2, 2, 2]).voxels, Tensor.full([1, 2, 2, 2], 3)) < 1e-6)
    #expect(abs((volume.resampled(spacing: [2, 2, 2]).voxels.mean() - values.mean()).item()) < 0.35)
  }
}

@Suite struct IntensityWindowTests {
  @Test func `percentiles are NumPy's`() throws {
    let image = try Expected.tensor("resize.image")
    let expected = try Expected.affine("percentiles")
    let outer = IntensityWindow.percentiles(0.5, 99.5).limits(of: image)
    #expect(abs(outer.low - expected[0]) < 1e-3)
    #expect(abs(outer.high - expected[2]) < 1e-3)
    #expect(abs(IntensityWindow.percentiles(30, 99).limits(of: image).low - expected[1]) < 1e-3)
  }

  @Test func `windows map to 0 and 1 and clamp`() {
    let x = Tensor([-1000, -160, 40, 240, 3000] as [Int16])
    let mapped = IntensityWindow.centre(40, width: 400).applied(to: x).array(of: Float.self)
    #expect(mapped == [0, 0, 0.5, 1, 1])
    #expect(IntensityWindow.range(-160, 240).applied(to: x).array(of: Float.self) == mapped)
    let full = IntensityWindow.full.applied(to: Tensor([0, 4095] as [UInt16]), storedBits: 12)
    #expect(full.array(of: Float.self) == [0, 1])
  }

  @Test func `no numbers and constants are guarded`() {
    let x = Tensor([.nan, 1, 3, .infinity] as [Float])
    #expect(IntensityWindow.full.applied(to: x).array(of: Float.self) == [0, 0, 1, 1])
    let constant = Tensor([5, 5] as [Float])
    #expect(IntensityWindow.full.applied(to: constant).array(of: Float.self) == [0, 0])
  }
}
