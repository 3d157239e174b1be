// What several answers make together, and images brought to another spacing and back.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnDatasets
@testable import LimnSegmentation

/// Two classes by a 3×3 convolution; may see further than it needs.
private final class SmallNetwork: TilePredictor {
  let inputChannels = 1
  let classCount = 2
  let alignment: Int
  let context: Int
  private let kernel: Tensor

  init(seed: UInt64, alignment: Int = 1, context: Int = 1) {
    (self.alignment, self.context) = (alignment, context)
    kernel = Tensor.randn([2, 1, 3, 3], generator: Generator(seed: seed))
  }

  func probabilities(_ tiles: Tensor) -> Tensor {
    let spare = context - 1
    let shown = tiles.centre(height: tiles.size(2) - 2 * spare, width: tiles.size(3) - 2 * spare)
    return softmax(conv2d(shown, kernel), dim: 1)
  }
}

@Suite struct EnsembleTests {
  private let image = Tensor.rand([1, 1, 18, 22], generator: Generator(seed: 2)) * 2 - 1

  /// What a network says of the image with `context` of the ensemble.
  private func answers(_ network: SmallNetwork, _ versions: TestTimeVersions?, context: Int) -> [Tensor] {
    let spare = context - network.context
    let shown = image.centre(height: 18 - 2 * spare, width: 22 - 2 * spare)
    guard let versions else { return [network.probabilities(shown)] }
    return versions.symmetries.map { $0.undo(network.probabilities($0.apply(shown))) }
  }

  @Test(arguments: [nil, .flips, .rotations] as [TestTimeVersions?])
  func meanAndSpreadAreThoseOfAllAnswers(versions: TestTimeVersions?) {
    let networks = [
      SmallNetwork(seed: 1), SmallNetwork(seed: 2, alignment: 2, context: 3), SmallNetwork(seed: 3),
    ]
    let members = networks.map { network -> any TilePredictor in
      versions.map { TestTimeAugmentation(network, versions: $0) } ?? network
    }
    let ensemble = EnsemblePredictor(members)
    #expect(ensemble.alignment == 2 && ensemble.context == 3)
    let all = Tensor.stack(networks.flatMap { answers($0, versions, context: 3) }).to(.float64)
    #expect(all.size(0) == 3 * (versions?.symmetries.count ?? 1))
    let (mean, spread) = ensemble.meanAndSpread(image)
    #expect(mean.shape == [1, 2, 12, 16])
    #expect((mean - all.mean(dims: [0])).abs().max().item() < 1e-6)
    #expect((spread - all.std(dims: [0], unbiased: false)).abs().max().item() < 1e-6)
    #expect((ensemble.probabilities(image) - mean).abs().max().item() < 1e-6)
    #expect(spread.max().item() > 0.05)
  }

  @Test func equalMembersHaveNoSpread() {
    let spread = EnsemblePredictor((0..<2).map { _ in SmallNetwork(seed: 4) }).meanAndSpread(image).spread
    #expect(spread.max().item() == 0)
  }
}

@Suite struct SpacingMatchTests {
  /// A plane over the image's millimetres, [1, H, W]; its value at a pixel's centre.
  private func plane(_ size: [Int], _ spacing: [Double]) -> Tensor {
    let y = (Tensor.arange(size[0]).to(.float64) + 0.5) * spacing[0]
    let x = (Tensor.arange(size[1]).to(.float64) + 0.5) * spacing[1]
    return (y.unsqueezed(1) * 0.3 - x * 0.2 + 1).unsqueezed(0).to(.float32)
  }

  private func inside(_ x: Tensor, _ margin: Int) -> Tensor {
    x[0, margin..<x.size(1) - margin, margin..<x.size(2) - margin]
  }

  /// Finer, coarser, and of other proportions; counts of rows and columns that need no rounding.
  @Test(arguments: [
    ([40, 60], [1.0, 1.0], [0.5, 0.5], [80, 120]), ([40, 60], [0.5, 0.5], [1.0, 1.0], [20, 30]),
    ([40, 60], [0.75, 1.5], [1.0, 1.0], [30, 90]), ([50, 50], [0.4, 0.4], [1.0, 1.0], [20, 20]),
  ])
  func placesInMillimetresStay(size: [Int], from: [Double], to: [Double], matched: [Int]) throws {
    let match = try #require(try SpacingMatch(size: size, from: from, to: to, path: "a.nii"))
    #expect(match.matched == matched)
    let shown = match.applied(to: plane(size, from))
    #expect(Array(shown.shape[1...]) == matched)
    // A plane is its own mean, so neither linear interpolation nor smoothing changes it away from the border, but
    // for the few pixels that smoothing counts: less than 0.03 mm on slopes of 0.3 and 0.2.
    #expect((inside(shown, 3) - inside(plane(matched, to), 3)).abs().max().item() < 0.006)
    let back = match.undone(plane(matched, to))
    #expect((inside(back, 6) - inside(plane(size, from), 6)).abs().max().item() < 0.006)
  }

