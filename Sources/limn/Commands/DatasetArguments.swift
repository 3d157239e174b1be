// How the choices of datasets are read from the command line.

import ArgumentParser
import Foundation
import LimnDatasets
import LimnImaging

extension AxisChoice: ExpressibleByArgument {}
extension ChannelChoice: ExpressibleByArgument {}
extension ClassBalance: ExpressibleByArgument {}
extension ImageResize.Mode: ExpressibleByArgument {}
extension Split: ExpressibleByArgument {}

extension ImageSize: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension SliceSelection: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension PatientRule: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { "auto" }
}

/// A window as `limn import` takes it: a file's own, or one for all.
struct WindowArgument: ExpressibleByArgument {
  let window: IntensityWindow?
  var isFile: Bool { window == nil }

  init?(argument: String) {
    window = IntensityWindow(option: argument)
    if window == nil, argument != "file" { return nil }
  }
}

extension CropChoice: ExpressibleByArgument {}

extension CropBox: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// What `--classes` names.
enum ClassList {
  /// - Throws: `ValidationError` unless `text` is NAME=VALUE,… or a JSON file of classes.
  static func parsed(_ text: String) throws -> [LabelClass] {
    guard let list = try [LabelClass](list: text) ?? LabelClass.list(in: URL(fileURLWithPath: text)) else {
      throw ValidationError("--classes '\(text)': expected NAME=VALUE,… or a JSON file")
    }
    return list
  }
}
