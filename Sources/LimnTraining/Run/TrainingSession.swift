// Beginning, resuming and opening runs: from names and folders to a method at the right point.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch

/// What `limn train` asks for.
public struct TrainingRequest {
  /// The dataset's folder.
  public var dataset: URL
  /// The folder of a second dataset, whose images are the targets of a method that translates; nil: the dataset's own
  /// layer `targets`.
  public var target: URL?
  /// The run's folder; the next free name below `runs/` where nil.
  public var out: URL?
  /// A recipe file's text.
  public var recipe: String?
  /// `key=value` settings on top of it.
  public var settings: [String]
  /// Length, seed, device and intervals.
  public var options: TrainingOptions
  /// The run whose newest weights the new one begins with; nil: fresh weights.
  public var begunFrom: URL?
  /// What single networks begin with, after that.
  public var weights: [PublishedWeights]

  /// A run on the dataset in a folder, with the paper's recipe unless it is overridden.
  public init(
    dataset: URL, target: URL? = nil, out: URL? = nil, recipe: String? = nil, settings: [String] = [],
    options: TrainingOptions, begunFrom: URL? = nil,
    weights: [PublishedWeights] = []
  ) {
    (self.dataset, self.target, self.out, self.recipe) = (dataset, target, out, recipe)
    (self.settings, self.options, self.begunFrom) = (settings, options, begunFrom)
    self.weights = weights
  }
}

extension TrainingRequest {
  /// Brings what a method begins with.
  /// - Returns: a line for people; nil where all weights are fresh.
  fileprivate func beginning(of method: any Method) throws -> String? {
    let run = try begunFrom.map { try InitialWeights(of: $0).copy(into: method) }
    let parts = try [run].compactMap(\.self) + weights.map { try $0.copy(into: method) }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}

/// What a run would be.
public struct DryRun {
  /// The recipe with everything decided.
  public let recipeYAML: String
  /// The dataset's images.
  public let shape: ImageShape
  /// Images of the dataset that would be trained on.
  public let trainingItems: Int
  /// Images of the second dataset that would be drawn beside them; nil: there is none.
  public let trainingTargets: Int?
  /// Images that would be shown, repeats counted.
  public let totalImages: Int
  /// The networks with their counts of parameters, averages included.
  public let networks: [(name: String, parameters: Int)]
}

/// A run that is ready to train.
public struct TrainingSession {
  /// Where everything is written.
  public let run: RunFolder
  /// The loop, at the point where the run is.
  public let trainer: Trainer
  /// The run whose weights this one began with, and what of them was taken; nil: fresh ones.
  public let begunFrom: String?

  /// What a request resolves to, without touching the disk.
  public static func dryRun(_ type: any Method.Type, _ request: TrainingRequest) throws -> DryRun {
    let sources = try TrainingSources(request)
    let setting = try setting(of: sources, type, request)
    let (method, recipe) = try makeMethod(type, request, setting: setting)
    let items =
      try request.options.fold?.split(sources.dataset).training ?? sources.dataset.indices(of: .train)
    let targets = try sources.target.map {
      try DatasetStream.trainingTargets(of: $0, besides: sources.dataset, request.options).count
    }
    return DryRun(
      recipeYAML: recipe, shape: setting.shape, trainingItems: items.count, trainingTargets: targets,
      totalImages: setting.totalImages,
      networks: method.networks.map { ($0.name, $0.module.parameterCount) })
  }

  /// Makes the run folder and the method, whose weights follow from the seed, or come from another run.
  public static func begin(_ type: any Method.Type, _ request: TrainingRequest) throws -> TrainingSession {
    let sources = try TrainingSources(request)
    let dataset = sources.dataset
    let setting = try setting(of: sources, type, request)
    let made = try makeMethod(type, request, setting: setting)
    let begunFrom = try request.beginning(of: made.method)
    let name = dataset.url.lastPathComponent
    let out =
      request.out
      ?? RunFolder.nextName(in: URL(fileURLWithPath: "runs"), method: type.about.name, dataset: name)
    let info = RunInfo(
      method: type.about.name, dataset: dataset.url.standardizedFileURL.path,
      target: sources.target?.url.standardizedFileURL.path, seed: request.options.seed,
      device: request.options.device, precision: request.options.precision.rawValue,
      version: LimnVersion.current, started: Date(), begunFrom: begunFrom)
    var options = request.options
    options.augmentation = options.augmentation ?? type.defaultAugmentation(for: setting.shape)
    let plan = RunFolder.Plan(
      options: options, setting: setting, dataset: dataset.manifest.contentHash,
      target: sources.target?.manifest.contentHash)
    return try TrainingSession(method: made.method, sources: sources, plan: plan, begunFrom: begunFrom) {
      try RunFolder(creating: out, info: info, plan: plan, recipeYAML: made.recipeYAML) { folder in
        // A run that is killed at once goes on from the other's weights all the same.
        guard begunFrom != nil else { return }
        try folder.saveBeginning(of: made.method, plan, recipeYAML: made.recipeYAML)
      }
    }
  }

