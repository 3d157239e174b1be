// How a command ends badly: one clear line and a non-zero exit.

import ArgumentParser
import Foundation
import LimnTorch

/// Failures that are the command's own.
enum CommandFailure {
  /// What Ctrl-C leaves behind, and the exit code shells give it.
  static func interrupted(_ state: String) -> ExitCode {
    say("interrupted; \(state)")
    return ExitCode(130)
  }

  /// Writes a line to standard error.
  static func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }

  /// Makes a failing operator end the program as every other failure does.
  static func catchOperatorFailures() {
    Torch.onFailure { error in
      say("Error: \(error.description)")
      Foundation.exit(70)
    }
  }
}
