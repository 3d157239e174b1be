// The list of transforms as text, as a person writes it on a command line or in a recipe.

import Foundation

extension AugmentationPipeline: CustomStringConvertible {
  /// Reads a list such as `flip@0.5, rotation:-15..15, elastic:10/3@0.5, crop:256x256, border:constant`.
  ///
  /// Items are separated by commas; each is `name:values`, and `@` with a probability where it is not 1:
  /// `flip`, `flip:vertical`, `quarter-turns`, `rotation:A..B`, `scale:A..B`, `shift:A..B`, `shear:A..B`,
  /// `elastic:SIGMA/NODES`, `smooth:A..B/SIGMA`, `crop:HxW`, `centre-crop:HxW`, `pad:N`, `gamma:A..B`,
  /// `brightness:A..B`, `contrast:A..B`, `noise:A..B`, `bias:MAGNITUDE/ORDER`, `border:reflect` or
  /// `border:constant`. See ``RandomTransform`` for the units. ``description`` writes what this reads.
  /// - Throws: ``ImagingError`` that names the item, what was expected, and what to write.
  public init(parsing text: String) throws {
    var steps: [Step] = []
    var border = AugmentationBorder.reflect
    let items = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    for item in items where !item.isEmpty {
      if let named = AugmentationBorder.allCases.first(where: { item == "border:\($0.rawValue)" }) {
        border = named
      } else {
        steps.append(try Step(parsing: item))
      }
    }
    self.init(steps, border: border)
  }

  /// The list as ``init(parsing:)`` reads it.
  public var description: String {
    let items = steps.map { step in
      step.transform.description + (step.probability == 1 ? "" : "@\(step.probability)")
    }
    return (items + (border == .reflect ? [] : ["border:\(border.rawValue)"])).joined(separator: ", ")
  }
}

extension AugmentationPipeline.Step {
  fileprivate init(parsing item: String) throws {
    let parts = item.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard let probability = parts.count == 1 ? 1 : parts.count == 2 ? Double(parts[1]) : nil else {
      throw mistake(item, "a probability after @", "write for example \(parts[0])@0.5")
    }
    self.init(try RandomTransform(parsing: parts[0]), probability: probability)
    if let flaw { throw mistake(item, "possible values", "it says \(flaw)") }
  }
}

private func mistake(_ item: String, _ expected: String, _ advice: String) -> ImagingError {
  ImagingError(file: "augmentation", found: "\"\(item)\"", expected: expected, advice: advice)
}

extension RandomTransform: CustomStringConvertible {
  /// As ``AugmentationPipeline/init(parsing:)`` reads it.
  public var description: String {
    switch self {
    case .flip(let axis): axis == .horizontal ? "flip" : "flip:vertical"
    case .quarterTurns: "quarter-turns"
    case .rotation(let range): "rotation:\(text(range))"
    case .scale(let range): "scale:\(text(range))"
    case .shift(let range): "shift:\(text(range))"
    case .shear(let range): "shear:\(text(range))"
    case .gridDeformation(let sigma, let nodes): "elastic:\(sigma)/\(nodes)"
    case .smoothDeformation(let magnitude, let sigma): "smooth:\(text(magnitude))/\(sigma)"
    case .crop(let height, let width): "crop:\(height)x\(width)"
    case .centreCrop(let height, let width): "centre-crop:\(height)x\(width)"
    case .padding(let margin): "pad:\(margin)"
    case .gamma(let range): "gamma:\(text(range))"
    case .brightness(let range): "brightness:\(text(range))"
    case .contrast(let range): "contrast:\(text(range))"
    case .noise(let range): "noise:\(text(range))"
    case .biasField(let magnitude, let order): "bias:\(magnitude)/\(order)"
    }
  }