  @Test func fineStripesDoNotAlias() throws {
    let stripes = Tensor((0..<64).map { Float($0 % 2) }, shape: [1, 1, 64]).expanded([1, 64, 64])
    let match = try #require(try SpacingMatch(size: [64, 64], from: [1, 1], to: [4, 4], path: "a.nii"))
    #expect((inside(match.applied(to: stripes), 1) - 0.5).abs().max().item() < 0.01)
  }

  @Test func probabilitiesStillAddUpToOne() throws {
    let match = try #require(try SpacingMatch(size: [31, 17], from: [1.3, 0.7], to: [0.9, 1.1], path: "a"))
    let found = softmax(
      Tensor.randn([3] + match.matched, generator: Generator(seed: 1)).unsqueezed(0), dim: 1)[0]
    let back = match.undone(found)
    #expect(back.shape == [3, 31, 17])
    #expect((back.sum(dims: [0]) - 1).abs().max().item() < 1e-5)
  }

  @Test func alikeSpacingsAreLeftAndFarOnesRefused() throws {
    #expect(try SpacingMatch(size: [9, 9], from: [1.009, 0.992], to: [1, 1], path: "a") == nil)
    #expect(try SpacingMatch(size: [9, 9], from: [1.011, 1], to: [1, 1], path: "a") != nil)
    let error = #expect(throws: RunError.self) {
      try SpacingMatch(size: [9, 9], from: [1, 17], to: [1, 1], path: "a.nii")
    }
    #expect(error?.description.hasPrefix("a.nii: pixels of 17 x 1 mm") == true)
  }
}

@Suite struct SettingTests {
  private func item(_ spacing: [Double]?, _ affine: Affine? = nil, slice: Int? = 0) -> DatasetItem {
    DatasetItem(
      id: "a", patient: "p", source: "s", slice: slice, spacing: spacing,
      affine: affine.map { Array($0.elements.prefix(12)) })
  }

  private func manifest(_ items: [DatasetItem], spacing: [Double]? = nil) -> DatasetManifest {
    DatasetManifest(
      name: "a", count: items.count, channels: 1, height: 4, width: 4, bitDepth: 8, spacing: spacing,
      classes: [], provenance: Provenance(sources: 1, tool: "test"), synthetic: false, contentHash: "",
      layers: [], splits: [:], items: items)
  }

  @Test func theSpacingIsThatOfAllImages() {
    #expect(manifest([item(nil), item(nil)], spacing: [1, 2]).commonSpacing == [1, 2])
    #expect(manifest([item([1, 2]), item([1.0005, 2])]).commonSpacing == [1, 2])
    #expect(manifest([item([1, 2]), item([1.01, 2])]).commonSpacing == nil)
    #expect(manifest([item([1, 2]), item(nil)]).commonSpacing == nil)
    #expect(manifest([item(nil)]).commonSpacing == nil)
  }

  @Test(arguments: SliceAxis.allCases)
  func thePlaneIsTheOneThatTheSlicesWereCutIn(axis: SliceAxis) {
    let (a, b) = (cos(0.2), sin(0.2))
    let volume = Volume(
      voxels: .zeros([1, 3, 4, 5], dtype: .uint8),
      affine: Affine(x: [0, a, b], y: [-1, 0, 0], z: [0, -b, a], origin: [1, 2, 3]), storedBits: 8,
      info: SourceInfo(path: "a", format: "NIfTI", hasGeometry: true))
    let slices = item(nil, volume.displayed(axis).affine)
    #expect(manifest([slices, slices]).commonPlane == axis)
    #expect(manifest([slices, item(nil, volume.affine)]).commonPlane == nil)
    #expect(manifest([slices, item(nil, volume.displayed(axis).affine, slice: nil)]).commonPlane == nil)
    let turned = volume.turned(for: axis)
    #expect(turned.affine.elements == volume.displayed(axis).affine.elements)
    #expect(turned.reoriented(to: volume.orientation).affine.placesAlike(volume.affine, size: volume.size))
  }

  /// What runs of before have written.
  @Test func olderSettingsAreRead() throws {
    let text = #"{"shape":{"channels":1,"height":4,"width":4},"totalImages":9}"#
    let setting = try JSONDecoder().decode(MethodSetting.self, from: Data(text.utf8))
    #expect(setting.spacing == nil && setting.plane == nil && setting.totalImages == 9)
  }
}
