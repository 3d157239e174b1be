// `limn import-helper`: the process in which `limn import` decodes files; not for people.

import ArgumentParser
import LimnDatasets

struct ImportHelperCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-helper", abstract: "Decode files for 'limn import'.", shouldDisplay: false)

  @Argument(help: "Bytes of memory that the process may take.")
  var memory: Int

  func run() { ImportHelperProcess.serve(memory: memory) }
}
