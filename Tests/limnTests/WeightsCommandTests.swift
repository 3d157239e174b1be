// `limn weights` as a process: the store of LIMN_WEIGHTS, warnings, and refusals.

import Foundation
import LimnBackbones
import LimnTestSupport
import LimnTorch
import Testing

@testable import limn

@Suite struct WeightsCommandTests {
  private func limn(_ words: String, in folder: URL) throws -> Command.Result {
    try Command.limn(words, in: folder, environment: ["LIMN_WEIGHTS": folder.appending(path: "store").path])
  }

  @Test func aFileIsAddedListedAndFound() throws {
    try withTemporaryFolder { folder in
      let network = MobileNetV2()
      BackboneWeights.fill(network)
      try Safetensors.write(network.stateDict, to: folder.appending(path: "mine.safetensors"))
      let before = try limn("weights", in: folder)
      #expect(
        before.output.contains(
          "mobilenet-v2\n  not installed; to add it: limn weights add mobilenet-v2 FILE\n"))
      let added = try limn("weights add mobilenet-v2 mine.safetensors", in: folder)
      #expect(added.status == 0)
      #expect(added.error.hasPrefix("warning: these are not the published weights: SHA-256 "))
      let place = folder.appending(path: "store/mobilenet-v2.safetensors").path
      #expect(added.output.hasSuffix("in \(place)\n"))
      #expect(try limn("weights list", in: folder).output.contains("mobilenet-v2\n  installed: \(place)\n"))
      #expect(try limn("weights where", in: folder).output == folder.appending(path: "store").path + "\n")
    }
  }

  @Test func whatDoesNotFitLeavesNothing() throws {
    try withTemporaryFolder { folder in
      let file = fixture("torch/weights/zip.pth").path
      let refused = try limn("weights add vgg16 \(file)", in: folder)
      #expect(refused.status != 0 && refused.error.split(separator: "\n").count == 1)
      #expect(refused.error.hasPrefix("Error: \(file): the weights do not fit VGG16; missing: "))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "store").path))
      let unknown = try limn("weights add vgg19 \(file)", in: folder)
      #expect(unknown.status != 0 && unknown.error.contains("no network 'vgg19'; there are "))
    }
  }
}