  fileprivate init(parsing text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let name = parts.first, let form = TransformForm.all[name] else {
      let names =
        TransformForm.all.keys.sorted() + AugmentationBorder.allCases.map { "border:\($0.rawValue)" }
      throw mistake(text, "one of \(names.joined(separator: ", "))", "check the name")
    }
    let values = parts.count > 1 ? parts[1] : ""
    guard let transform = form.read(values.split(separator: "/", omittingEmptySubsequences: false)) else {
      throw mistake(text, form.syntax, "write for example \(form.example)")
    }
    self = transform
  }
}

/// How a transform is written.
private struct TransformForm: Sendable {
  var syntax: String
  var example: String
  /// Takes the values between slashes.
  var read: @Sendable ([Substring]) -> RandomTransform?

  static let all: [String: TransformForm] = [
    "flip": TransformForm(syntax: "flip or flip:vertical", example: "flip@0.5") { values in
      values == [""]
        ? .flip(.horizontal) : FlipAxis(rawValue: values.joined(separator: "/")).map { .flip($0) }
    },
    "quarter-turns": TransformForm(syntax: "no values", example: "quarter-turns") { values in
      values == [""] ? .quarterTurns : nil
    },
    "rotation": range("rotation:-15..15") { .rotation(degrees: $0) },
    "scale": range("scale:0.9..1.1") { .scale(factor: $0) },
    "shift": range("shift:-10..10") { .shift(pixels: $0) },
    "shear": range("shear:-5..5") { .shear(degrees: $0) },
    "elastic": TransformForm(syntax: "SIGMA/NODES", example: "elastic:10/3") { values in
      guard values.count == 2, let sigma = number(values[0]), let nodes = Int(values[1]) else { return nil }
      return .gridDeformation(sigma: sigma, nodes: nodes)
    },
    "smooth": TransformForm(syntax: "A..B/SIGMA", example: "smooth:1..3/8") { values in
      guard values.count == 2, let magnitude = bounds(values[0]), let sigma = number(values[1])
      else { return nil }
      return .smoothDeformation(magnitude: magnitude, sigma: sigma)
    },
    "crop": size("crop:256x256") { .crop(height: $0, width: $1) },
    "centre-crop": size("centre-crop:256x256") { .centreCrop(height: $0, width: $1) },
    "pad": TransformForm(syntax: "whole pixels", example: "pad:92") { values in
      values.count == 1 ? Int(values[0]).map { .padding(margin: $0) } : nil
    },
    "gamma": range("gamma:0.7..1.4") { .gamma(exponent: $0) },
    "brightness": range("brightness:-0.1..0.1") { .brightness(offset: $0) },
    "contrast": range("contrast:0.8..1.25") { .contrast(factor: $0) },
    "noise": range("noise:0..0.05") { .noise(deviation: $0) },
    "bias": TransformForm(syntax: "MAGNITUDE/ORDER", example: "bias:0.3/3") { values in
      guard values.count == 2, let magnitude = number(values[0]), let order = Int(values[1])
      else { return nil }
      return .biasField(magnitude: magnitude, order: order)
    },
  ]

  private static func range(
    _ example: String, _ make: @escaping @Sendable (ClosedRange<Double>) -> RandomTransform
  ) -> TransformForm {
    TransformForm(syntax: "a range A..B", example: example) { values in
      values.count == 1 ? bounds(values[0]).map(make) : nil
    }
  }

  private static func size(
    _ example: String, _ make: @escaping @Sendable (Int, Int) -> RandomTransform
  ) -> TransformForm {
    TransformForm(syntax: "HEIGHTxWIDTH", example: example) { values in
      let sides = values[0].split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
      return values.count == 1 && sides.count == 2 ? make(sides[0], sides[1]) : nil
    }
  }
}

/// A finite number.
private func number(_ text: some StringProtocol) -> Double? {
  Double(text).flatMap { $0.isFinite ? $0 : nil }
}

/// `A..B` with A ≤ B.
private func bounds(_ text: Substring) -> ClosedRange<Double>? {
  let ends = text.components(separatedBy: "..").map { number($0) }
  guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high else { return nil }
  return low...high
}

private func text(_ range: ClosedRange<Double>) -> String { "\(range.lowerBound)..\(range.upperBound)" }
