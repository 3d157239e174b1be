// From a segmentation to its objects: holes filled, touching objects separated, small ones left out.

import LimnTorch

/// How objects are made of a mask.
public struct ObjectOptions: Sendable, Codable, Equatable {
  /// How objects that touch are told apart.
  public enum Separation: String, Sendable, Codable, CaseIterable {
    /// Not at all: an object is what hangs together, corners included.
    case none
    /// By the watershed of the distance to the object's outside: at its necks.
    case watershed
  }

  /// The least area that stays, in pixels, measured after separation.
  public var minimumArea: Int
  /// Whether holes are filled first (``HoleFilling``).
  public var fillHoles: Bool
  /// How objects that touch are told apart.
  public var separation: Separation
  /// Between the centres of objects that are separated, in pixels: nearer maxima of the distance are one
  /// object.
  public var minimumDistance: Double

  /// Options that change nothing unless asked to; half the diameter of the smallest object is a good
  /// `minimumDistance`.
  public init(
    minimumArea: Int = 1, fillHoles: Bool = false, separation: Separation = .none,
    minimumDistance: Double = 5
  ) {
    (self.minimumArea, self.fillHoles) = (minimumArea, fillHoles)
    (self.separation, self.minimumDistance) = (separation, minimumDistance)
  }
}

/// Makes instance maps of segmentations.
public enum ObjectExtraction {
  /// The objects of a mask or label map: holes are filled, 8-connected parts of one class found and, where
  /// asked for, divided, and small ones left out, in this order.
  /// - Parameters:
  ///   - labels: [H, W], a mask or integers; what is above 0 is a class, and no object has pixels of two.
  ///   - options: how objects are made.
  /// - Returns: int32 [H, W]: 0, or the object's number, from 1 in the order of first pixels, row by row.
  public static func instances(in labels: Tensor, options: ObjectOptions = ObjectOptions()) -> Tensor {
    precondition(labels.rank == 2, "a label map is [H, W], shape \(labels.shape) was given")
    let classes = options.fillHoles ? HoleFilling.filled(labels) : labels.to(.int32)
    let objects =
      switch options.separation {
      case .none:
        ConnectedComponents(
          of: classes.array(of: Int32.self), width: labels.shape[1], connectivity: .eight
        ).labels
      case .watershed: divided(classes, minimumDistance: options.minimumDistance)
      }
    return Tensor(numbered(objects, minimumArea: options.minimumArea), shape: labels.shape)
  }

  /// Numbers for the parts of all regions.
  private static func divided(_ classes: Tensor, minimumDistance: Double) -> [Int32] {
    let (height, width) = (classes.shape[0], classes.shape[1])
    var objects = [Int32](repeating: 0, count: height * width)
    var count: Int32 = 0
    for region in LabelRegion.all(in: classes) {
      let shape = FramedShape(region, imageHeight: height, imageWidth: width)
      let parts = Watershed.parts(of: shape.mask, width: shape.width, minimumDistance: minimumDistance)
      for (place, part) in zip(shape.places(imageWidth: width), parts) where part > 0 {
        objects[place] = count + part
      }
      count += parts.max() ?? 0
    }
    return objects
  }

  /// Objects of at least so many pixels, numbered in the order of their first pixels.
  private static func numbered(_ objects: [Int32], minimumArea: Int) -> [Int32] {
    var areas = [Int](repeating: 0, count: Int(objects.max() ?? 0) + 1)
    for object in objects { areas[Int(object)] += 1 }
    var numbers = [Int32](repeating: 0, count: areas.count)
    var last: Int32 = 0
    for object in objects.map(Int.init) where object > 0 && areas[object] >= minimumArea {
      if numbers[object] == 0 {
        last += 1
        numbers[object] = last
      }
    }
    return objects.map { numbers[Int($0)] }
  }
}

/// A region with one pixel more on each side where the image goes on: what it is measured against.
private struct FramedShape {
  let mask: [Bool]
  let width: Int
  private let top: Int
  private let left: Int

  init(_ region: LabelRegion, imageHeight: Int, imageWidth: Int) {
    (top, left) = (max(0, region.top - 1), max(0, region.left - 1))
    width = min(imageWidth, region.left + region.width + 1) - left
    let height = min(imageHeight, region.top + region.height + 1) - top
    var mask = [Bool](repeating: false, count: width * height)
    for row in 0..<region.height {
      let start = (row + region.top - top) * width + region.left - left
      mask.replaceSubrange(
        start..<start + region.width, with: region.mask[row * region.width..<(row + 1) * region.width])
    }
    self.mask = mask
  }

  /// The mask's places in the image.
  func places(imageWidth: Int) -> [Int] {
    mask.indices.map { (top + $0 / width) * imageWidth + left + $0 % width }
  }
}
