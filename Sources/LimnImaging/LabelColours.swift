// Colours for classes: the first ones safe for the colour-blind, the others as far apart as they can be.

import Foundation
import LimnTorch

/// A colour for each label from 0 to 255, the same ones always.
///
/// Label 0, the background, is black. Labels 1 to 7 have the colours of Okabe and Ito (2002, "Color universal
/// design"), which people with any colour vision tell apart. Each further one is the colour farthest from all
/// before it in CIELAB (farthest first, after Glasbey et al. 2007, "Colour displays for categorical images"),
/// chosen among 16 levels of red, green and blue that are neither gray nor near black or white, which images
/// are. Labels above 255 begin again at 1.
public enum LabelColours {
  /// An sRGB colour.
  public struct Colour: Sendable, Hashable, Codable {
    /// 0 to 255.
    public let red: UInt8
    /// 0 to 255.
    public let green: UInt8
    /// 0 to 255.
    public let blue: UInt8

    /// `#E69F00`.
    public var hex: String { String(format: "#%02X%02X%02X", red, green, blue) }
  }

  /// The colours of labels 0 to 255: also the colour table of an indexed PNG.
  public static let palette: [Colour] = [Colour(red: 0, green: 0, blue: 0)] + distinct(255)

  /// The colour of a label, 0 or above.
  public static func colour(of label: Int) -> Colour { palette[place(of: label)] }

  /// The palette as uint8 [256, 3].
  public static var table: Tensor {
    Tensor(palette.flatMap { [$0.red, $0.green, $0.blue] }, shape: [256, 3])
  }

  private static func place(of label: Int) -> Int {
    precondition(label >= 0, "labels are 0 or above, not \(label)")
    return label == 0 ? 0 : (label - 1) % 255 + 1
  }

  private static let okabeIto = [
    Colour(red: 230, green: 159, blue: 0), Colour(red: 86, green: 180, blue: 233),
    Colour(red: 0, green: 158, blue: 115), Colour(red: 240, green: 228, blue: 66),
    Colour(red: 0, green: 114, blue: 178), Colour(red: 213, green: 94, blue: 0),
    Colour(red: 204, green: 121, blue: 167),
  ]

  private static func distinct(_ count: Int) -> [Colour] {
    let candidates = candidates()
    let places = candidates.map(\.cielab)
    var chosen = okabeIto
    var distances = places.map { place in okabeIto.map { distance(place, $0.cielab) }.min() ?? 0 }
    while chosen.count < count {
      var farthest = 0
      for index in distances.indices where distances[index] > distances[farthest] { farthest = index }
      chosen.append(candidates[farthest])
      for index in distances.indices {
        distances[index] = min(distances[index], distance(places[index], places[farthest]))
      }
    }
    return chosen
  }

  /// Lightness 40 to 90, chroma 25 and above.
  private static func candidates() -> [Colour] {
    let levels = stride(from: 0, through: 255, by: 17).map(UInt8.init)
    let all = levels.flatMap { red in
      levels.flatMap { green in levels.map { Colour(red: red, green: green, blue: $0) } }
    }
    return all.filter { colour in
      let place = colour.cielab
      return (40...90).contains(place.x) && place.y * place.y + place.z * place.z >= 625
    }
  }

  /// Squared.
  private static func distance(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
    let difference = a - b
    return (difference * difference).sum()
  }
}

extension LabelColours.Colour {
  /// L*, a* and b* (CIE 15, white point D65, of sRGB by IEC 61966-2-1).
  var cielab: SIMD3<Double> {
    let linear = [red, green, blue].map { level -> Double in
      let value = Double(level) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    let rows: [SIMD3<Double>] = [
      [0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227],
    ]
    let white = [0.95047, 1, 1.08883]
    let f = zip(rows, white).map { row, white -> Double in
      let value = (row * SIMD3(linear[0], linear[1], linear[2])).sum() / white
      return value > 0.008856 ? cbrt(value) : 7.787 * value + 16.0 / 116
    }
    return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]
  }
}
