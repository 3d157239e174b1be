// Overlap-tile inference: seamless, whatever the tiles, the image's size and the batch; files as memory.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnSegmentation

/// Two classes from two 3×3 convolutions with a 2×2 pooling between them, and its upsampling.
private final class PoolingNetwork: TilePredictor {
  let inputChannels = 2
  let classCount = 3
  let alignment = 2
  let context: Int
  private let pads: Bool
  private let first: Tensor
  private let second: Tensor
  private(set) var largestBatch = 0

  /// A valid network loses 1 + 2 · 1 pixels on every side, so 4 of context; a padded one sees as far.
  init(pads: Bool) {
    let generator = Generator(seed: 5)
    (self.pads, context) = (pads, pads ? 6 : 4)
    first = Tensor.randn([4, 2, 3, 3], generator: generator) * 0.3
    second = Tensor.randn([3, 4, 3, 3], generator: generator) * 0.5
  }

  func probabilities(_ tiles: Tensor) -> Tensor {
    largestBatch = max(largestBatch, tiles.size(0))
    let (height, width) = (tiles.size(2) - 2 * context, tiles.size(3) - 2 * context)
    // Cropped so that a pixel of the pooling begins at a multiple of 2 of the image.
    let shown = pads ? tiles : tiles.centre(height: height + 6, width: width + 6)
    let low = maxPool2d(relu(conv2d(shown, first, padding: pads ? 1 : 0)), 2)
    let scores = conv2d(low, second, padding: pads ? 1 : 0)
    let raised = interpolate(scores, size: [2 * scores.size(2), 2 * scores.size(3)])
    return softmax(raised.centre(height: height, width: width), dim: 1)
  }
}

@Suite struct OverlapTileTests {
  private let generator = Generator(seed: 11)

  private func image(_ height: Int, _ width: Int) -> Tensor {
    Tensor.rand([2, height, width], generator: generator) * 2 - 1
  }

