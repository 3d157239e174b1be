// `limn sketch`: originals beside their sketches, to choose the extractor's settings by eye.

import ArgumentParser
import Foundation
import LimnImaging

extension SketchExtractor.Channel: ExpressibleByArgument {}
extension SketchExtractor.Morphology: ExpressibleByArgument {}

struct SketchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sketch",
    abstract: "Show images beside the sketches that SkrGAN learns from.",
    discussion: """
      A sketch is computed: Sobel edges, a Gaussian, an opening and a closing. Good settings keep the \
      outlines of organs, vessels and lesions and drop noise. Try them here, then give the same values to \
      'limn train skrgan'.

      Images are PNG, JPEG, TIFF, NIfTI or DICOM; of a volume the middle axial slice is shown. A folder \
      stands for the images in it, evenly chosen.

      Examples:
        limn sketch scans/ --out sketches.png
        limn sketch fundus/ --channel green --field-of-view 0.08 --sigma 2 --out sketches.png
      """)

  @Argument(help: "An image, or a folder of images.")
  var source: String

  @Option(help: "The sheet to write (PNG): each row of originals above its row of sketches.")
  var out = "sketches.png"

  @Option(help: "How many images of a folder to show.")
  var count = 8

  @Option(help: "Pixels per side; images are fitted into the square.")
  var size = 256

  @Option(help: "What is sketched of a colour image: luminance or green.")
  var channel = SketchExtractor.Channel.luminance

  @Option(help: "Width of the Gaussian's kernel in pixels, odd.")
  var kernel = 5

  @Option(help: "The Gaussian's sigma in pixels. (default: 1 up to 256 pixels, 2 above)")
  var sigma: Double?

  @Option(help: "Opening and closing by: none, cross, ellipse, square, or area.")
  var morphology = SketchExtractor.Morphology.ellipse

  @Option(help: "Width of the structuring element in pixels, odd.")
  var element = 3

  @Option(help: "With --morphology area: parts of fewer pixels go.")
  var area = 64

  @Option(help: "For round fields of view: pixels darker than this share of white lie outside; try 0.08.")
  var fieldOfView: Double?

  func validate() throws {
    guard count > 0, size >= 16 else { throw ValidationError("--count is at least 1, --size at least 16.") }
    guard kernel % 2 == 1, kernel > 0, kernel < size else {
      throw ValidationError("--kernel is odd and smaller than --size, \(kernel) was given.")
    }
    guard element % 2 == 1, element > 0 else {
      throw ValidationError("--element is odd, \(element) was given.")
    }
    guard sigma.map({ $0 > 0 }) ?? true else { throw ValidationError("--sigma is greater than 0.") }
  }

  func run() throws {
    let sheet = try SketchSheet(extractor: extractor, size: size).image(
      of: URL(fileURLWithPath: source), count: count)
    try PNGFile.write(pixels: sheet, to: URL(fileURLWithPath: out))
    print(out)
  }

  private var extractor: SketchExtractor {
    var extractor = SketchExtractor()
    (extractor.channel, extractor.kernelSize, extractor.sigma) = (channel, kernel, sigma)
    (extractor.morphology, extractor.elementSize, extractor.areaThreshold) = (morphology, element, area)
    extractor.fieldOfViewThreshold = fieldOfView
    return extractor
  }
}
