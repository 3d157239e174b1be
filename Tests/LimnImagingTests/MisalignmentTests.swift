// Misalignment on demand against its definition; AugmentationTests compares its pixels with SciPy's.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnImaging

@Suite struct MisalignmentTests {
  private let images = Tensor.rand([3, 1, 40, 30], generator: Generator(seed: 1)) * 2 - 1

  @Test(arguments: Misalignment.Kind.allCases)
  func `level 0 changes nothing`(kind: Misalignment.Kind) {
    let none = Misalignment(kind: kind, level: 0)
    #expect(none(images, generator: Generator(seed: 1)).isIdentical(to: images))
    #expect(none.draw(count: 2, height: 8, width: 8, generator: Generator(seed: 1)).images == [[], []])
  }

  @Test(arguments: Misalignment.Kind.allCases)
  func `a stored draw gives equal bits, another seed others`(kind: Misalignment.Kind) throws {
    let noise = Misalignment(kind: kind, level: 3)
    let moved = noise(images, generator: Generator(seed: 4))
    let draw = noise.draw(count: 3, height: 40, width: 30, generator: Generator(seed: 4))
    let stored = try JSONDecoder().decode(AugmentationDraw.self, from: JSONEncoder().encode(draw))
    #expect(
      stored == draw && stored(AlignedBatch(["images": .image(images)]))["images"].isIdentical(to: moved))
    #expect(!noise(images, generator: Generator(seed: 5)).isIdentical(to: moved))
    #expect(moved.shape == images.shape && moved.min().item() >= -1 && moved.max().item() <= 1)
    #expect(try JSONDecoder().decode(Misalignment.self, from: JSONEncoder().encode(noise)) == noise)
  }

  @Test(arguments: Misalignment.Kind.allCases)
  func `each image of a batch has a draw of its own`(kind: Misalignment.Kind) {
    let same = images[0..<1].expanded([3, 1, 40, 30]).contiguous()
    let moved = Misalignment(kind: kind, level: 4)(same, generator: Generator(seed: 2))
    #expect(!moved[0].isIdentical(to: moved[1]) && !moved[1].isIdentical(to: moved[2]))
  }

  @Test func `affine noise leaves pixels as they are, and black where there are none`() {
    let moved = Misalignment(kind: .affine, level: 5)(images, generator: Generator(seed: 3))
    for index in 0..<3 {
      let values = Set(images[index].contiguous().array(of: Float.self)).union([-1])
      #expect(Set(moved[index].contiguous().array(of: Float.self)).isSubset(of: values))
    }
    #expect(moved.isEqual(to: -1).to(.float32).mean().item() > 0.02)
  }

  private struct Parameters {
    var degrees: [Double] = []
    var factors: [Double] = []
    var x: [Double] = []
    var y: [Double] = []

    init(level: Int, count: Int) {
      let draw = Misalignment(kind: .affine, level: level)
        .draw(count: count, height: 300, width: 500, generator: Generator(seed: 7))
      for image in draw.images {
        // In this order: about the centre first, then moved.
        guard case .rotation(let degrees) = image[0], case .scale(let factor) = image[1],
          case .shift(let x, let y) = image[2], image.count == 3
        else { return }
        self.degrees.append(degrees)
        factors.append(factor)
        self.x.append(x)
        self.y.append(y)
      }
    }
  }

  /// The largest distance between the distribution of `values` and a uniform one (Kolmogorov and Smirnov).
  private func distance(_ values: [Double], from low: Double, to high: Double) -> Double {
    let sorted = values.sorted().map { ($0 - low) / (high - low) }
    let count = Double(values.count)
    return sorted.enumerated().map { place, value in
      max(abs(value - Double(place) / count), abs(value - Double(place + 1) / count))
    }.max() ?? 1
  }

  @Test(arguments: 1...5)
  func `affine parameters are uniform in their ranges`(level: Int) {
    let drawn = Parameters(level: level, count: 1500)
    let (angle, reach) = (Double(level), 0.02 * Double(level))
    // Exceeded by one set of 1500 uniform numbers in a thousand.
    let limit = 1.95 / 1500.0.squareRoot()
    #expect(distance(drawn.degrees, from: -angle, to: angle) < limit)
    #expect(distance(drawn.factors, from: 1 - reach, to: 1 + reach) < limit)
    for (shifts, side) in [(drawn.x, 500.0), (drawn.y, 300.0)] {
      let bound = reach * side
      #expect(shifts.count == 1500 && shifts.allSatisfy { $0 == $0.rounded() && abs($0) <= bound })
      #expect(shifts.contains(bound) && shifts.contains(-bound))
      // A whole number stands for half of what lies between it and its neighbours.
      #expect(distance(shifts, from: -bound, to: bound) < limit + 0.5 / (2 * bound) + 1e-9)
    }
    let products = zip(drawn.degrees, drawn.factors).map { $0 * ($1 - 1) / angle / reach }
    // Independent: a correlation of 0, with a standard error of 1/√1500 where both are uniform in ±1.
    #expect(abs(products.reduce(0, +) / 1500 * 3) < 4 / 1500.0.squareRoot())
  }

  @Test func `elastic displacements have their deviation and hardly ever fold`() {
    let draw = Misalignment(kind: .elastic, level: 5)
      .draw(count: 200, height: 96, width: 64, generator: Generator(seed: 9))
    var squares = (x: 0.0, y: 0.0)
    var folded = 0
    for image in draw.images {
      guard case .gridDeformation(let x, let y) = image[0], image.count == 1 else { return }
      squares.x += x.reduce(0) { $0 + $1 * $1 } / 25 / 200
      squares.y += y.reduce(0) { $0 + $1 * $1 } / 25 / 200
      let plan = SpatialPlan(image, source: Canvas(height: 96, width: 64))
      let field = DeformationField.fields(plan.deformations, on: .cpu)[0]  // x before y
      let here = field[.all, 0..<95, 0..<63]
      let (alongX, alongY) = (field[.all, 0..<95, 1..<64] - here, field[.all, 1..<96, 0..<63] - here)
      let areas = (1 + alongX[0]) * (1 + alongY[1]) - alongX[1] * alongY[0]
      folded += areas.min().item() > 0 ? 0 : 1
    }
    // 5000 numbers each: four standard errors of a deviation are 4 %.
    #expect(abs(squares.x.squareRoot() / (0.03 * 64) - 1) < 0.04)
    #expect(abs(squares.y.squareRoot() / (0.03 * 96) - 1) < 0.04)
    #expect(folded <= 2, "\(folded) of 200")
  }

  @Test func `larger levels move further`() {
    let blob = Tensor.zeros([64, 1, 48, 48])
    blob[.all, .all, 16..<32, 16..<32] = Tensor.ones([64, 1, 16, 16])
    for kind in Misalignment.Kind.allCases {
      let changes = (1...5).map { level in
        (Misalignment(kind: kind, level: level)(blob, generator: Generator(seed: 3)).clamped(min: 0, max: 1)
          - blob)
          .abs().mean().item()
      }
      #expect(changes == changes.sorted() && changes[0] > 0, "\(kind) \(changes)")
    }
  }
}