  /// The predictor applied once to the mirrored image.
  private func whole(_ predictor: any TilePredictor, _ image: Tensor) -> Tensor {
    let (height, width, context) = (image.size(1), image.size(2), predictor.context)
    func end(_ length: Int) -> Int {
      (length - 1) / predictor.alignment * predictor.alignment + predictor.alignment
    }
    let shown = image.mirrored(
      rows: -context..<end(height) + context, columns: -context..<end(width) + context)
    return predictor.probabilities(shown.unsqueezed(0))[0][.all, 0..<height, 0..<width]
  }

  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    a.shape == b.shape ? (a - b).abs().max().item() : .infinity
  }

  @Test(arguments: [true, false], [(37, 53), (64, 64), (5, 3), (1, 1), (2, 31), (16, 9)])
  func tilesEqualTheWholeImage(pads: Bool, size: (Int, Int)) throws {
    let network = PoolingNetwork(pads: pads)
    let image = image(size.0, size.1)
    let expected = whole(network, image)
    #expect(expected.shape == [3, size.0, size.1])
    for side in [2, 6, 16, 100] {
      let found = try OverlapTile(network, side: side).probabilities(of: image)
      #expect(difference(found, expected) <= 1e-6, "tiles of \(side)")
    }
  }

  /// What the seam test would miss: a network that ignores its context is not seamless without it.
  @Test func withoutItsContextThereAreSeams() throws {
    let network = PoolingNetwork(pads: true)
    let image = image(40, 40)
    let found = try OverlapTile(WithoutContext(network), side: 8).probabilities(of: image)
    #expect(difference(found, whole(network, image)) > 1e-3)
  }

  @Test func batchesDoNotMatter() throws {
    let network = PoolingNetwork(pads: true)
    let image = image(41, 70)
    let single = try OverlapTile(network, side: 10).probabilities(of: image)
    #expect(network.largestBatch == 1)
    for batch in [2, 3, 50] {
      let found = try OverlapTile(network, side: 10, batch: batch).probabilities(of: image)
      #expect(difference(found, single) <= 1e-6)
    }
    #expect(network.largestBatch == 7)
  }

  @Test func theMirrorDoesNotRepeatTheEdge() {
    let places = (-7..<8).map { MirroredAxis.place($0, of: 3) }
    #expect(places == [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1].map { $0 })
    #expect((-3..<3).map { MirroredAxis.place($0, of: 1) } == [0, 0, 0, 0, 0, 0])
  }

  @Test func gridsCoverTheImageOnce() {
    for (height, width, side, alignment) in [(100, 37, 32, 16), (1, 1, 16, 16), (512, 513, 100, 8)] {
      let grid = TileGrid(height: height, width: width, side: side, alignment: alignment, context: 5)
      #expect(grid.tileHeight <= side && grid.tileHeight.isMultiple(of: alignment))
      #expect(grid.tileWidth <= side && grid.tileWidth.isMultiple(of: alignment))
      #expect((0..<grid.rowCount).flatMap(grid.keptRows) == Array(0..<height))
      #expect((0..<grid.columnCount).flatMap(grid.keptColumns) == Array(0..<width))
      #expect(grid.shownRows(0).count == grid.tileHeight + 10 && grid.shownRows(0).lowerBound == -5)
    }
    // 4096 in kept parts of at most 992: five of 832, not four of 992 and a rest of 128.
    #expect(TileGrid(height: 4096, width: 1, side: 1000, alignment: 16, context: 0).tileHeight == 832)
  }

  @Test func theSideFollowsTheMemory() {
    let side = TileGrid.side(memory: 1 << 20, bytesPerPixel: 4, alignment: 16, context: 40)
    #expect(side == 432)
    #expect(4 * (side + 80) * (side + 80) <= 1 << 20)
    #expect(TileGrid.side(memory: 1, bytesPerPixel: 1000, alignment: 16, context: 40) == 16)
  }

  @Test func progressCanEndTheWork() throws {
    struct Stop: Error {}
    let tiles = OverlapTile(PoolingNetwork(pads: true), side: 10, batch: 2)
    var told: [TileProgress] = []
    _ = try tiles.probabilities(of: image(25, 25)) { told.append($0) }
    #expect(told.map(\.finished) == [2, 3, 5, 6, 8, 9] && told.allSatisfy { $0.total == 9 })
    #expect(throws: Stop.self) {
      try tiles.probabilities(of: image(25, 25)) { if $0.finished > 3 { throw Stop() } }
    }
  }

  @Test func filesGiveWhatMemoryGives() throws {
    let network = PoolingNetwork(pads: false)
    let tiles = OverlapTile(RGBAsPair(network), side: 12, batch: 2)
    let pixels = Tensor.randint(0, 256, [3, 45, 38], generator: generator).to(.uint8)
    let expected = try tiles.probabilities(of: pixels.normalizedPixels()).argmax(dim: 0)
    try withTemporaryFolder { folder in
      let (input, output) = (folder.appendingPathComponent("a.tif"), folder.appendingPathComponent("b.tif"))
      try TIFFFile.write(voxels: pixels.unsqueezed(1), to: input)
      let source = try CountingSource(TIFFTileSource(TIFFRegionReader(input)))
      try TIFFStripWriter.write(TIFFFormat(height: 45, width: 38, dtype: .uint8), to: output) { sink in
        try tiles.write(from: source, to: sink) {
          tiles.predictor.probabilities($0).argmax(dim: 1, keepDim: true).to(.uint8)
        }
      }
      let labels = try ImageReader.read(output).voxels.squeezed(0).squeezed(0)
      #expect(labels.to(.int64).isIdentical(to: expected))
      #expect(source.rows == Array(0..<45))
    }
  }

  @Test func anInterruptedFileIsNotThere() throws {
    struct Stop: Error {}
    let tiles = OverlapTile(PoolingNetwork(pads: true), side: 8)
    let source = TensorSource(image(40, 40))
    try withTemporaryFolder { folder in
      let output = folder.appendingPathComponent("a.tif")
      let format = TIFFFormat(height: 40, width: 40, dtype: .uint8)
      #expect(throws: Stop.self) {
        try TIFFStripWriter.write(format, to: output) { sink in
          try tiles.write(from: source, to: sink, progress: { if $0.finished == 15 { throw Stop() } }) {
            tiles.predictor.probabilities($0).argmax(dim: 1, keepDim: true).to(.uint8)
          }
        }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.isEmpty)
    }
  }

  @Test func floatsNeedTheirWindow() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.tif")
      try TIFFFile.write(voxels: Tensor([0, 5, 10] as [Float], shape: [1, 1, 1, 3]), to: url)
      let reader = try TIFFRegionReader(url)
      #expect(throws: ImagingError.self) { try TIFFTileSource(reader) }
      let values = try TIFFTileSource(reader, window: .range(0, 10)).read(rows: 0..<1, columns: 0..<3)
      #expect(values.array(of: Float.self) == [-1, 0, 1])
    }
  }
}

@Suite struct TestTimeAugmentationTests {
  private let tiles = Tensor.rand([2, 2, 20, 28], generator: Generator(seed: 3))

