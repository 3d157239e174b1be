// Registration of new images by networks whose displacement is known.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTestSupport
import LimnTorch
import LimnTraining
import Testing

@testable import LimnTranslation

@Suite struct RegisteredVolumeTests {
  /// Moves everything by so many rows and columns of the training images; with `noise` by chance besides.
  private func translator(
    rows: Float, columns: Float, spacing: [Double]? = nil, plane: SliceAxis? = nil, noise: Double = 0
  ) throws -> Translator {
    let setting = MethodSetting(
      shape: ImageShape(channels: 1, height: 16, width: 16), totalImages: 1, spacing: spacing, plane: plane)
    let method = try MadeTranslation(recipe: RegGANRecipe(), setting: setting)
    let network = RegistrationNetwork(inputChannels: 2, size: [16, 16], width: 2)
    Initializer.normal(std: noise)(network.output.weight, generator: Generator(seed: 7))
    withoutGradients { network.output.bias?.copy(from: Tensor([rows, columns])) }
    method.registration = network
    return Translator(method, setting: setting, name: "run")
  }

  private func volume(_ seed: UInt64, spacing: Double = 1) -> Volume {
    let values = Tensor.rand([1, 6, 20, 24], generator: Generator(seed: seed)) * 4000
    let affine = Affine(x: [0, spacing, 0], y: [0, 0, -spacing], z: [-3, 0, 0], origin: [40, -20, 33])
    return Volume(
      voxels: values.to(.int16), affine: affine, storedBits: 16,
      info: SourceInfo(path: "a.nii", format: "NIfTI", hasGeometry: true))
  }

  /// Little-endian numbers of a NIfTI-1 header.
  private func int16(_ data: Data, at offset: Int) -> Int { Int(data[offset]) | Int(data[offset + 1]) << 8 }

