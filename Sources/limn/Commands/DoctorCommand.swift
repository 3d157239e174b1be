// `limn doctor`: what a bug report needs, and how to get what is missing.

import ArgumentParser

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Tell what this machine has and lacks.",
    discussion: """
      Prints the versions of Limn and of the libraries it found and where, the processor's features that \
      decide its speed, threads, memory, GPU, image formats and disk. Each thing that is missing comes \
      with the way to get it. Nothing is changed and nothing leaves the machine.

      Example:
        limn doctor                      for reading
        limn doctor --json > doctor.json for a bug report
      """)

  @Flag(help: "Print JSON: a list of findings with section, name, value, state and advice.")
  var json = false

  func run() throws {
    let report = DoctorReport(findings: DoctorProbe().findings())
    print(try json ? report.json() : report.text)
  }
}