  /// Opens a run where it stopped, with the options it was begun with.
  /// - Parameters:
  ///   - url: the run's folder.
  ///   - types: the methods this program knows.
  ///   - dataset: where the dataset is now, if it has moved.
  ///   - target: where the second dataset is now, if it has moved.
  ///   - steps: a new end in steps, to train longer.
  ///   - images: a new end in images, to train longer.
  /// - Returns: the session, ready to go on with the next step.
  /// - Throws: an error that names what of the run or its dataset is missing or does not fit.
  public static func resume(
    _ url: URL, among types: [any Method.Type], dataset: URL? = nil, target: URL? = nil, steps: Int? = nil,
    images: Int? = nil
  ) throws -> TrainingSession {
    let run = try RunFolder(resuming: url)
    var plan = try run.readPlan()
    if steps != nil || images != nil { (plan.options.steps, plan.options.images) = (steps, images) }
    let info = try RunInfo.read(from: url)
    let type = try find(info.method, among: types)
    let data = try TrainingSources(of: info, plan, dataset: dataset, target: target)
    let method = try open(type, recipe: run.readRecipe(), plan: plan)
    return try TrainingSession(method: method, sources: data, plan: plan, begunFrom: info.begunFrom) { run }
  }

  /// The folder is made last, when all else is known to fit.
  private init(
    method: any Method, sources: TrainingSources, plan: RunFolder.Plan, begunFrom: String?,
    folder: () throws -> RunFolder
  ) throws {
    self.begunFrom = begunFrom
    let device = try TrainingSession.device(named: plan.options.device)
    method.move(to: device)
    let data = try DatasetStream(
      sources.dataset, target: sources.target, layers: method.trainingLayers, options: plan.options,
      device: device)
    run = try folder()
    trainer = try Trainer(run: run, method: method, data: data, plan: plan)
  }

  /// A run's method with the weights of its newest checkpoint, ready to draw.
  public static func trained(
    _ url: URL, among types: [any Method.Type], device: String = "cpu"
  ) throws -> (method: any Method, checkpoint: Checkpoint) {
    let run = try RunFolder(opening: url)
    let type = try find(RunInfo.read(from: url).method, among: types)
    let method = try open(type, recipe: run.readRecipe(), plan: run.readPlan())
    guard let checkpoint = try run.restoreNewestCheckpoint(into: method, optimizers: false) else {
      throw RunError("\(url.path): no checkpoint yet; continue it with 'limn train --resume \(url.path)'")
    }
    method.move(to: try self.device(named: device))
    return (method, checkpoint)
  }

  // MARK: - Methods by name

  /// The method of a name.
  /// - Throws: ``RunError`` with the nearest name there is.
  public static func find(_ name: String, among types: [any Method.Type]) throws -> any Method.Type {
    if let found = types.first(where: { $0.about.name == name }) { return found }
    let names = types.map { $0.about.name }
    let hint = nearest(to: name, in: names).map { "; did you mean '\($0)'?" } ?? "."
    throw RunError("unknown method '\(name)'\(hint) Known: \(names.sorted().joined(separator: ", "))")
  }

  /// The device of a name, if this machine has it.
  public static func device(named name: String) throws -> Device {
    guard let device = Device(name) else {
      throw RunError("unknown device '\(name)'; expected cpu, cuda or cuda:N")
    }
    guard device.kind == .cpu || device.index < Torch.cudaDeviceCount else {
      throw RunError(
        "device \(device) is not here (\(Torch.cudaUnavailableReason ?? "no such GPU")); see 'limn doctor'")
    }
    return device
  }

  private static func setting(
    of sources: TrainingSources, _ type: any Method.Type, _ request: TrainingRequest
  ) throws -> MethodSetting {
    let options = request.options
    let images = try options.images ?? (options.steps ?? 0) * largestBatch(sources, type, request)
    return try sources.setting(totalImages: images, options)
  }

  /// Images in a step once the networks are grown, to estimate a run given in steps.
  private static func largestBatch(
    _ sources: TrainingSources, _ type: any Method.Type, _ request: TrainingRequest
  ) throws -> Int {
    guard request.options.images == nil else { return 0 }
    let setting = try sources.setting(totalImages: 1, request.options)
    let method = try makeMethod(type, request, setting: setting).method
    return method.batchSize(imagesSeen: .max / 2)
  }

  private static func makeMethod<M: Method>(
    _ type: M.Type, _ request: TrainingRequest, setting: MethodSetting
  ) throws -> (method: any Method, recipeYAML: String) {
    let recipe = try M.Recipe.resolved(yaml: request.recipe, settings: request.settings)
    let method = try Initialization.with(Generator(seed: request.options.seed)) {
      try M(recipe: recipe, setting: setting)
    }
    let asks =
      request.target != nil ? "--target" : request.options.shufflesTargets == true ? "--shuffle-targets" : nil
    if let asks, !method.trainingLayers.stored.contains(DatasetStream.targetLayer) {
      throw RunError(
        "\(asks): \(M.about.name) has no targets to learn from; 'limn methods' tells which methods translate")
    }
    return (method, try method.recipe.yaml)
  }

  private static func open<M: Method>(_ type: M.Type, recipe: String, plan: RunFolder.Plan) throws
    -> any Method
  {
    try Initialization.with(Generator(seed: plan.options.seed)) {
      try M(recipe: M.Recipe.resolved(yaml: recipe), setting: plan.setting)
    }
  }
}

extension Dataset {
  /// The images' shape.
  public var shape: ImageShape { ImageShape(channels: channels, height: size[0], width: size[1]) }
}

extension ImageShape: CustomStringConvertible {
  public var description: String { "\(width)×\(height) with \(channels) channel\(channels == 1 ? "" : "s")" }
}
