// Filters against SciPy and scikit-image; sketches against the independent reference.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct FilterTests {
  @Test func `Sobel magnitude is SciPy's`() throws {
    let result = Filters.sobelMagnitude(try Expected.tensor("filters.image"))
    #expect(difference(result, try Expected.tensor("filters.sobel")) < 1e-5)
  }

  @Test func `Gaussian is SciPy's`() throws {
    let result = Filters.gaussianBlur(try Expected.tensor("filters.image"), kernelSize: 7, sigma: 1.3)
    #expect(difference(result, try Expected.tensor("filters.gaussian")) < 1e-5)
  }

  @Test(arguments: ["cross3", "square5", "ellipse5"])
  func `morphology is SciPy's, exactly`(name: String) throws {
    let elements: [String: StructuringElement] = [
      "cross3": .cross(3), "square5": .square(5), "ellipse5": .ellipse(5),
    ]
    let element = try #require(elements[name])
    let image = try Expected.tensor("filters.image")
    let results = [
      "erosion": Filters.greyErosion(image, element: element),
      "dilation": Filters.greyDilation(image, element: element),
      "opening": Filters.greyOpening(image, element: element),
      "closing": Filters.greyClosing(image, element: element),
    ]
    for (operation, result) in results {
      #expect(difference(result, try Expected.tensor("filters.\(name).\(operation)")) == 0, "\(operation)")
    }
  }

  @Test(arguments: [1, 2])
  func `area opening and closing are scikit-image's, exactly`(connectivity: Int) throws {
    let image = try Expected.tensor("filters.coarse")
    let opening = Filters.areaOpening(image, threshold: 9, connectivity: connectivity)
    #expect(difference(opening, try Expected.tensor("filters.area\(connectivity).opening")) == 0)
    let closing = Filters.areaClosing(image, threshold: 9, connectivity: connectivity)
    #expect(difference(closing, try Expected.tensor("filters.area\(connectivity).closing")) == 0)
  }

  @Test func `the ellipse of three is the cross`() {
    #expect(StructuringElement.ellipse(3) == .cross(3))
    #expect(StructuringElement.ellipse(1) == .square(1))
  }

  @Test func `range and luminance`() {
    let x = Tensor([2, 4, 6, 5, 5, 5] as [Float], shape: [2, 1, 1, 3])
    #expect(Filters.minMaxNormalised(x).array(of: Float.self) == [0, 0.5, 1, 0, 0, 0])
    let rgb = Tensor([1, 0.5, 0] as [Float], shape: [1, 3, 1, 1])
    #expect(abs(Filters.luminance(rgb).item() - 0.5925) < 1e-6)
  }
}

@Suite struct SketchExtractorTests {
  private func reference() throws -> (image: Tensor, mask: Tensor, expected: [String: Tensor]) {
    let tensors = try Safetensors.read(fixture("synthesis/sketch.safetensors")).tensors
    let image = try #require(tensors["image"]).permuted([2, 0, 1]).unsqueezed(0).to(.float32) / 127.5 - 1
    let mask = try #require(tensors["mask"]).reshaped([1, 1, 32, 32])
    return (image, mask, tensors.mapValues { $0.unsqueezed(0).unsqueezed(0) })
  }

  @Test func `the default sketch`() throws {
    let (image, _, expected) = try reference()
    #expect(difference(SketchExtractor()(image), try #require(expected["cross"])) < 1e-5)
  }

  @Test func `area 64`() throws {
    let (image, _, expected) = try reference()
    var extractor = SketchExtractor()
    (extractor.sigma, extractor.morphology) = (2, .area)
    #expect(difference(extractor(image), try #require(expected["area64.sigma2"])) < 1e-5)
  }

  @Test func `green channel inside a mask`() throws {
    let (image, mask, expected) = try reference()
    var extractor = SketchExtractor()
    extractor.channel = .green
    #expect(difference(extractor(image, mask: mask), try #require(expected["green.masked"])) < 1e-5)
  }

  @Test func `each image of a batch is sketched alone`() throws {
    let (image, _, _) = try reference()
    let batch = Tensor.cat([image, image.flipped([3]) * 0.3, Tensor.full(image.shape, 0.25)])
    let sketches = SketchExtractor()(batch)
    #expect(sketches.shape == [3, 1, 32, 32])
    // A convolution's rounding depends on the batch.
    #expect(difference(sketches[0...0], SketchExtractor()(image)) < 1e-5)
    #expect(difference(sketches[1...1], SketchExtractor()(image).flipped([3])) < 1e-5)
    #expect(difference(sketches[2], Tensor.full([1, 32, 32], -1)) == 0)
  }

  @Test func `sigma follows the size`() throws {
    let (image, _, _) = try reference()
    let large = image.repeated([1, 1, 9, 1])
    var explicit = SketchExtractor()
    explicit.sigma = 2
    #expect(difference(SketchExtractor()(large), explicit(large)) == 0)
    #expect(difference(SketchExtractor()(image), explicit(image)) > 0.01)
  }

  @Test func `the rim of a field of view does not outshine what is inside`() {
    // A bright disc on black with one faint line inside.
    let axis = Tensor.linspace(-1, 1, count: 64)
    let radius = axis.square().reshaped([1, 64]) + axis.square().reshaped([64, 1])
    let disc = radius.isLess(than: 0.7).to(.float32) * 0.8
    disc[20..<44, 31..<33] = Tensor.full([24, 2], 0.7)
    let image = (disc * 2 - 1).reshaped([1, 1, 64, 64])
    let edge = 30
    let plain = SketchExtractor()(image)[0, 0, 32, edge].item()
    var extractor = SketchExtractor()
    extractor.fieldOfViewThreshold = 0.08
    let masked = extractor(image)
    #expect(plain < -0.5)
    #expect(masked[0, 0, 32, edge].item() > 0.2)
    #expect(masked[0, 0, 32, 2...8].max().item() == -1)
  }

  @Test func `settings survive JSON`() throws {
    let data = try JSONEncoder().encode(SketchExtractor.area64)
    #expect(try JSONDecoder().decode(SketchExtractor.self, from: data) == .area64)
  }
}

@Suite struct SketchSheetTests {
  @Test func `originals stand above their sketches`() throws {
    let sheet = try SketchSheet(extractor: SketchExtractor(), size: 16).image(of: file("rgb8.png"), count: 3)
    #expect(sheet.dtype == .uint8)
    // One column, two rows, 4 pixels between and around.
    #expect(sheet.shape == [3, 44, 24])
    let sketch = sheet[.all, 24..<40, 4..<20]
    #expect(sketch.to(.float32).max().item() == 255)
    #expect(difference(sketch[0], sketch[2]) == 0)
  }

  @Test func `a folder gives as many images as asked for`() throws {
    let sheet = try SketchSheet(extractor: SketchExtractor(), size: 16).image(of: file("series"), count: 3)
    #expect(sheet.shape == [1, 44, 64])
  }

  @Test func `a folder without images is refused`() throws {
    try withTemporaryFolder { folder in
      let sheet = SketchSheet(extractor: SketchExtractor(), size: 16)
      let error = #expect(throws: ImagingError.self) { try sheet.image(of: folder, count: 3) }
      #expect(error?.found == "a folder without images")
    }
  }
}
