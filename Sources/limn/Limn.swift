// The `limn` command: the list of its subcommands and the road that leads through them.

import ArgumentParser
import Foundation
import LimnTorch

@main
struct Limn: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limn",
    abstract: "Learn to draw medical images from few examples, and prove what the drawings are worth.",
    discussion: """
      The usual road, from a folder of scans to a page that shows real beside synthetic:

        limn import scans/ --out data/lungs --size 64
        limn check data/lungs
        limn train skrgan --data data/lungs --images 100000 --out runs/lungs
        limn generate runs/lungs --count 64 --out data/synthetic
        limn evaluate data/lungs data/synthetic

      Datasets and runs are folders that other programs can read: pixels in safetensors, descriptions in \
      JSON and YAML. What one command writes, the next one reads, so a synthetic cohort is a dataset like \
      any other.

      'limn help COMMAND' explains a command with an example. 'limn doctor' tells what this machine has \
      and lacks; put its answer into a bug report.
      """,
    version: LimnVersion.current,
    subcommands: [
      ImportCommand.self, ImportHelperCommand.self, CheckCommand.self, ShowCommand.self, SketchCommand.self,
      ExportCommand.self, TrainCommand.self,
      MethodsCommand.self, GenerateCommand.self, SegmentCommand.self, TranslateCommand.self,
      RegisterCommand.self, EvaluateCommand.self,
      WeightsCommand.self,
      DoctorCommand.self,
    ])

  static func main() {
    CommandFailure.catchOperatorFailures()
    // libtorch takes a tenth of a second to put its tables away, which the system does at once.
    on_exit(
      { status, _ in
        fflush(nil)
        _exit(status)
      }, nil)
    main(EvaluateCommand.named(Array(CommandLine.arguments.dropFirst())))
  }
}
