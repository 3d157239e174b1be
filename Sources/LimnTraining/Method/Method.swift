// The contract of a method: one published idea, its networks, its step, what it can produce.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch

/// The images a method is built for.
public struct ImageShape: Codable, Equatable, Sendable {
  /// 1 (gray) or 3 (RGB).
  public var channels: Int
  /// Pixels.
  public var height: Int
  /// Pixels.
  public var width: Int

  /// Images [C, H, W].
  public init(channels: Int, height: Int, width: Int) {
    (self.channels, self.height, self.width) = (channels, height, width)
  }
}

/// The classes of a dataset's labels: number 0 is the background.
public struct LabelSetting: Codable, Equatable, Sendable {
  /// The value in label maps that stands for each class; the background's is 0.
  public var values: [Int]
  /// What each class is called.
  public var names: [String]

  /// Classes by their numbers.
  public init(values: [Int], names: [String]) { (self.values, self.names) = (values, names) }

  /// The classes of a tree that have a value above 0, and the background.
  public init(_ classes: [LabelClass]) {
    let named = classes.flattened.compactMap { label, _ in label.value.map { ($0, label.name) } }
      .filter { $0.0 != 0 }
    self.init(values: [0] + named.map(\.0), names: ["background"] + named.map(\.1))
  }
}

/// The images that a method learns to draw from others: the layer `targets` of its steps.
public struct TargetSetting: Codable, Equatable, Sendable {
  /// 1 (gray) or 3 (RGB); height and width are those of the images.
  public var channels: Int
  /// How their intensities became pixels; nil where that is not known.
  public var intensity: IntensityRecord?
  /// Whether a step's targets show what its images show; else they are others', drawn independently or shuffled.
  public var isPaired: Bool

  /// Images of so many channels.
  public init(channels: Int, intensity: IntensityRecord? = nil, isPaired: Bool) {
    (self.channels, self.intensity, self.isPaired) = (channels, intensity, isPaired)
  }
}

/// What a method is built from, apart from its recipe.
public struct MethodSetting: Codable, Equatable, Sendable {
  /// The dataset's images.
  public var shape: ImageShape
  /// How many images the run will see in all.
  public var totalImages: Int
  /// The classes of the dataset's labels; nil of a dataset without labels.
  public var labels: LabelSetting?
  /// The dataset's layers; nil where nobody asked.
  public var layers: [String]?
  /// The images to be drawn from the dataset's, of a second dataset or of the layer `targets`; nil without either.
  public var targets: TargetSetting?
  /// How the dataset's intensities became pixels, which images to come have to follow; nil where that is not
  /// known.
  public var intensity: IntensityRecord?
  /// Between pixel centres, [row, column] in mm; nil where it is not known, or not one for all images.
  public var spacing: [Double]?
  /// The plane that the images lie in, as `Volume.displayed` shows it; nil where they have no place in a
  /// patient, or lie in several.
  public var plane: SliceAxis?

  /// For images of `shape`, in a run that shows `totalImages` of them.
  public init(
    shape: ImageShape, totalImages: Int, labels: LabelSetting? = nil, layers: [String]? = nil,
    targets: TargetSetting? = nil, intensity: IntensityRecord? = nil, spacing: [Double]? = nil,
    plane: SliceAxis? = nil
  ) {
    (self.shape, self.totalImages) = (shape, totalImages)
    (self.labels, self.layers, self.targets) = (labels, layers, targets)
    (self.intensity, self.spacing, self.plane) = (intensity, spacing, plane)
  }
}

/// What a step learns from.
public struct TrainingBatch: Sendable {
  /// [N, C, H, W] in [−1, 1].
  public var images: Tensor
  /// The layers that the method asked for: `labels` and `instances` int64 [N, H, W], others float32
  /// [N, C, H, W].
  public var layers: [String: Tensor]

  /// Images with what lies over them.
  public init(images: Tensor, layers: [String: Tensor] = [:]) {
    (self.images, self.layers) = (images, layers)
  }
}

