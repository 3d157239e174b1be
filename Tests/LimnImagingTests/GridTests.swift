// One volume's intensities on the grid of another, against nibabel, SciPy and libtorch.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnImaging

@Suite struct GridTests {
  private func volume(_ voxels: Tensor, _ affine: Affine) -> Volume {
    Volume(
      voxels: voxels.unsqueezed(0), affine: affine, storedBits: 16,
      info: SourceInfo(path: "test", format: "NIfTI", hasGeometry: true))
  }

  private func axes(_ x: Double, _ y: Double, _ z: Double, at origin: SIMD3<Double> = .zero) -> Affine {
    Affine(x: [x, 0, 0], y: [0, y, 0], z: [0, 0, z], origin: origin)
  }

  @Test func `an oblique grid is nibabel's`() throws {
    let stored = try Safetensors.read(fixture("imaging/grid.safetensors")).tensors
    func tensor(_ name: String) throws -> Tensor { try #require(stored[name]) }
    func affine(_ name: String) throws -> Affine {
      Affine(try tensor(name).flattened().array(of: Double.self))
    }
    let expected = try tensor("expected")
    let moving = volume(try tensor("moving"), try affine("moving.affine"))
    let fixed = volume(Tensor.zeros(expected.shape), try affine("fixed.affine"))
    let result = try moving.resampledLinearly(onto: fixed)
    #expect(result.affine == fixed.affine && result.voxels.dtype == .float32)
    let isInside = try tensor("isInside").to(.bool)
    let found = result.voxels[0]
    #expect(found.isEqual(to: found).isNotEqual(to: isInside).any().item() == 0)
    let error = Tensor.where(isInside, found - expected, Tensor.zeros([])).abs().max().item()
    // Of a range of 1800.
    #expect(error <= 1e-5 * 1800)
  }

  @Test(arguments: [DType.uint8, .int16, .float32])
  func `the own grid, turned or not, gives equal values`(type: DType) throws {
    let voxels = Tensor.randint(0, 200, [5, 7, 6], generator: Generator(seed: 1)).to(type)
    let own = volume(voxels, axes(2, 1.5, 3, at: [-4, 5, 6]))
    #expect(try own.resampledLinearly(onto: own).voxels[0].isIdentical(to: voxels.to(.float32)))
    for letters in ["LPS", "PIR", "SAL"] {
      let turned = own.reoriented(to: try #require(Orientation(letters)))
      #expect(difference(try turned.resampledLinearly(onto: own).voxels[0], voxels.to(.float32)) < 0.005)
    }
  }

  @Test
  func `half a voxel further lies the mean of neighbours, and half a voxel beyond the last one nothing`()
    throws
  {
    let voxels = Tensor.rand([4, 5, 6], generator: Generator(seed: 2))
    let own = volume(voxels, axes(2, 2, 2))
    let moved = try own.resampledLinearly(onto: volume(voxels, axes(2, 2, 2, at: [1, 0, 0]))).voxels[0]
    let mean = (voxels[.all, .all, 0..<5] + voxels[.all, .all, 1..<6]) / 2
    #expect(difference(moved[.all, .all, 0..<5], mean) < 1e-6)
    // The last is on the face of the outermost voxel, which goes on to there.
    #expect(difference(moved[.all, .all, 5..<6], voxels[.all, .all, 5..<6]) < 1e-6)
    let further = try own.resampledLinearly(onto: volume(voxels, axes(2, 2, 2, at: [1.01, 0, 0]))).voxels[0]
    #expect(further[.all, .all, 5].array(of: Float.self).allSatisfy { $0.isNaN })
  }

  /// A triangle as wide as the new voxel, as libtorch's antialiased interpolation has it.
  @Test func `a coarser grid is antialiased`() throws {
    let voxels = Tensor.rand([1, 15, 21], generator: Generator(seed: 3))
    let own = volume(voxels, axes(1, 1, 4))
    let coarse = volume(Tensor.zeros([1, 5, 7]), axes(3, 3, 4, at: [1, 1, 0]))
    let found = try own.resampledLinearly(onto: coarse).voxels[0]
    let expected = interpolate(voxels.unsqueezed(0), size: [5, 7], mode: .bilinear, antialias: true)[0]
    #expect(difference(found[.all, 1..<4, 1..<6], expected[.all, 1..<4, 1..<6]) < 1e-6)
    // Stripes of one voxel are gray from afar.
    let stripes = (Tensor.arange(21).to(.float32) - (Tensor.arange(21).to(.float32) / 2).floor() * 2)
      .reshaped([1, 1, 21]).expanded([1, 15, 21]).contiguous()
    let gray = try volume(stripes, axes(1, 1, 4)).resampledLinearly(onto: coarse).voxels[0]
    #expect((gray[.all, .all, 1..<6] - 0.5).abs().max().item() < 0.06)
  }

  @Test func `slices at uneven distances are met where they lie`() throws {
    let ramp = (Tensor.arange(10).to(.float32) * 10).reshaped([10, 1, 1]).expanded([10, 3, 3]).contiguous()
    let own = volume(ramp, axes(1, 1, 1))
    var grid = volume(Tensor.zeros([3, 3, 3]), axes(1, 1, 3.5))
    grid.info.stack = SliceStackReport(
      origins: [[0, 0, 0], [0, 0, 2], [0, 0, 7]], gaps: [2, 5], usualGap: 2, isIrregular: true, tiltDegrees: 0
    )
    // Uneven grids are not told from even ones by their step: 3.5 mm, over which the ramp is smoothed.
    let found = try own.resampledLinearly(onto: grid).voxels[0, .all, 1, 1].array(of: Float.self)
    #expect(abs(found[1] - 20) < 3 && abs(found[2] - 70) < 3)
  }

  @Test func `flat axes are told of`() {
    let flat = volume(
      Tensor.zeros([2, 2, 2]), Affine(x: [1, 0, 0], y: [1, 0, 0], z: [0, 0, 1], origin: .zero))
    #expect(throws: ImagingError.self) {
      try flat.resampledLinearly(onto: volume(Tensor.zeros([2, 2, 2]), .identity))
    }
  }
}
