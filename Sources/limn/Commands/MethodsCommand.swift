// `limn methods`: what can be trained, and the keys of a recipe.

import ArgumentParser
import LimnTraining

struct MethodsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods",
    abstract: "List the methods, or the recipe keys of one.",
    discussion: """
      Each key is listed with its default (the paper's value where it gives one), its meaning and who says so.

      Examples:
        limn methods
        limn methods skrgan
      """)

  @Argument(help: "A method's name.")
  var method: String?

  func run() throws {
    guard let method else { return Methods.all.forEach { print(Self.summary(of: $0.about)) } }
    print(Self.description(of: try TrainingSession.find(method, among: Methods.all)))
  }

  private static func summary(of about: MethodDescription) -> String {
    "\(about.name)\n  \(about.title). \(about.paper)\n  \(about.summary)\n"
  }

  private static func description<M: Method>(of type: M.Type) -> String {
    let standard = M.Recipe()
    let keys = M.Recipe.keys.map { key in
      "\(key.name) = \(standard.text(of: key.name))\n    \(key.meaning)\n    source: \(key.source)"
    }
    return summary(of: M.about) + "\nKeys, to be set with --set key=value or in a recipe file:\n\n"
      + keys.joined(separator: "\n")
  }
}