/// What a method learns from besides the images.
public struct TrainingLayers: Sendable {
  /// Layers of the dataset, such as `labels`.
  public var stored: [String]
  /// Made once for each training item, at the start of a run, from layers of that item: gets int64 [H, W] of
  /// labels (float32 [C, H, W] of others) by name, gives the same kinds. What has the name of a stored layer
  /// takes its place.
  public var derived: (@Sendable ([String: Tensor]) -> [String: Tensor])?
  /// Parts the training items into groups, given by their positions: each batch is drawn in equal numbers from
  /// all of them, those of the first group first. An item may be in several. nil: one group of all.
  public var groups: (@Sendable ([TrainingItem]) throws -> [[Int]])?
  /// The part of each image that a step learns from; nil: all of it.
  public var window: TrainingWindow?

  /// Layers as they are stored, and what is made of them.
  public init(
    stored: [String] = [], derived: (@Sendable ([String: Tensor]) -> [String: Tensor])? = nil,
    groups: (@Sendable ([TrainingItem]) throws -> [[Int]])? = nil, window: TrainingWindow? = nil
  ) {
    (self.stored, self.derived, self.groups, self.window) = (stored, derived, groups, window)
  }
}

/// A square somewhere in an image, drawn anew whenever the image is shown. Nothing else of the image is augmented.
public struct TrainingWindow: Sendable, Equatable {
  /// Pixels.
  public var side: Int
  /// Pixels at each side of the window that may lie beyond the image, where it is mirrored.
  public var margin: Int

  /// A window of `side` pixels.
  public init(side: Int, margin: Int = 0) { (self.side, self.margin) = (side, margin) }

  /// What cuts it out of images of a size, after all other transforms; an axis that is shorter stays whole.
  func steps(height: Int, width: Int) -> [AugmentationPipeline.Step] {
    let crop = RandomTransform.crop(
      height: min(side, height + 2 * margin), width: min(side, width + 2 * margin))
    return (margin > 0 ? [.init(.padding(margin: margin))] : []) + [.init(crop)]
  }
}

/// A training item, for a method that parts them.
public struct TrainingItem: Sendable {
  /// Whose it is.
  public let patient: String
  /// The stored layers that the method asked for, as the dataset holds them: `labels` [H, W], others [C, H, W].
  public let layers: [String: Tensor]

  /// An item of a patient with its layers.
  public init(patient: String, layers: [String: Tensor]) { (self.patient, self.layers) = (patient, layers) }
}

/// What the present state of a method makes of images that it has not learned from.
public struct Examination {
  /// Measures by name, such as `val_dice`.
  public var measures: [String: Double]
  /// Pictures by name, each [N, C, H, W] in [−1, 1] or uint8.
  public var pictures: [(name: String, images: Tensor)]

  /// Nothing measured and nothing shown, unless given.
  public init(measures: [String: Double] = [:], pictures: [(name: String, images: Tensor)] = []) {
    (self.measures, self.pictures) = (measures, pictures)
  }
}

/// A published generative or discriminative idea, ready to train.
///
/// A method never touches a file: the loop feeds it batches, saves its ``networks``, ``optimizers`` and
/// ``counters``, and writes what ``previews(seed:)`` gives.
public protocol Method: AnyObject {
  associatedtype Recipe: MethodRecipe

  /// The name on the command line and where the idea comes from.
  static var about: MethodDescription { get }

  /// How batches are augmented where a run does not say otherwise, as `--augment` takes it; nil: not at all.
  static func defaultAugmentation(for shape: ImageShape) -> String?

  /// Builds fresh networks; their weights come from the current `Initialization`.
  /// - Throws: ``RecipeError`` if the recipe does not fit the images.
  init(recipe: Recipe, setting: MethodSetting) throws

  /// The recipe with everything decided that depends on the images or the length of the run.
  var recipe: Recipe { get }

  /// Everything with weights, by name; averages included. Fixed for the life of the method.
  var networks: [(name: String, module: Module)] { get }

  /// The optimisers, by name.
  var optimizers: [(name: String, optimizer: any Optimizer)] { get }

  /// Small numbers that belong to the state, such as the growth phase; saved with a checkpoint and set on
  /// resume.
  var counters: [String: Double] { get set }

  /// How many images the next step takes, after so many have been seen.
  func batchSize(imagesSeen: Int) -> Int

  /// The computing effort of a run's first `images` images, in a unit of the method's own; the time left is
  /// reckoned by it. Every image costs the same unless the method says otherwise.
  func effort(images: Int) -> Double

  /// One optimisation step.
  /// - Returns: losses and other scalars by name, as tensors that are read only when they are logged.
  func step(_ context: StepContext) -> [String: Tensor]

