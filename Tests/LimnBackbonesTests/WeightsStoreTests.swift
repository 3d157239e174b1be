// The store: where it is, what gets in, and what is said of files that do not fit.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnBackbones

@Suite struct WeightsStoreTests {
  private let folder: TemporaryFolder
  private let store: WeightsStore
  private let mobileNet: PublishedNetwork

  init() throws {
    folder = try TemporaryFolder()
    store = WeightsStore(
      folder: folder.url.appendingPathComponent("a/store"),
      shippedFolders: [folder.url.appendingPathComponent("shipped")])
    mobileNet = try PublishedNetwork.named("mobilenet-v2")
  }

  /// A file of the rule's weights, changed by `change`.
  private func file(_ change: (inout [String: Tensor]) -> Void = { _ in }) throws -> URL {
    let network = MobileNetV2()
    BackboneWeights.fill(network)
    var state = network.stateDict
    state["features.0.1.num_batches_tracked"] = Tensor(Int64(7))
    change(&state)
    let url = folder.url.appendingPathComponent("mine.safetensors")
    try Safetensors.write(state, to: url)
    return url
  }

  @Test func whatWasAddedIsLoaded() throws {
    let added = try store.add(mobileNet, from: try file())
    #expect(added.place.lastPathComponent == "mobilenet-v2.safetensors")
    #expect(store.place(of: mobileNet) == added.place)
    #expect(!added.isKnown && added.digest.count == 64 && added.parameterCount == 3_504_872)
    let loaded = try store.load(mobileNet)
    #expect(loaded.digest == added.digest, "the digest of the source, not of the copy")
    #expect(!loaded.backbone.isTraining && loaded.backbone.parameters.allSatisfy { !$0.requiresGrad })
    let key = "features.4.conv.1.1.running_var"
    let expected = BackboneWeights.weight(key, [144])
    #expect(try #require(loaded.backbone.stateDict[key]).isIdentical(to: expected))
    let metadata = try Safetensors.read(added.place).metadata
    #expect(metadata["source"] == "mine.safetensors" && metadata["sha256"] == added.digest)
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let bad: [(words: String, change: (inout [String: Tensor]) -> Void)] = [
      ("missing: classifier.1.bias", { $0["classifier.1.bias"] = nil }),
      ("unknown: extra", { $0["extra"] = .zeros([1]) }),
      ("classifier.1.bias is [10] where [1000] was expected", { $0["classifier.1.bias"] = .zeros([10]) }),
      ("classifier.1.bias holds values that are not finite", { $0["classifier.1.bias"]?.fill(.nan) }),
    ]
    for (words, change) in bad {
      let url = try file(change)
      let error = #expect(throws: WeightsStoreError.self) { try store.add(mobileNet, from: url) }
      let line = error?.description ?? ""
      #expect(line.hasPrefix("\(url.path): ") && line.contains(words) && !line.contains("\n"), "\(line)")
      #expect(store.place(of: mobileNet) == nil)
    }
  }

  @Test func auxiliaryWeightsAreLeftAside() throws {
    let inception = try PublishedNetwork.named("inception-v3")
    var state = inception.make().stateDict
    state["AuxLogits.fc.bias"] = .zeros([1000])
    let fitted = try WeightsStore.fitted(inception, state, folder.url)
    #expect(fitted.stateDict["AuxLogits.fc.bias"] == nil)
    let fid = try PublishedNetwork.named("inception-v3-fid")
    #expect(throws: WeightsStoreError.self) { try WeightsStore.fitted(fid, state, folder.url) }
  }

  @Test func aMissingNetworkIsSaidWithTheCommandThatAddsIt() throws {
    for network in PublishedNetwork.all {
      let error = #expect(throws: WeightsStoreError.self) { try store.load(network) }
      #expect(error?.description.contains("limn weights add \(network.name) FILE") == true)
    }
    let error = #expect(throws: WeightsStoreError.self) { try PublishedNetwork.named("vgg19") }
    #expect(error?.description.hasPrefix("no network 'vgg19'; there are efficientnet-lite0, ") == true)
  }

  @Test func addedWeightsComeBeforeShippedOnes() throws {
    let shipped = folder.url.appendingPathComponent("shipped")
    try FileManager.default.createDirectory(at: shipped, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: shipped.appendingPathComponent("mobilenet-v2.pth"))
    #expect(store.place(of: mobileNet)?.pathExtension == "pth")
    _ = try store.add(mobileNet, from: try file())
    #expect(store.place(of: mobileNet)?.pathExtension == "safetensors")
  }

  @Test func theFolderFollowsTheEnvironment() {
    #expect(WeightsStore.userFolder(["LIMN_WEIGHTS": "/a/b", "XDG_DATA_HOME": "/c"]).path == "/a/b")
    #expect(WeightsStore.userFolder(["XDG_DATA_HOME": "/c"]).path == "/c/limn/weights")
    #expect(WeightsStore.userFolder([:]).path.hasSuffix("/.local/share/limn/weights"))
    let program = URL(fileURLWithPath: "/home/limn/.build/debug/limn")
    let folders = WeightsStore.shippedFolders(["LIMN_DEPS": "/d"], program: program).map(\.path)
    #expect(
      folders == ["/d/weights", "/home/limn/.build/share/limn/weights", "/home/limn/.deps/weights"])
  }

  @Test func theNetworksSayWhoseWeightsTheyAre() {
    for network in PublishedNetwork.all {
      #expect(network.address.hasPrefix("https://") && !network.licence.isEmpty && !network.purpose.isEmpty)
      #expect([8, 64].contains(network.digest.count))
      // The publishers' file names state the digest's first digits.
      #expect(network.comesWithLimn || network.address.contains(network.digest))
    }
  }
}
