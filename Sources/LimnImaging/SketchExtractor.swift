// SkrGAN: Sketching-rendering Unconditional Generative Adversarial Networks for Medical Image Synthesis
// (arXiv 1908.04346), section 2.1: the sketch that stands for an image, computed, not learned.

import LimnTorch

/// Draws the sketch of an image: Sobel edges, Gaussian smoothing, opening, closing.
///
/// The paper names the steps and no parameter; the defaults are ours unless a comment says otherwise.
public struct SketchExtractor: Sendable, Codable, Equatable {
  /// Which gray image of a colour one is sketched.
  public enum Channel: String, Sendable, Codable, CaseIterable {
    /// 0.299 R + 0.587 G + 0.114 B.
    case luminance
    /// The green channel, where the vessels of a fundus photograph show best.
    case green
  }

  /// What the opening and the closing are made with.
  public enum Morphology: String, Sendable, Codable, CaseIterable {
    /// No opening, no closing.
    case none
    case cross
    case ellipse
    case square
    /// By area: parts under `areaThreshold` pixels go (one public implementation uses 64, four neighbours).
    case area
  }

  /// Default: luminance.
  public var channel = Channel.luminance
  /// Odd samples of the Gaussian; default 5.
  public var kernelSize = 5
  /// The Gaussian's σ in pixels; where nil (the default), 1 up to 256 pixels and 2 for larger images.
  public var sigma: Double?
  /// Default: ellipse.
  public var morphology = Morphology.ellipse
  /// Odd width of the structuring element; default 3, where the ellipse is the cross.
  public var elementSize = 3
  /// Pixels; used where `morphology` is `area`; default 64.
  public var areaThreshold = 64
  /// Neighbours for `area`: 1 for four (the default), 2 for eight.
  public var connectivity = 1
  /// Leaves out edges at and beyond the rim of a round field of view, which would outshine all others: pixels
  /// darker than this, of [0, 1], in every channel lie outside. Nil (the default) for images without a rim;
  /// fundus photographs take about 0.08.
  public var fieldOfViewThreshold: Double?
  /// How far, in pixels of the image, the rim reaches into the field of view; default 5.
  public var rimWidth = 5

  /// The defaults.
  public init() {}

  /// The recipe of a public re-implementation: σ 2, area opening and closing of 64 pixels, four neighbours.
  /// Its Gaussian is cut at four σ.
  public static let area64: SketchExtractor = {
    var extractor = SketchExtractor()
    (extractor.kernelSize, extractor.sigma, extractor.morphology) = (17, 2, .area)
    return extractor
  }()

  /// The sketches of images.
  /// - Parameters:
  ///   - images: [N, C, H, W] in [−1, 1], C 1 or 3; every side longer than half the kernel.
  ///   - mask: [N, 1, H, W] or what expands to it; edges are kept where it is 1 and cleared where it is 0.
  /// - Returns: [N, 1, H, W] in [−1, 1], bright edges on −1; a constant image gives −1 everywhere.
  public func callAsFunction(_ images: Tensor, mask: Tensor? = nil) -> Tensor {
    withoutGradients {
      let unit = (images.to(.float32) + 1) / 2
      var edges = Filters.sobelMagnitude(gray(unit))
      if let mask { edges = edges * mask.to(.float32) }
      if let threshold = fieldOfViewThreshold { edges = edges * fieldOfView(unit, threshold) }
      let sigma = sigma ?? (max(images.shape[2], images.shape[3]) <= 256 ? 1 : 2)
      let smooth = Filters.gaussianBlur(
        Filters.minMaxNormalised(edges), kernelSize: kernelSize, sigma: sigma)
      return Filters.minMaxNormalised(cleaned(smooth)) * 2 - 1
    }
  }

  private func gray(_ unit: Tensor) -> Tensor {
    guard channel == .green, unit.shape[1] == 3 else { return Filters.luminance(unit) }
    return unit.narrowed(dim: 1, start: 1, length: 1)
  }

  private func cleaned(_ x: Tensor) -> Tensor {
    switch morphology {
    case .none: x
    case .cross: cleaned(x, .cross(elementSize))
    case .ellipse: cleaned(x, .ellipse(elementSize))
    case .square: cleaned(x, .square(elementSize))
    case .area:
      Filters.areaClosing(
        Filters.areaOpening(x, threshold: areaThreshold, connectivity: connectivity),
        threshold: areaThreshold, connectivity: connectivity)
    }
  }

  private func cleaned(_ x: Tensor, _ element: StructuringElement) -> Tensor {
    Filters.greyClosing(Filters.greyOpening(x, element: element), element: element)
  }

  /// 1 inside the field of view, 0 outside and on its rim. [N, 1, H, W].
  private func fieldOfView(_ unit: Tensor, _ threshold: Double) -> Tensor {
    let inside = unit.amax(dims: [1], keepDim: true).isGreater(than: threshold).to(.float32)
    // Dark vessels and the dark macula are holes in the threshold: closing fills them before the rim goes.
    let filled = Filters.greyClosing(inside, element: .square(2 * rimWidth + 1))
    return Filters.greyErosion(filled, element: .square(2 * rimWidth + 1))
  }
}
