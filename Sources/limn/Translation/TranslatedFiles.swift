// The files that `limn translate` takes, with their true targets and the places of their translations.

import Foundation
import LimnDatasets
import LimnImaging
import LimnTorch
import LimnTraining
import LimnTranslation

/// Files to translate.
struct TranslatedFiles {
  let files: [VolumeSource]
  /// The true target of a file, by the file's name.
  let pairs: [String: VolumeSource]
  /// What a careful person would want to know, a line each.
  let notes: [String]

  /// - Parameters:
  ///   - places: files and folders.
  ///   - target: a file or a folder of true targets; nil where they are not known.
  ///   - folder: where translations go.
  /// - Throws: what does not fit, before anything is translated.
  init(_ places: [URL], target: URL?, to folder: URL) throws {
    let paired = try target.map { try PairedSources(places[0], $0) }
    files = try places.flatMap { try VolumeSource.all(at: $0) }
    pairs = paired?.secondByName ?? [:]
    notes = paired?.notes ?? []
    for file in files + Array(pairs.values) {
      try ResultPlace.check(file, in: folder, endings: ["png", "nii.gz"])
    }
  }

  /// A file and its true target, as it is shown on the file's grid.
  func read(_ file: VolumeSource, _ target: ImageIntake) throws -> (source: Volume, truth: Volume?) {
    let source = try file.read()
    return (source, try pairs[file.name].map { try target.shown($0.read(), on: source) })
  }

  /// A translation that has been written.
  /// - Parameters:
  ///   - file: what was translated.
  ///   - suffix: what the style added to its name.
  ///   - result: the translation's file.
  ///   - translator: who translated.
  /// - Returns: the case, not opened yet.
  /// - Throws: where the true target's patient cannot be told.
  func translated(
    _ file: VolumeSource, _ suffix: String, at result: URL, _ translator: Translator
  ) throws -> TranslatedCase {
    let (intake, target, truth) = (translator.source, translator.target, pairs[file.name])
    return TranslatedCase(
      name: file.name + suffix, patient: try truth == nil ? file.name : file.patient(.auto),
      hasTarget: truth != nil
    ) {
      let source = try file.read()
      func slices(_ volume: Volume) -> Tensor { target.turned(volume).voxels.transposed(0, 1) }
      let made = slices(try ImageReader.read(result))
      let isPixels = [.uint8, .uint16].contains(made.dtype) && source.isPicture
      let units = TargetUnits(target, storedBits: source.storedBits)
      let shown = try truth.map { try target.shown($0.read(), on: source) }
      return TranslatedSlices(
        source: try intake.images(of: intake.turned(source)).transposed(0, 1),
        result: isPixels ? made.normalizedPixels() : units.images(of: made),
        target: shown.map(slices),
        spacing: target.turned(source).pixelSpacing)
    }
  }
}

/// Results must not take the place of what they are made from.
enum ResultPlace {
  /// - Parameters:
  ///   - file: is read.
  ///   - results: what will be written.
  /// - Throws: `RunError` where a result would be written over one of the file's own.
  static func check(_ file: VolumeSource, _ results: [URL]) throws {
    let places = Set(results.map { $0.resolvingSymlinksInPath().path })
    for source in file.files.map({ $0.resolvingSymlinksInPath().path }) where places.contains(source) {
      throw RunError("\(source): a result would take its place; choose another folder for --out")
    }
  }

  /// Results that have the file's name.
  static func check(_ file: VolumeSource, in folder: URL, endings: [String]) throws {
    try check(file, endings.map { folder.appendingPathComponent("\(file.name).\($0)") })
  }
}
