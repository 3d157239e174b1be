// What an import can be told, and how each choice is written on the command line and in the manifest.

import Foundation
import LimnImaging

/// Which plane volumes are cut in.
public enum AxisChoice: String, Sendable, Codable, CaseIterable {
  case axial, coronal, sagittal
  /// Across the axis of the widest spacing, that is, the plane that was scanned; axial where all are alike.
  case auto
}

/// How many channels the images get.
public enum ChannelChoice: String, Sendable, Codable, CaseIterable {
  /// Colour becomes luma (0.299 R + 0.587 G + 0.114 B, ITU-R BT.601).
  case one = "1"
  /// Gray is repeated.
  case three = "3"
  /// As the first source has it.
  case keep
}

/// Which part of an image is kept.
public enum CropChoice: String, Sendable, Codable, CaseIterable {
  case none
  /// The smallest box around the largest thing brighter than the background, one box for all slices of a
  /// volume.
  case body
  /// The same for each image alone, for pictures with a dark surround such as fundus photographs.
  case fov
}

/// A box of pixels, written `TOP,LEFT,HEIGHT,WIDTH`.
public struct CropBox: Sendable, Codable, Equatable, CustomStringConvertible {
  /// Rows above the box.
  public let top: Int
  /// Columns left of the box.
  public let left: Int
  /// Rows of the box.
  public let height: Int
  /// Columns of the box.
  public let width: Int

  /// A box that may reach beyond an image; it is cut to it.
  public init(top: Int, left: Int, height: Int, width: Int) {
    (self.top, self.left, self.height, self.width) = (top, left, height, width)
  }

  /// Reads `TOP,LEFT,HEIGHT,WIDTH`; nil for anything else.
  public init?(_ text: String) {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 4, case let known = numbers.compactMap({ $0 }), known.count == 4,
      known.allSatisfy({ $0 >= 0 }), known[2] > 0, known[3] > 0
    else { return nil }
    self.init(top: known[0], left: known[1], height: known[2], width: known[3])
  }

  public var description: String { "\(top),\(left),\(height),\(width)" }
}

/// How volumes become images. The defaults keep what the sources hold.
public struct CutOptions: Sendable, Codable {
  /// The plane volumes are cut in; pictures, pages and single slices stay as they are stored.
  public var axis: AxisChoice = .auto
  /// Which slices of each volume; all where nil.
  public var slices: SliceSelection?
  /// Every how many slices one is taken.
  public var every = 1
  /// The least fraction of pixels brighter than ``contentLevel``; images with less are left out.
  public var minimumContent = 0.0
  /// Taken over each volume; where nil, `full` for 8-bit pictures and percentiles 0.5 to 99.5 for NIfTI and
  /// for whatever has more bits.
  public var window: IntensityWindow?
  /// Whether a DICOM file's own window is taken where it has one, before ``window``.
  public var takesFileWindow = false
  /// Whether tilted and unevenly spaced slices are brought to even distances first.
  public var evensSlices = false
  /// Which part of an image is kept, before it gets its size.
  public var crop: CropChoice = .none
  /// The part that is kept, in pixels as they are stored; instead of ``crop``.
  public var box: CropBox?
  /// The sides of the tiles that each image is divided into, before these get their size; nil: not divided. Tiles lie
  /// side by side around the image's centre; what is left at its rim is no tile.
  public var tiles: ImageSize?
  /// The images' size; the first image's where nil.
  public var size: ImageSize?
  /// What happens to images whose proportions are not those of the dataset.
  public var fit: ImageResize.Mode = .pad
  /// `keep` refuses sources with more or fewer channels than the first.
  public var channels: ChannelChoice = .keep
  /// 8 or 16; where nil, 8 if the first source has no more than 8 bits, else 16.
  public var bits: Int?

  /// The part of the window, from black, that counts as empty.
  public static let contentLevel = 0.05

  /// The defaults above.
  public init() {}
}

/// The choices of an import. The defaults keep what the sources hold.
public struct ImportOptions: Sendable {
  /// The dataset's name; that of its folder where nil.
  public var name: String?
  /// CT, MR, …; what the DICOM files say where nil.
  public var modality: String?
  /// How volumes become images.
  public var cut = CutOptions()
  /// How patients are divided among training, validation and testing.
  public var splits: Splits
  /// What tells one patient's files from another's.
  public var patients: PatientRule = .auto
  /// What turns patients' names into pseudonyms.
  public var key = IdentityKey.unkept()
  /// Whether items keep the names of their files, which often name people; else they get pseudonyms.
  public var keepsNames = false
  /// Whether the first file that cannot be read ends the import.
  public var isStrict = false
  /// Whether a dataset at the destination is replaced; a folder of anything else never is.
  public var overwrite = false
  /// Masks that come with the images; nil where there are none.
  public var labels: LabelOptions?
  /// The other images of pairs; nil where images come alone.
  public var pairs: PairOptions?
  /// Who decodes the files.
  public var helpers = ImportHelpers.none

  /// The defaults above, with patients divided by `splits`.
  public init(splits: Splits) { self.splits = splits }

