// `limn weights`: the published networks, and the folder of their weights.

import ArgumentParser
import Foundation
import LimnBackbones
import LimnTorch

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "List, add and find the weights of published networks.",
    discussion: """
      Figures of features (FID, KID, precision and recall, ...) are computed with a published network. \
      EfficientNet-Lite0 comes with Limn. The others are fetched by you, from their publishers and under their \
      licences, and added from the file: .pth, .pt, .safetensors or .npz. Nothing in a file is executed; names \
      and shapes of all tensors are checked, and the SHA-256 is compared with the published one.

      Examples:
        limn weights list
        limn weights add inception-v3-fid pt_inception-2015-12-05-6726825d.pth
        limn weights where
      """,
    subcommands: [List.self, Add.self, Where.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the networks: what for, whose, from where, whether installed.",
      discussion: """
        Examples:
          limn weights list
        """)

    func run() {
      let store = WeightsStore.standard
      print(PublishedNetwork.all.map { WeightsCommand.entry($0, in: store) }.joined(separator: "\n\n"))
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a file of weights against its network and keep it.",
      discussion: """
        Examples:
          limn weights add resnet-50 resnet50-11ad3fa6.pth
        """)

    @Argument(help: "The network's name, as 'limn weights list' has it.")
    var name: String

    @Argument(help: "The file: .pth, .pt, .safetensors or .npz.")
    var file: String

    func run() throws {
      let network = try PublishedNetwork.named(name)
      let added = try WeightsStore.standard.add(network, from: URL(fileURLWithPath: file))
      if !added.isKnown {
        CommandFailure.say(
          "warning: these are not the published weights: SHA-256 \(added.digest.prefix(8))… where "
            + "\(network.digest.prefix(8))… was expected; figures will carry this digest")
      }
      print("\(name): \(HumanReadable.count(added.parameterCount)) parameters, in \(added.place.path)")
    }
  }

  struct Where: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the folder that added weights go to.",
      discussion: """
        LIMN_WEIGHTS sets it; otherwise it is limn/weights in XDG_DATA_HOME or ~/.local/share.

        Examples:
          limn weights where
        """)

    func run() { print(WeightsStore.standard.folder.path) }
  }

  private static func entry(_ network: PublishedNetwork, in store: WeightsStore) -> String {
    let place = store.place(of: network)
    let command = network.comesWithLimn ? "make deps" : "limn weights add \(network.name) FILE"
    let state = place.map { "installed: \($0.path)" } ?? "not installed; to add it: \(command)"
    let digits = network.digest.count == 64 ? network.digest : "\(network.digest)…"
    return """
      \(network.name)
        \(state)
        for:      \(network.purpose)
        licence:  \(network.licence)
        address:  \(network.address)
        SHA-256:  \(digits)
      """
  }
}
