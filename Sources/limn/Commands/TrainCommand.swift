// `limn train`: a dataset in, a run out.

import ArgumentParser
import Foundation
import LimnImaging
import LimnSegmentation
import LimnSynthesis
import LimnTorch
import LimnTraining
import LimnTranslation

/// Every method this program knows.
enum Methods {
  static var all: [any Method.Type] {
    SynthesisMethods.all.map { $0 as any Method.Type } + TranslationMethods.all.map { $0 as any Method.Type }
      + SegmentationMethods.all.map { $0 as any Method.Type }
  }
}

extension FoldRule: ExpressibleByArgument {}

/// What `--augment` takes.
struct AugmentationChoice {
  /// As a run stores it.
  let text: String

  /// - Throws: what is wrong with a list of transforms.
  init(_ argument: String) throws {
    let none = TrainingOptions.noAugmentation
    text = argument == none ? none : try AugmentationPipeline(parsing: argument).description
  }
}

/// What `--precision` takes.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, float32, bfloat16

  /// bfloat16 where the hardware multiplies it faster than float32.
  func resolved(device: String) -> Precision {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .auto: device != "cpu" || CPUInfo.current.multipliesBFloat16 ? .bfloat16 : .float32
    }
  }
}

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a method on a dataset, or continue a run.",
    discussion: """
      A run is a folder: the resolved recipe (recipe.yaml), metrics.jsonl, TensorBoard events, sample sheets \
      (samples/), checkpoints, and report.html, one page that shows them. Ctrl-C finishes the step and saves; \
      --resume goes on to the same bits as if nothing had happened (on the CPU, with the threads it was begun \
      with).

      Examples:
        limn train skrgan --data data/lungs --images 100000
        limn train pggan --data data/lungs --images 100000 --set width_max=128 --precision bfloat16
        limn train skrgan --data data/lungs --images 100000 --dry-run > recipe.yaml
        limn train skrgan --data data/lungs --images 100000 --recipe recipe.yaml
        limn train unet --data data/vessels --images 4000 --from runs/synthetic-vessels
        limn train reggan --data data/t1-flair --images 100000
        limn train reggan --data data/ct --target data/mr --images 100000
        limn train --resume runs/00000-skrgan-lungs
        limn train --resume runs/00000-skrgan-lungs --images 200000

      'limn methods' lists the methods, 'limn methods skrgan' a recipe's keys.
      """)

  @Argument(
    help: "The method: \(Methods.all.map { $0.about.name }.joined(separator: ", ")). Left out with --resume.")
  var method: String?

  @Option(help: "The dataset's folder. With --resume: where it is now, if it has moved.")
  var data: String?

  @Option(
    help: """
      For methods that translate: a dataset of what the images are to become, of the same size. Its images are drawn \
      in an order of their own; patients that --data holds out are left out. Default: the targets that \
      'limn import --pair' has put beside the images. With --resume: where it is now.
      """)
  var target: String?

  @Flag(
    help: """
      Give the targets of pairs to other patients' images, anew in every epoch, slices of about the same level: \
      unpaired data of which the truth is known. Held-out pairs stay pairs.
      """)
  var shuffleTargets = false

  @Option(help: "Continue this run. Only --data, --target, --steps and --images go with it.")
  var resume: String?

  @Option(
    help: """
      Begin with the weights of this run, as far as names and shapes agree: pre-training, then fine-tuning.
      """)
  var from: String?

  @Option(
    help: """
      Begin a network with the weights of a file (.pth, .pt, safetensors): NETWORK=FILE, or NETWORK=FILE:ENTRY of a \
      checkpoint that holds several, such as generator_b=netG_A2B.pth or autoencoder_a=gen_01000000.pt:a. --dry-run \
      lists the networks. May be repeated; --images 0 makes a run that is to be used as it is.
      """)
  var weights: [String] = []

  @Option(help: "The run's folder. Default: the next free runs/NNNNN-METHOD-DATASET.")
  var out: String?

  @Option(help: "A recipe file (YAML); what it leaves out keeps the paper's value.")
  var recipe: String?

  @Option(name: .customLong("set"), help: "Change one key of the recipe: key=value. May be repeated.")
  var settings: [String] = []

  @Option(help: "End after this many steps. A new run needs --steps or --images.")
  var steps: Int?

  @Option(help: "End after this many images were shown, repeats counted; schedules are fitted to it.")
  var images: Int?

  @Option(help: "What computes: cpu (default), cuda or cuda:N.")
  var device: String?

  @Option(
    help: """
      Numbers in convolutions and products: float32, bfloat16 (weights stay float32), or auto: bfloat16 \
      where the hardware multiplies it faster ('limn doctor' says so). Default: auto.
      """)
  var precision: PrecisionChoice?

  @Option(help: "Seed of weights, batches and noise. Default: 0.")
  var seed: UInt64?

  @Option(help: "Threads. Default: one for each core.")
  var threads: Int?

  @Option(help: "Steps between rows of metrics.jsonl. Default: 20.")
  var logEvery: Int?

  @Option(help: "Steps between sample sheets. Default: 500.")
  var sampleEvery: Int?

  @Option(help: "Steps between checkpoints. Default: 500.")
  var checkpointEvery: Int?

  @Option(help: "Checkpoints to keep, the newest ones. Default: 3.")
  var keepCheckpoints: Int?

  @Option(
    help: """
      Change images at random, such as 'flip@0.5, rotation:-10..10, gamma:0.8..1.25'; docs/reference/augmentation.md \
      lists all. A flip is nothing for images where sides matter. Default: what the method's paper does; \
      none switches it off.
      """, transform: AugmentationChoice.init)
  var augment: AugmentationChoice?

  @Option(
    help: """
      Cross-validation: train so many runs, OUT/fold-1 and so on, each of which holds another part of the items \
      out; those in the test split take no part. Given again, it goes on where it stopped. 'limn segment OUT' \
      asks all of them.
      """)
  var folds: Int?

  @Option(help: "Train this fold alone, from 1. With --folds.")
  var fold: Int?

  @Option(
    help: "What stays together: patient, or block for neighbouring items, such as sections of one tissue.")
  var foldsBy: FoldRule?

  @Flag(help: "Print the resolved recipe, say what would be trained, and do nothing.")
  var dryRun = false

  func validate() throws {
    if resume != nil {
      try refuseWhatARunHasDecided()
    } else {
      guard method != nil else { throw ValidationError("which method? 'limn methods' lists them") }
      guard data != nil else { throw ValidationError("--data DATASET is missing; 'limn import' makes one") }
      guard steps != nil || images != nil else {
        throw ValidationError("how long? Give --images N or --steps N")
      }
    }
    guard folds ?? 2 >= 2 else { throw ValidationError("--folds: expected 2 or more") }
    guard folds != nil || (fold == nil && foldsBy == nil) else {
      throw ValidationError("--fold and --folds-by go with --folds")
    }
    guard (1...(folds ?? 1)).contains(fold ?? 1) else {
      throw ValidationError("--fold: expected 1 to \(folds ?? 1)")
    }
    let counts: [(String, Int?)] = [
      ("--steps", steps), ("--images", images), ("--threads", threads), ("--log-every", logEvery),
      ("--sample-every", sampleEvery), ("--checkpoint-every", checkpointEvery),
      ("--keep-checkpoints", keepCheckpoints),
    ]
    for (name, value) in counts
    where (value ?? 1) < 1 && !(name == "--images" && value == 0 && !weights.isEmpty) {
      throw ValidationError("\(name): expected 1 or more")
    }
  }

  /// What a run was begun with cannot change, or its second half would not belong to its first.
  private func refuseWhatARunHasDecided() throws {
    let given: [(String, Bool)] = [
      ("a method", method != nil), ("--from", from != nil), ("--weights", !weights.isEmpty),
      ("--out", out != nil),
      ("--recipe", recipe != nil),
      ("--set", !settings.isEmpty), ("--device", device != nil), ("--precision", precision != nil),
      ("--seed", seed != nil), ("--threads", threads != nil), ("--log-every", logEvery != nil),
      ("--sample-every", sampleEvery != nil), ("--checkpoint-every", checkpointEvery != nil),
      ("--keep-checkpoints", keepCheckpoints != nil), ("--augment", augment != nil),
      ("--folds", folds != nil), ("--dry-run", dryRun), ("--shuffle-targets", shuffleTargets),
    ]
    guard let first = given.first(where: \.1) else { return }
    throw ValidationError(
      "\(first.0) was decided when the run was begun; --resume takes --data, --target, --steps and "
        + "--images only")
  }

  func run() throws {
    if dryRun {
      let request = try folds.map { try foldRequest(fold ?? 1, of: $0) } ?? request()
      return try describe(TrainingSession.dryRun(methodType(), request), request.options.fold)
    }
    if let folds { return try crossValidate(folds) }
    try train(resume.map(resumed) ?? TrainingSession.begin(methodType(), request()))
  }

  private func crossValidate(_ count: Int) throws {
    let type = try methodType()
    let name = URL(fileURLWithPath: data ?? "").lastPathComponent
    let folder =
      out.map { URL(fileURLWithPath: $0) }
      ?? RunFolder.nextName(in: URL(fileURLWithPath: "runs"), method: type.about.name, dataset: name)
    for number in fold.map({ $0...$0 }) ?? 1...count {
      let place = folder.appendingPathComponent("fold-\(number)")
      if FileManager.default.fileExists(atPath: place.path) {
        try train(resumed(place.path))
      } else {
        var request = try foldRequest(number, of: count)
        request.out = place
        try train(TrainingSession.begin(type, request))
      }
    }
  }

  private func foldRequest(_ number: Int, of count: Int) throws -> TrainingRequest {
    var request = try request()
    request.options.fold = Fold(number: number, count: count, rule: foldsBy ?? .patient)
    return request
  }

  private func train(_ session: TrainingSession) throws {
    guard !session.trainer.isComplete else {
      if images == 0 { return CommandFailure.say("run: \(session.run.url.relativePath), as it was begun") }
      return CommandFailure.say(
        "\(session.run.url.relativePath) is complete (\(session.trainer.position.images) images); "
          + "to train longer, give a larger --images or --steps")
    }
    Interruption.install()
    CommandFailure.say("run: \(session.run.url.relativePath)")
    if let origin = session.begunFrom { CommandFailure.say("begun from: \(origin)") }
    let outcome = try session.trainer.train()
    CommandFailure.say("report: \(session.run.report.relativePath)")
    guard outcome == .finished else {
      throw CommandFailure.interrupted(
        "saved at step \(session.trainer.position.step). "
          + (folds == nil
            ? "Go on with: limn train --resume \(session.run.url.relativePath)"
            : "Go on with the same command and --out, or this fold alone with: "
              + "limn train --resume \(session.run.url.relativePath)")
      )
    }
  }

  /// The recipe goes to standard output, where it may be kept as a file, and the rest beside it.
  private func describe(_ plan: DryRun, _ fold: Fold?) {
    print(plan.recipeYAML, terminator: "")
    CommandFailure.say(
      "would show \(HumanReadable.count(plan.totalImages)) images, drawn from "
        + "\(HumanReadable.count(plan.trainingItems)) of \(plan.shape)"
        + (plan.trainingTargets.map { ", with \(HumanReadable.count($0)) targets" } ?? "")
        + (fold.map { " (fold \($0.number) of \($0.count))" } ?? ""))
    for (name, parameters) in plan.networks {
      CommandFailure.say("\(name): \(HumanReadable.count(parameters)) parameters")
    }
  }

  private func resumed(_ run: String) throws -> TrainingSession {
    try TrainingSession.resume(
      URL(fileURLWithPath: run), among: Methods.all, dataset: data.map { URL(fileURLWithPath: $0) },
      target: target.map { URL(fileURLWithPath: $0) }, steps: steps, images: images)
  }

  private func methodType() throws -> any Method.Type {
    try TrainingSession.find(method ?? "", among: Methods.all)
  }

  private func request() throws -> TrainingRequest {
    let recipeText = try recipe.map { path in
      guard let data = FileManager.default.contents(atPath: path) else {
        throw RecipeError("\(path): cannot be read; expected a recipe file (YAML)")
      }
      return String(decoding: data, as: UTF8.self)
    }
    let device = device ?? "cpu"
    var options = TrainingOptions(
      steps: steps, images: images, seed: seed ?? 0, device: device,
      precision: (precision ?? .auto).resolved(device: device), threads: threads ?? Torch.threadCount,
      logEvery: logEvery ?? 20, sampleEvery: sampleEvery ?? 500, checkpointEvery: checkpointEvery ?? 500,
      keepCheckpoints: keepCheckpoints ?? 3, augmentation: augment?.text)
    if shuffleTargets { options.shufflesTargets = true }
    return try TrainingRequest(
      dataset: URL(fileURLWithPath: data ?? ""), target: target.map { URL(fileURLWithPath: $0) },
      out: out.map { URL(fileURLWithPath: $0) },
      recipe: recipeText,
      settings: settings, options: options, begunFrom: from.map { URL(fileURLWithPath: $0) },
      weights: weights.map(PublishedWeights.init))
  }
}