  /// What the step learns from besides the images.
  var trainingLayers: TrainingLayers { get }

  /// Measures the present state on held-out images, at the intervals of sample sheets; none are given where the
  /// dataset has no validation split.
  func examine(_ heldOut: [TrainingBatch]) -> Examination

  /// Pictures of the present state, by name, each [N, C, H, W] in [−1, 1]; the same latents each time.
  func previews(seed: UInt64) -> [(name: String, images: Tensor)]
}

/// Who a method is.
public struct MethodDescription: Sendable {
  /// On the command line: `skrgan`.
  public let name: String
  /// The paper's short title.
  public let title: String
  /// Authors, venue, identifier.
  public let paper: String
  /// What it is for, in a sentence or two.
  public let summary: String

  /// One line for each part, as `limn methods` prints them.
  public init(name: String, title: String, paper: String, summary: String) {
    (self.name, self.title, self.paper, self.summary) = (name, title, paper, summary)
  }
}

/// What a step gets.
public struct StepContext {
  /// Counted from zero.
  public let step: Int
  /// Images seen before this step.
  public let imagesSeen: Int
  /// The batch, [N, C, H, W] in [−1, 1], on the device.
  public let images: Tensor
  /// What lies over the images: the layers that the method asked for, see ``TrainingBatch/layers``.
  public let layers: [String: Tensor]
  /// Of convolutions and products: float32, or bfloat16 by autocast.
  public let precision: DType
  private let seed: UInt64

  /// - Parameters:
  ///   - step: the step's number, from 0.
  ///   - imagesSeen: real images shown before this step.
  ///   - images: the batch, [N, C, H, W] in [−1, 1].
  ///   - precision: float32, or the type of autocast.
  ///   - seed: the run's; the step's randomness is a pure function of it and the step's number.
  ///   - layers: what lies over the images.
  public init(
    step: Int, imagesSeen: Int, images: Tensor, precision: DType, seed: UInt64, layers: [String: Tensor] = [:]
  ) {
    (self.step, self.imagesSeen, self.images) = (step, imagesSeen, images)
    self.layers = layers
    (self.precision, self.seed) = (precision, seed)
  }

  /// Where the batch is and the networks are.
  public var device: Device { images.device }

  /// A generator for one purpose of this step, where the batch is unless a device is given; the same again on every
  /// replay.
  public func generator(_ purpose: UInt64, on device: Device? = nil) -> Generator {
    Generator(seed: Seed.derive(seed, UInt64(step), purpose), device: device ?? self.device)
  }

  /// Runs a forward pass in the run's precision. The backward pass belongs outside.
  public func autocast<R>(_ body: () throws -> R) rethrows -> R {
    precision == .float32 ? try body() : try withAutocast(precision, device: device, body)
  }
}

/// A method that draws images from nothing.
public protocol GenerativeMethod: Method {
  /// The companion layers that come with each image, such as `sketches`.
  static var companions: [String] { get }

  /// Draws one image that depends on nothing but the seed and the truncation.
  /// - Parameters:
  ///   - seed: of this image alone.
  ///   - truncation: scales the latent; below 1 gives more typical, less varied images.
  /// - Returns: the image and what belongs to it.
  func generate(seed: UInt64, truncation: Double) -> GeneratedImage

  /// Draws the images along a path between latents: `frames` images from each seed to the next.
  func walk(seeds: [UInt64], frames: Int, truncation: Double) -> [GeneratedImage]
}

/// An image with what belongs to it.
public struct GeneratedImage {
  /// [C, H, W] in [−1, 1].
  public let image: Tensor
  /// Companion layers by name, each [C, H, W] in [−1, 1].
  public let companions: [String: Tensor]

  /// `image` [C, H, W] and `companions` [C, H, W] in [−1, 1].
  public init(image: Tensor, companions: [String: Tensor] = [:]) {
    (self.image, self.companions) = (image, companions)
  }
}

extension Method {
  public static func defaultAugmentation(for shape: ImageShape) -> String? { nil }

  public func effort(images: Int) -> Double { Double(images) }

  public var trainingLayers: TrainingLayers { TrainingLayers() }

  public func examine(_ heldOut: [TrainingBatch]) -> Examination { Examination() }

  /// Moves all networks to a device.
  public func move(to device: Device) { networks.forEach { $0.module.move(to: device) } }
}
