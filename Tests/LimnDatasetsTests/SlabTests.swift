// Volumes that are read a slab at a time give what the same volumes give whole.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnDatasets
@testable import LimnImaging

@Suite struct SlabTests {
  /// 7 slices of 10 × 12 pixels at uneven distances, with nothing symmetric in them; their order runs up or down.
  private func volume(towardsHead: Bool) -> Volume {
    let ramp = Tensor.arange(0, 840, dtype: .float32)
    let voxels = (ramp * ramp).remainder(4093).reshaped([1, 7, 10, 12])
    voxels[0].narrowed(dim: 1, start: 0, length: 3).fill(0)
    let step = towardsHead ? 2.0 : -2.0
    var info = SourceInfo(path: "", format: "DICOM", hasGeometry: true)
    let origins = (0..<7).map { SIMD3(5, 6, Double($0) * step + ($0 == 3 ? 0.5 : 0)) }
    info.stack = SliceStackReport(
      origins: origins, gaps: [], usualGap: 2, isIrregular: true, tiltDegrees: 0)
    info.paddingValue = 16
    return Volume(
      voxels: voxels.to(.int16),
      affine: Affine(x: [-1, 0, 0], y: [0, -1, 0], z: [0, 0, step], origin: [5, 6, 0]),
      storedBits: 12, info: info)
  }

  private struct Cut: Equatable {
    var pixels: [Float]
    var position: Int?
    var affine: Affine
    var labels: [Int32]?
    var target: [Float]?
  }

  private func cut(
    _ slabs: VolumeSlabs, mask: Volume? = nil, pair: PairedVolume? = nil, _ options: CutOptions
  ) throws -> ([Cut], Int) {
    var cuts: [Cut] = []
    let skipped = try SliceCutter(options: options).cut(slabs, mask: mask, pair: pair, size: nil) { slice in
      cuts.append(
        Cut(
          pixels: slice.image.contiguous().array(of: Float.self), position: slice.position,
          affine: slice.affine,
          labels: slice.labels?.contiguous().array(of: Int32.self),
          target: slice.target?.contiguous().array(of: Float.self)))
    }
    return (cuts, skipped)
  }

  private func slabs(_ volume: Volume, length: Int) -> VolumeSlabs {
    var outline = volume
    outline.voxels = Tensor.zeros([1, 1, 1, 1]).expanded(volume.voxels.shape)
    return VolumeSlabs(outline, length: length) {
      volume.voxels.narrowed(dim: 1, start: $0.lowerBound, length: $0.count)
    }
  }

  @Test(arguments: [true, false], [1, 2, 3, 7])
  func `slabs give what the whole gives`(towardsHead: Bool, length: Int) throws {
    let volume = volume(towardsHead: towardsHead)
    var mask = volume
    mask.voxels = volume.voxels.remainder(3).to(.int32)
    var moved = volume
    moved.affine[0, 3] += 0.5
    let pair = PairedVolume(
      volume: try moved.resampledLinearly(onto: slabs(volume, length: length).outline),
      window: DisplayWindow(low: 0, high: 4093), windowText: "")
    for axis in [AxisChoice.axial, .coronal, .sagittal] {
      for crop in [CropChoice.none, .body, .fov] {
        for window in [nil, IntensityWindow.range(100, 3000), .full, .percentiles(2, 98)] {
          var options = CutOptions()
          (options.axis, options.crop, options.window) = (axis, crop, window)
          (options.every, options.minimumContent) = (axis == .axial ? 2 : 1, 0.3)
          let whole = try cut(VolumeSlabs(volume), mask: mask, pair: pair, options)
          let parts = try cut(slabs(volume, length: length), mask: mask, pair: pair, options)
          #expect(whole == parts && !whole.0.isEmpty)
          if axis == .axial { #expect(whole.0.map(\.position) == [0, 2, 4, 6]) }
        }
      }
    }
  }

  @Test func `each slice lies where its own file says`() throws {
    var options = CutOptions()
    options.axis = .axial
    for length in [2, 7] {
      let (cuts, _) = try cut(slabs(volume(towardsHead: false), length: length), options)
      // From the feet to the head: the stored order runs the other way.
      #expect(cuts.map { $0.affine([0, 0, 0]).z } == [-12, -10, -8, -5.5, -4, -2, 0])
    }
  }

  @Test(arguments: ["series", "dicom/gap", "tilted"])
  func `a series is read a slab at a time`(name: String) throws {
    let folder = fixture("imaging/\(name)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .map(folder.appendingPathComponent)
    let whole = try #require(try DICOMSeries.read(files: files).first)
    let slabs = try #require(try DICOMSeries.slabs(files: files, bytes: 70).first)
    #expect(slabs.ranges.count > 1 && slabs.outline.voxels.shape == whole.voxels.shape)
    #expect(slabs.outline.affine == whole.affine && slabs.outline.info == whole.info)
    let read = try slabs.ranges.indices.map { try slabs.slab($0).voxels.to(whole.voxels.dtype) }
    #expect(Tensor.cat(read, dim: 1).isIdentical(to: whole.voxels))
    #expect(try slabs.whole().outline.voxels.isIdentical(to: whole.voxels))
    #expect(try DICOMSeries.slabs(files: files).map(\.ranges.count) == [1])
  }
}

/// The same numbers in every run (Knuth's constants).
private struct Congruential: RandomNumberGenerator {
  private var state: UInt64 = 1

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

@Suite struct LookAlikeTests {
  @Test func `groups are those of all pairs`() {
    var generator = Congruential()
    for _ in 0..<20 {
      // Few fingerprints, of which many differ in few bits.
      let seeds = (0..<4).map { _ in UInt64.random(in: .min ... .max, using: &generator) }
      let prints = (0..<60).map { index in
        seeds[index % 4] ^ 1 << UInt64.random(in: 0..<64) ^ 1 << UInt64.random(in: 0..<64)
      }
      let patients = prints.indices.map { "p\($0 % 25)" }
      func isAlike(_ a: Int, _ b: Int) -> Bool {
        (prints[a] ^ prints[b]).nonzeroBitCount <= 3
          && [a, b].allSatisfy { (8...56).contains(prints[$0].nonzeroBitCount) } && (a + b) % 3 > 0
      }
      // Labels spread along the pairs until nothing changes.
      var labels = Dictionary(patients.map { ($0, $0) }) { first, _ in first }
      var isChanged = true
      while isChanged {
        isChanged = false
        for a in prints.indices {
          for b in prints.indices where patients[a] != patients[b] && isAlike(a, b) {
            let (x, y) = (labels[patients[a]] ?? "", labels[patients[b]] ?? "")
            if x != y {
              labels[patients[a]] = min(x, y)
              labels[patients[b]] = min(x, y)
              isChanged = true
            }
          }
        }
      }
      let expected = Dictionary(grouping: labels.keys) { labels[$0] ?? "" }.values.filter { $0.count > 1 }
      let found = LookAlikes(patients: patients, fingerprints: prints) { ($0 + $1) % 3 > 0 ? 0 : 1 }
      #expect(Set(found.groups.map(Set.init)) == Set(expected.map(Set.init)))
    }
  }
}