  /// The choices as options of `limn import`; nothing that could name a person.
  var recorded: [String] {
    var list = cut.recorded
    list.append("--split \(splits.train),\(splits.validation),\(splits.test)")
    if let labels {
      list.append("--labels")
      if labels.kind == .instances { list.append("--instances") }
      if labels.resample { list.append("--resample-labels") }
      if labels.fieldOfView != nil { list.append("--mask") }
      if labels.keepsUnlabelled { list.append("--keep-unlabelled") }
    }
    if let pairs {
      let window = pairs.takesFileWindow ? "file" : pairs.window?.optionText ?? "auto"
      list += ["--pair", "--pair-window \(window)"]
    }
    list += ["--split-seed \(splits.seed)", "--patient-from \(patients.kind)"]
    return list
  }
}

extension CutOptions {
  fileprivate var recorded: [String] {
    var list = ["--axis \(axis.rawValue)"]
    if let slices { list.append("--slices \(slices)") }
    if every > 1 { list.append("--every \(every)") }
    if minimumContent > 0 { list.append("--min-content \(minimumContent)") }
    list.append("--window \(takesFileWindow ? "file" : window?.optionText ?? "auto")")
    if evensSlices { list.append("--even-slices") }
    if let box {
      list.append("--box \(box)")
    } else if crop != .none {
      list.append("--crop \(crop.rawValue)")
    }
    if let tiles { list.append("--tiles \(tiles)") }
    if let size { list.append("--size \(size)") }
    list += ["--fit \(fit.rawValue)", "--channels \(channels.rawValue)"]
    if let bits { list.append("--bits \(bits)") }
    return list
  }
}

/// Height and width in pixels, written `64` or `HEIGHTxWIDTH`.
public struct ImageSize: Sendable, Codable, Equatable, CustomStringConvertible {
  /// Pixels.
  public let height: Int
  /// Pixels.
  public let width: Int
  /// The largest side that is taken.
  public static let maximum = 16_384

  /// A size of any two sides; ``maximum`` is not checked.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// Reads `64` or `48x64`; nil for anything else.
  public init?(_ text: String) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(sides.count), let height = sides[0], let width = sides[sides.count - 1],
      (1...Self.maximum).contains(height), (1...Self.maximum).contains(width)
    else { return nil }
    self.init(height: height, width: width)
  }

  public var description: String { "\(height)x\(width)" }
}

/// Part of a volume's slices, written `20..80` (positions from 0, both included) or `0.2..0.8` (fractions).
public enum SliceSelection: Sendable, Codable, Equatable, CustomStringConvertible {
  case positions(Int, Int)
  case fractions(Double, Double)

  /// Reads `a..b`; with a decimal point in either, both are fractions from 0 to 1. Nil for anything else.
  public init?(_ text: String) {
    guard let dots = text.range(of: "..") else { return nil }
    let (first, last) = (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
    if let a = Int(first), let b = Int(last), 0 <= a, a <= b {
      self = .positions(a, b)
    } else if let a = Double(first), let b = Double(last), first.contains(".") || last.contains("."),
      0 <= a, a < b, b <= 1
    {
      self = .fractions(a, b)
    } else {
      return nil
    }
  }

  /// The slices meant, of `count`; empty where the volume has none of them.
  public func range(of count: Int) -> Range<Int> {
    switch self {
    case .positions(let first, let last): return min(first, count)..<min(last + 1, count)
    case .fractions(let first, let last):
      // A slice is in when its middle is.
      let start = Int((first * Double(count) - 0.5).rounded(.up))
      let end = Int((last * Double(count) - 0.5).rounded(.up))
      return max(0, start)..<max(start, min(end, count))
    }
  }

  public var description: String {
    switch self {
    case .positions(let first, let last): "\(first)..\(last)"
    case .fractions(let first, let last): "\(first)..\(last)"
    }
  }
}

extension IntensityWindow {
  /// Reads `percentiles:0.5,99.5`, `range:-1000,400`, `centre:40,80` or `full`; nil for anything else.
  public init?(option text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let places = parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : []
    let numbers = places.map { Double($0) ?? .nan }
    guard numbers.allSatisfy(\.isFinite) else { return nil }
    switch (parts.first, numbers.count) {
    case ("full", 0) where parts.count == 1: self = .full
    case ("range", 2) where numbers[0] < numbers[1]: self = .range(numbers[0], numbers[1])
    case ("centre", 2) where numbers[1] > 0: self = .centre(numbers[0], width: numbers[1])
    case ("percentiles", 2) where 0 <= numbers[0] && numbers[0] < numbers[1] && numbers[1] <= 100:
      self = .percentiles(numbers[0], numbers[1])
    default: return nil
    }
  }

  /// The window as ``init(option:)`` reads it.
  public var optionText: String {
    func text(_ value: Double) -> String {
      value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
    return switch self {
    case .percentiles(let low, let high): "percentiles:\(text(low)),\(text(high))"
    case .range(let low, let high): "range:\(text(low)),\(text(high))"
    case .centre(let centre, let width): "centre:\(text(centre)),\(text(width))"
    case .full: "full"
    }
  }
}
