// A trained translation run, ready for images of any size.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining

/// A run that translates images and, where it has learned to, registers them.
public struct Translator {
  /// How images are translated.
  public struct Options: Sendable {
    /// Where the networks are.
    public var device = "cpu"
    /// Of convolutions and products.
    public var precision = Precision.float32
    /// Whether images of another spacing than the training images' are brought to theirs.
    public var resamples = true

    /// Whether translations are moved by the mean displacement that registration has found in training: takes back how
    /// far a generator has drifted from its sources.
    public var recentres = false

    /// The defaults.
    public init() {}
  }

  /// The run's name.
  public let name: String
  /// With the weights of the run's newest checkpoint.
  public let method: any TranslationMethod
  /// What the networks were trained on.
  public let setting: MethodSetting
  /// How images to translate are shown to the networks.
  public let source: ImageIntake
  /// How images of the target's kind are.
  public let target: ImageIntake
  let device: Device
  private let options: Options

  /// Opens a run.
  /// - Parameters:
  ///   - url: the run's folder.
  ///   - options: how images are translated.
  /// - Throws: `RunError` where the folder holds no trained translation method.
  public init(_ url: URL, options: Options = Options()) throws {
    let known = TranslationMethods.all.map { $0 as any Method.Type }
    _ = try RunFolder(opening: url)
    let name = try RunInfo.read(from: url).method
    guard known.contains(where: { $0.about.name == name }) else {
      let names = known.map { $0.about.name }.joined(separator: ", ")
      throw RunError("\(url.path): its method '\(name)' does not translate images; expected one of \(names)")
    }
    let trained = try TrainingSession.trained(url, among: known, device: options.device)
    guard let method = trained.method as? any TranslationMethod else {
      throw RunError("\(url.path): its method does not translate images")
    }
    self.init(
      method, setting: trained.checkpoint.info.setting, name: url.lastPathComponent,
      device: try TrainingSession.device(named: options.device), options: options)
  }

  /// A method with the weights that it has.
  init(
    _ method: any TranslationMethod, setting: MethodSetting, name: String, device: Device = .cpu,
    options: Options = Options()
  ) {
    (self.method, self.setting, self.name) = (method, setting, name)
    (self.device, self.options) = (device, options)
    source = ImageIntake(setting, resamples: options.resamples)
    target = ImageIntake(
      setting, channels: method.pairShape.targetChannels, intensity: setting.targetIntensity,
      resamples: options.resamples)
    method.networks.forEach { $0.module.requireGradients(false) }
    Torch.keepFreedMemory()
  }

  /// What translated, for people to read.
  public var statement: String { "translated by Limn \(LimnVersion.current), \(name)" }

  /// Slices that are translated together: fewer the larger they are.
  func batchCount(size: [Int]) -> Int {
    let pixels = device == .cpu ? 1 << 16 : 1 << 20
    return min(max(pixels / max(size[0] * size[1], 1), 1), 64)
  }

  /// How far down and to the right the generator draws what it draws, in pixels of the training images, where that is
  /// taken back; else nil.
  public var drift: (rows: Double, columns: Double)? {
    guard options.recentres, let shift = method.recentring(size: [1, 1]) else { return nil }
    return (shift[0, 0, 0, 0].item(), shift[0, 1, 0, 0].item())
  }

  /// How images of a size are laid into one that the generators take.
  /// - Parameters:
  ///   - size: rows and columns, at the training images' spacing.
  ///   - isPlaced: whether the images' scale means something.
  /// - Returns: the frame.
  public func frame(size: [Int], isPlaced: Bool) -> SizeFrame {
    SizeFrame(size: size, for: method.sizes, enlarges: !isPlaced)
  }

  // MARK: - Images

  /// Images of one size as the target's.
  /// - Parameters:
  ///   - images: [N, C, H, W] in [−1, 1], of the source's channels.
  ///   - match: brings them to the training images' spacing; nil where they are shown as they are.
  ///   - isPlaced: whether their scale means something, so that they must not be scaled up to a network's size.
  ///   - style: what is left to chance, or taken from another image.
  /// - Returns: [N, C′, H, W] in [−1, 1], float32 on the CPU.
  public func translate(
    _ images: Tensor, match: SpacingMatch? = nil, isPlaced: Bool, style: TranslationStyle
  ) -> Tensor {
    let matched = match?.applied(toAll: images) ?? images
    let frame = frame(size: Array(matched.shape.suffix(2)), isPlaced: isPlaced)
    let framed = frame.applied(to: matched).to(device)
    let made = computing { method.translate(framed, style) }
    let own = recentred(frame.undone(made.to(.float32).to(.cpu)))
    return (match?.undone(all: own) ?? own).clamped(min: -1, max: 1)
  }

  private func recentred(_ images: Tensor) -> Tensor {
    let size = Array(images.shape.suffix(2))
    guard options.recentres, let displacement = method.recentring(size: size) else { return images }
    return SpatialTransformer.warp(images, by: displacement.expanded([images.size(0), 2] + size))
  }

  /// In the options' precision, without gradients.
  func computing(_ body: () -> Tensor) -> Tensor {
    withoutGradients {
      options.precision == .float32 ? body() : withAutocast(options.precision.dtype, device: device, body)
    }
  }

  // MARK: - Styles

  /// The style of an image of the target's kind; of a volume that of its middle slice.
  /// - Throws: `RunError` where the method has no styles, or the image does not fit.
  public func style(of volume: Volume) throws -> TranslationStyle {
    try requireStyles()
    let turned = target.turned(volume)
    let middle = turned.part(turned.size[0] / 2..<turned.size[0] / 2 + 1)
    let image = try target.image(
      target.display(of: turned).applied(to: middle.voxels), path: volume.info.path)
    let match = try target.spacingMatch(of: turned)
    let shown = image.transposed(0, 1)
    let matched = match?.applied(toAll: shown) ?? shown
    let frame = frame(size: Array(matched.shape.suffix(2)), isPlaced: volume.info.hasGeometry)
    return .like(frame.applied(to: matched).to(device))
  }

  /// - Throws: `RunError` where the method has no styles to choose from.
  public func requireStyles() throws {
    guard !method.hasStyles else { return }
    throw RunError(
      "\(name): its method '\(type(of: method).about.name)' has no styles; leave out --style and --styles")
  }
}

extension SpacingMatch {
  /// Images [N, C, H, W] on the other grid.
  func applied(toAll images: Tensor) -> Tensor {
    applied(to: images.flattened(from: 0, to: 1)).reshaped(Array(images.shape.prefix(2)) + matched)
  }

  /// What was found on the other grid, [N, F, h, w], on the images'.
  func undone(all found: Tensor) -> Tensor {
    undone(found.flattened(from: 0, to: 1)).reshaped(Array(found.shape.prefix(2)) + size)
  }
}

extension MethodSetting {
  /// How the target images' intensities became pixels; nil where that is not known.
  var targetIntensity: IntensityRecord? { targets?.intensity }
}

/// A style, and what it adds to the names of the files and items that have it.
public struct NamedStyle: Sendable {
  /// At the end of names, ids and sources; empty where there is one style.
  public let suffix: String
  /// Of all its images.
  public let style: TranslationStyle

  /// `style` under a name.
  public init(_ style: TranslationStyle, suffix: String = "") { (self.style, self.suffix) = (style, suffix) }
}
