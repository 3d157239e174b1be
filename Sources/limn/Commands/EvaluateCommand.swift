// `limn evaluate`: what images, translations and labels are worth, measured.

import ArgumentParser

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure synthetic images, translations, and segmentations.",
    discussion: """
      'limn evaluate REAL FAKE' compares two sets of images that do not belong together one to one: fidelity, \
      variety, privacy, usefulness. That is 'limn evaluate cohort'; its options are told by \
      'limn evaluate cohort --help'.

      'limn evaluate pairs REAL FAKE' compares images that do belong together, such as a translated scan and the \
      one that was acquired. 'limn evaluate labels TRUTH PREDICTION' compares segmentations.

      Each figure comes with its protocol, its sample counts, and a 95% interval.

      Examples:
        limn evaluate data/lungs data/synthetic --report result.html
        limn evaluate pairs ct/ ct-from-mr/ --csv figures.csv
        limn evaluate labels truth/ predicted/ --classes ventricle=1,myocardium=2 --report result.html
      """,
    subcommands: [EvaluateCohortCommand.self, EvaluatePairsCommand.self, EvaluateLabelsCommand.self],
    defaultSubcommand: EvaluateCohortCommand.self)
}
