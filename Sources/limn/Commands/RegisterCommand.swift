// `limn register`: the registration network of a run brings one image onto another.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining
import LimnTranslation

struct RegisterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register",
    abstract: "Bring one image onto another by the registration network of a run.",
    discussion: """
      RUN is a run with registration (mode nc+r or c+r). FIXED and MOVING are images of what the run translates \
      into: pictures of one size, or volumes, which are registered slice by slice in the plane of the training \
      images, MOVING brought onto FIXED's grid before by the geometry of both. With --translate MOVING is of what the run translates from, and is translated to be compared; what \
      is warped is MOVING itself.

      OUT/warped is MOVING on FIXED. OUT/displacement.nii.gz is a NIfTI vector image (intent 1006) that says for \
      each voxel where its value comes from, seen from there: in mm along x, y and z (RAS+), of pictures in pixels \
      along columns and rows. OUT/checkerboard.png shows fields of FIXED and MOVING in turn, and beside it of \
      FIXED and the warped image: edges go on from field to field where they align. The mean and the greatest \
      displacement are told, and the pixels at which the image is folded (Jacobian of 0 or less).

      Examples:
        limn register runs/reggan flair.nii.gz flair-later.nii.gz --out registered
        limn register runs/reggan flair.nii.gz t1.nii.gz --translate --out registered
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var runFolder: String

  @Argument(help: "The image that stays where it is.")
  var fixed: String

  @Argument(help: "The image that is brought onto it.")
  var moving: String

  @Option(help: "The folder for the results.")
  var out: String

  @Flag(help: "MOVING is of what the run translates from.")
  var translate = false

  @Option(help: "Decides what the translation draws by chance. With --translate.")
  var seed: UInt64 = 0

  @Flag(
    inversion: .prefixedNo, help: "Bring volumes to the spacing of the training images, what is found back.")
  var resample = true

  @Option(help: "What computes: cpu, cuda or cuda:N.")
  var device = "cpu"

  @Option(help: "Of convolutions: float32, bfloat16, or auto, which is bfloat16 where that is faster.")
  var precision = PrecisionChoice.auto

  @Option(help: "Write the figures to this file, as JSON.")
  var json: String?

  func run() throws {
    Interruption.install()
    var options = Translator.Options()
    (options.device, options.resamples) = (device, resample)
    options.precision = precision.resolved(device: device)
    let translator = try Translator(URL(fileURLWithPath: runFolder), options: options)
    try translator.requireRegistration()
    let (fixed, moving) = (try volume(fixed), try volume(moving))
    var line: ProgressLine?
    let registered = try RegisteredVolume(
      moving: moving, onto: fixed, by: translator, translatingWith: translate ? .random(seed: seed) : nil
    ) { done, total in
      guard !Interruption.isRequested else { throw CommandFailure.interrupted("nothing was written") }
      line = line ?? ProgressLine(label: "slice", total: total, unit: "slices")
      done < total ? line?.update(done) : line?.finish(done)
    }
    let statement = "registered by Limn \(LimnVersion.current), \(translator.name)"
    _ = try registered.write(to: URL(fileURLWithPath: out), statement: statement)
    if let json {
      try AtomicFile.write(JSONEncoder.readable.encode(registered.figures), to: URL(fileURLWithPath: json))
    }
    print(Self.text(registered.figures) + "\nwritten to \(out)")
  }

  private func volume(_ path: String) throws -> Volume {
    let sources = try VolumeSource.all(at: URL(fileURLWithPath: path))
    guard sources.count == 1 else {
      throw RunError("\(path): \(sources.count) images; one was expected, a file or the folder of one series")
    }
    let results = ["warped.png", "warped.nii.gz", "displacement.nii.gz", "checkerboard.png"]
    try ResultPlace.check(sources[0], results.map(URL(fileURLWithPath: out).appendingPathComponent))
    return try sources[0].read()
  }

  /// The figures as a terminal shows them.
  static func text(_ figures: RegisteredVolume.Figures) -> String {
    let share = 100 * Double(figures.folded) / Double(max(figures.pixels, 1))
    return String(
      format: "displacement: mean %.3f %@, greatest %.3f %@\nfolded: %d of %d pixels (%.3f %%)", figures.mean,
      figures.unit, figures.largest, figures.unit, figures.folded, figures.pixels, share)
  }
}
