// Every command's help, compared with the text that was last read by a person. RECORD_SNAPSHOTS=1 records
// anew.

import ArgumentParser
import Foundation
import LimnTestSupport
import Testing

@testable import limn

@Suite struct HelpTests {
  /// Each command by its words with hyphens between, those within commands too.
  private static let commands = below(Limn.self, "")
  private static var names: [String] { ["limn"] + commands.map(\.name) }

  private static func below(
    _ command: any ParsableCommand.Type, _ prefix: String
  ) -> [(name: String, command: any ParsableCommand.Type)] {
    command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.flatMap { inner in
      let name = prefix + inner._commandName
      return [(name, inner)] + below(inner, "\(name)-")
    }
  }

  private static func help(of name: String) -> String {
    let command = commands.first { $0.name == name }?.command
    return Limn.helpMessage(for: command ?? Limn.self, columns: 100) + "\n"
  }

  @Test(arguments: names) func helpIsAsRecorded(name: String) throws {
    let file = fixture("help/\(name).txt")
    let text = Self.help(of: name)
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let recorded = try String(contentsOf: file, encoding: .utf8)
    #expect(text == recorded, "help of \(name) has changed: read it, then record it anew")
  }

  @Test func noRecordedHelpIsLeftOver() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: fixture("help").path)
    #expect(files.sorted() == Self.names.map { "\($0).txt" }.sorted())
  }

  /// Each line of an example begins with the program's name after an indentation.
  private static func examples(of name: String) -> [String] {
    help(of: name).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { $0.hasPrefix("limn ") }
  }

  @Test(arguments: names) func examplesParse(name: String) throws {
    let examples = Self.examples(of: name)
    #expect(!examples.isEmpty, "\(name) shows no example")
    for example in examples {
      let words = example.split(separator: " ").map(String.init).dropFirst()
      // What follows two blanks is a remark, what follows > is the shell's.
      let arguments = Array(words.prefix { $0 != ">" && $0 != "for" })
      #expect(throws: Never.self, "\(example)") { try Limn.parseAsRoot(arguments) }
    }
  }
}