  @Test(arguments: zip(TestTimeVersions.allCases, [4, 8, 7]))
  func versionsAreDistinctSymmetries(versions: TestTimeVersions, count: Int) {
    let image = Tensor.arange(9, dtype: .float32).reshaped([3, 3])
    let changed = versions.symmetries.map { $0.apply(image).array(of: Float.self) }
    #expect(Set(changed).count == count)
    for symmetry in versions.symmetries {
      #expect(symmetry.undo(symmetry.apply(tiles)).isIdentical(to: tiles))
    }
    #expect(changed.contains(image.array(of: Float.self)) == (versions != .rotations))
  }

  @Test(arguments: TestTimeVersions.allCases)
  func aConstantNetworkHasNoSpread(versions: TestTimeVersions) {
    let network = TestTimeAugmentation(ConstantNetwork(), versions: versions)
    let (mean, spread) = network.meanAndSpread(tiles)
    #expect(spread.abs().max().item() == 0)
    #expect(mean.isIdentical(to: ConstantNetwork().probabilities(tiles)))
  }

  @Test(arguments: TestTimeVersions.allCases)
  func meanAndSpreadAreThoseOfTheVersions(versions: TestTimeVersions) {
    let network = PoolingNetwork(pads: true)
    let (mean, spread) = TestTimeAugmentation(network, versions: versions).meanAndSpread(tiles)
    let answers = Tensor.stack(
      versions.symmetries.map { $0.undo(network.probabilities($0.apply(tiles))) }
    ).to(.float64)
    #expect((mean - answers.mean(dims: [0])).abs().max().item() < 1e-6)
    #expect((spread - answers.std(dims: [0], unbiased: false)).abs().max().item() < 1e-6)
    #expect(spread.max().item() > 1e-3)
  }

  @Test func theMeanFollowsFlipsAndTurns() {
    let network = TestTimeAugmentation(PoolingNetwork(pads: false))
    let mean = network.probabilities(tiles)
    for symmetry in SquareSymmetry.all {
      let moved = symmetry.undo(network.probabilities(symmetry.apply(tiles)))
      #expect((moved - mean).abs().max().item() < 1e-6)
    }
    #expect((network.predictor.probabilities(tiles) - mean).abs().max().item() > 1e-3)
  }

  @Test func versionsAreSeamless() throws {
    let network = TestTimeAugmentation(PoolingNetwork(pads: true))
    let image = Tensor.rand([2, 39, 51], generator: Generator(seed: 4))
    let both: OverlapTile.Answer = { tiles in
      let (mean, spread) = network.meanAndSpread(tiles)
      return .cat([mean, spread], dim: 1)
    }
    let large = try OverlapTile(network, side: 60).answers(to: image, answer: both)
    let small = try OverlapTile(network, side: 8, batch: 4).answers(to: image, answer: both)
    #expect(large.shape == [6, 39, 51])
    #expect((large[0..<3] - small[0..<3]).abs().max().item() <= 1e-6)
    #expect((large[3...] - small[3...]).abs().max().item() <= 1e-5)
  }
}

private final class ConstantNetwork: TilePredictor {
  let inputChannels = 2
  let classCount = 2
  let alignment = 4
  let context = 4

  func probabilities(_ tiles: Tensor) -> Tensor {
    let middle = tiles.centre(height: tiles.size(2) - 8, width: tiles.size(3) - 8)
    return (Tensor([0.3, 0.7] as [Float], shape: [1, 2, 1, 1]) * middle.onesLike()[.all, 0..<1]).contiguous()
  }
}

/// Takes its context for its tile's own border.
private final class WithoutContext: TilePredictor {
  private let network: PoolingNetwork
  init(_ network: PoolingNetwork) { self.network = network }
  var inputChannels: Int { network.inputChannels }
  var classCount: Int { network.classCount }
  var alignment: Int { network.alignment }
  let context = 0

  func probabilities(_ tiles: Tensor) -> Tensor {
    network.probabilities(pad(tiles, Array(repeating: network.context, count: 4)))
  }
}

/// Takes red and blue for the two channels.
private final class RGBAsPair: TilePredictor {
  private let network: PoolingNetwork
  init(_ network: PoolingNetwork) { self.network = network }
  let inputChannels = 3
  var classCount: Int { network.classCount }
  var alignment: Int { network.alignment }
  var context: Int { network.context }

  func probabilities(_ tiles: Tensor) -> Tensor {
    network.probabilities(.cat([tiles[.all, 0..<1], tiles[.all, 2..<3]], dim: 1))
  }
}

/// Notes which rows are read.
private final class CountingSource: TileSource {
  private let source: TIFFTileSource
  private(set) var rows: [Int] = []
  init(_ source: TIFFTileSource) { self.source = source }
  var channels: Int { source.channels }
  var height: Int { source.height }
  var width: Int { source.width }

  func read(rows: Range<Int>, columns: Range<Int>) throws -> Tensor {
    self.rows += rows
    return try source.read(rows: rows, columns: columns)
  }
}
