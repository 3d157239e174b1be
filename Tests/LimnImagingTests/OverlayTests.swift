// Label colours, overlays and histograms against NumPy and scikit-image.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

private func reference(_ name: String) throws -> Tensor {
  try #require(try Safetensors.read(fixture("imaging/overlay.safetensors")).tensors[name])
}

@Suite struct LabelColourTests {
  @Test func `the palette is the one that scikit-image's CIELAB gives`() throws {
    #expect(LabelColours.table.isIdentical(to: try reference("palette")))
  }

  @Test func `the background is black, the first classes are Okabe and Ito's, and no colour comes twice`() {
    #expect(LabelColours.palette.count == 256 && Set(LabelColours.palette).count == 256)
    #expect(LabelColours.palette.prefix(3).map(\.hex) == ["#000000", "#E69F00", "#56B4E9"])
  }

  @Test func `labels beyond the palette begin again, but not at the background`() {
    #expect(LabelColours.colour(of: 255) == LabelColours.palette[255])
    #expect(LabelColours.colour(of: 256) == LabelColours.palette[1])
    #expect(LabelColours.colour(of: 510) == LabelColours.palette[255])
  }
}

@Suite struct LabelOverlayTests {
  @Test func `contours are scikit-image's inner boundaries`() throws {
    let contours = LabelOverlay.contours(of: try reference("labels"))
    #expect(contours.to(.uint8).isIdentical(to: try reference("contours")))
  }

  @Test(arguments: [true, false])
  func `overlays are NumPy's`(hasContours: Bool) throws {
    let overlay = LabelOverlay(opacity: 0.4, hasContours: hasContours)
    let result = overlay(try reference("images"), labels: try reference("labels"))
    #expect(result.dtype == .uint8)
    // Float32 may round a half the other way.
    #expect(difference(result, try reference(hasContours ? "overlay" : "overlay.filled")) <= 1)
  }

  @Test func `floats and colour images are drawn over alike`() throws {
    let (images, labels) = (try reference("images"), try reference("labels"))
    let overlay = LabelOverlay()
    let expected = overlay(images, labels: labels)
    #expect(overlay(images.normalizedPixels(), labels: labels.to(.int64)).isIdentical(to: expected))
    let coloured = images.expanded([2, 3, 12, 15]).contiguous()
    #expect(overlay(coloured, labels: labels).isIdentical(to: expected))
  }

  @Test func `outlines alone leave the anatomy as it is`() throws {
    let (images, labels) = (try reference("images"), try reference("labels"))
    let result = LabelOverlay(opacity: 0)(images, labels: labels)
    let isOutline = LabelOverlay.contours(of: labels).unsqueezed(1)
    let changed = (result.to(.int32) - images.to(.int32)).isNotEqual(to: 0).logicalAnd(isOutline.logicalNot())
    #expect(changed.to(.int32).sum().item() == 0)
    #expect(!result.isIdentical(to: LabelOverlay(opacity: 0, hasContours: false)(images, labels: labels)))
  }
}

@Suite struct HistogramTests {
  private func counts(_ name: String) throws -> [Int] { try reference(name).array(of: Int.self) }

  @Test func `counts are NumPy's`() throws {
    let values = Histogram(of: try reference("values"), bins: 13, range: -2...2)
    #expect(values.counts == (try counts("histogram")))
    #expect(values.total == 2 * 3 * 12 * 15 && values.outside > 2)
    let bytes = Histogram(of: try reference("images"), bins: 16, range: 0...256)
    #expect(bytes.counts == (try counts("histogram.bytes")) && bytes.outside == 0)
  }

  @Test func `the last bin has its upper end, and no bin what is no number`() {
    let histogram = Histogram(of: Tensor([0, 0.5, 1, -0.1, 1.1, .nan] as [Float]), bins: 2, range: 0...1)
    #expect(histogram.counts == [1, 2] && histogram.outside == 3)
  }

  @Test func `classes are counted apart, and add up`() throws {
    let (values, labels) = (try reference("values"), try reference("labels"))
    let classes = Histogram.byClass(values, labels: labels, bins: 13, range: -2...2)
    #expect(classes[9]?.counts == (try counts("histogram.class9")))
    #expect(Set(classes.keys) == Set(labels.array(of: Int32.self).map(Int.init)))
    var sum = Histogram(bins: 13, range: -2...2)
    for histogram in classes.values { sum += histogram }
    #expect(sum == Histogram(of: values, bins: 13, range: -2...2))
  }
}
