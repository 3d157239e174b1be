// Holes of objects filled.

import LimnTorch

/// Fills the background that objects enclose.
public enum HoleFilling {
  /// Gives each hole to the class around it.
  ///
  /// A hole is a part of the background, 4-connected as objects are 8-connected, that does not reach the
  /// image's edge. It is filled if all pixels that border on it, by an edge, are of one class, and left
  /// otherwise.
  /// - Parameter labels: [H, W], a mask or integers; what is above 0 is a class.
  /// - Returns: int32 [H, W], with 0 for the background.
  public static func filled(_ labels: Tensor) -> Tensor {
    precondition(labels.rank == 2, "a label map is [H, W], shape \(labels.shape) was given")
    let values = filled(labels.to(.int32).array(of: Int32.self), width: labels.shape[1])
    return Tensor(values, shape: labels.shape)
  }

  static func filled(_ labels: [Int32], width: Int) -> [Int32] {
    let background = labels.map { $0 > 0 ? Int32(0) : 1 }
    let parts = ConnectedComponents(of: background, width: width, connectivity: .four)
    var owners = [Owner](repeating: .unknown, count: parts.count + 1)
    for place in labels.indices where parts.labels[place] > 0 {
      owners[Int(parts.labels[place])].meet(bordering: place, labels, width: width)
    }
    return zip(labels, parts.labels).map { label, part in
      if case .one(let owner) = owners[Int(part)] { owner } else { max(label, 0) }
    }
  }

  /// What a part of the background has around it.
  private enum Owner {
    case unknown
    case one(Int32)
    case none

    /// Looks at what lies around a pixel of the part.
    mutating func meet(bordering place: Int, _ labels: [Int32], width: Int) {
      let column = place % width
      guard column > 0, column + 1 < width, place >= width, place + width < labels.count else {
        self = .none
        return
      }
      meet(labels[place - width])
      meet(labels[place - 1])
      meet(labels[place + 1])
      meet(labels[place + width])
    }

    private mutating func meet(_ label: Int32) {
      guard label > 0 else { return }
      switch self {
      case .unknown: self = .one(label)
      case .one(label), .none: break
      case .one: self = .none
      }
    }
  }
}