  @Test func displacementsAreVectorsInTheWorld() throws {
    // Pixels of half a millimetre: 2 training pixels are 4 of these.
    let translator = try translator(rows: 2, columns: -1, spacing: [1, 1], plane: .sagittal)
    let (fixed, moving) = (volume(1, spacing: 0.5), volume(2, spacing: 0.5))
    var told: [[Int]] = []
    let registered = try RegisteredVolume(moving: moving, onto: fixed, by: translator) {
      told.append([$0, $1])
    }
    try withTemporaryFolder { folder in
      let files = try registered.write(to: folder, statement: "by a test")
      #expect(files.map(\.lastPathComponent) == ["warped.nii.gz", "displacement.nii.gz", "checkerboard.png"])
      let (warped, field) = (try ImageReader.read(files[0]), try ImageReader.read(files[1]))
      #expect(warped.voxels.dtype == .int16 && field.voxels.shape == [3, 6, 20, 24])
      #expect(warped.affine.placesAlike(fixed.affine, size: fixed.size))
      #expect(field.affine.placesAlike(fixed.affine, size: fixed.size))
      let inverse = try #require(moving.affine.inverse)
      let vectors = field.voxels
      let at = moving.voxels.to(.int64)
      var compared = 0
      for (z, y, x) in [(2, 10, 12), (3, 7, 9), (1, 12, 15)] {
        let d = (0..<3).map { vectors[$0, z, y, x].item() }
        let place = fixed.affine([Double(x), Double(y), Double(z)]) + SIMD3(d)
        let own = inverse(place)
        let index = (0..<3).map { Int(own[$0].rounded()) }
        for axis in 0..<3 { #expect(abs(own[axis] - Double(index[axis])) < 1e-3) }
        guard index[2] >= 0, index[2] < 6, index[1] >= 0, index[1] < 20, index[0] >= 0, index[0] < 24 else {
          continue
        }
        #expect(warped.voxels[0, z, y, x].item() == at[0, index[2], index[1], index[0]].item())
        compared += 1
      }
      #expect(compared > 0)
      // Sagittal: rows run to the feet, columns to the back: 2 mm down, 1 mm to the front.
      #expect((vectors[2] + 2).abs().max().item() < 1e-4 && (vectors[1] - 1).abs().max().item() < 1e-4)
      #expect(vectors[0].abs().max().item() < 1e-6)
    }
    #expect(registered.figures.folded == 0 && registered.figures.unit == "mm")
    #expect(abs(registered.figures.mean - 5.0.squareRoot()) < 1e-4)
    #expect(told.last == [6, 6])
  }

  @Test func theFileIsOfDisplacements() throws {
    let registered = try RegisteredVolume(
      moving: volume(2), onto: volume(1), by: translator(rows: 0, columns: 1))
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("d.nii")
      try NIfTIFile.write(displacement: registered.displacement, to: file)
      let data = try Data(contentsOf: file)
      // NIfTI-1: dim at 40, intent_code at 68.
      #expect(
        (0..<6).map { int16(data, at: 40 + 2 * $0) } == [5, 24, 20, 6, 1, 3] && int16(data, at: 68) == 1006)
    }
    #expect(registered.warped.voxels.shape == [1, 6, 20, 24])
  }

  @Test func foldsArePixelsWhoseJacobianIsNotPositive() throws {
    let generator = Generator(seed: 3)
    func picture() -> Volume {
      Volume(
        voxels: (Tensor.rand([1, 1, 18, 22], generator: generator) * 255).to(.uint8), affine: .picture(),
        storedBits: 8, info: SourceInfo(path: "a.png", format: "PNG"))
    }
    let registered = try RegisteredVolume(
      moving: picture(), onto: picture(), by: translator(rows: 0, columns: 0, noise: 0.5))
    #expect(registered.displacement.voxels.shape == [2, 1, 18, 22] && registered.figures.unit == "pixels")
    let (columns, rows) = (registered.displacement.voxels[0, 0], registered.displacement.voxels[1, 0])
    var folded = 0
    for y in 0..<17 {
      for x in 0..<21 {
        func difference(_ field: Tensor, _ dy: Int, _ dx: Int) -> Double {
          field[y + dy, x + dx].item() - field[y, x].item()
        }
        let (a, b) = (1 + difference(rows, 1, 0), difference(rows, 0, 1))
        let (c, d) = (difference(columns, 1, 0), 1 + difference(columns, 0, 1))
        if a * d - b * c <= 0 { folded += 1 }
      }
    }
    #expect(folded > 0 && registered.figures.folded == folded && registered.figures.pixels == 17 * 21)
  }

  @Test func theMovingVolumeIsBroughtOntoTheGrid() throws {
    // Two columns further along y: what is at y is found at y + 2 of the fixed one.
    var moved = volume(2)
    moved.affine[1, 3] += 2
    let registered = try RegisteredVolume(moving: moved, onto: volume(1), by: translator(rows: 0, columns: 0))
    let (own, expected) = (registered.warped.voxels.to(.float32), moved.voxels.to(.float32))
    #expect(
      (own.narrowed(dim: 3, start: 2, length: 22) - expected.narrowed(dim: 3, start: 0, length: 22)).abs()
        .max().item()
        <= 1)
  }

  @Test func whatCannotBeRegisteredIsSaid() throws {
    let translator = try translator(rows: 0, columns: 0)
    var moved = volume(2)
    moved.affine[0, 3] += 500
    #expect(throws: RunError.self) { try RegisteredVolume(moving: moved, onto: volume(1), by: translator) }
    let setting = MethodSetting(shape: ImageShape(channels: 1, height: 16, width: 16), totalImages: 1)
    let plain = Translator(
      try MadeTranslation(recipe: RegGANRecipe(), setting: setting), setting: setting, name: "run")
    #expect(throws: RunError.self) { try RegisteredVolume(moving: volume(2), onto: volume(1), by: plain) }
  }
}
