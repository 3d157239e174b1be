// Exporting DICOM: each source as a series of Secondary Captures, its label maps as SEG objects.

import Foundation
import LimnImaging
import LimnTorch

/// `SPLIT/NAME/LAYER/ID.dcm`, and `SPLIT/NAME/LAYER.dcm` for label maps.
final class DICOMExport: FormatWriter {
  private let context: ExportContext
  /// By patient and day.
  private var studies: [String: String] = [:]
  private var seriesInStudy: [String: Int] = [:]

  init(_ context: ExportContext) { self.context = context }

  func write(_ stack: ExportStack) throws -> [String] {
    let item = context.manifest.items[stack.items[0]]
    let study = studies["\(item.patient) \(item.date ?? "")"] ?? DICOMUID.new()
    studies["\(item.patient) \(item.date ?? "")"] = study
    let identity = DICOMSeriesIdentity(
      patient: item.patient, study: study, date: item.date, isSynthetic: context.manifest.synthetic,
      derivation: context.derivation)
    var files: [String] = []
    var images: (series: String, instances: [String])?
    for layer in context.imageLayers {
      let written = try writeImages(layer, of: stack, series(layer, of: identity))
      files += written.files
      if layer == "images" { images = (written.series, written.instances) }
    }
    guard let images else { return files }
    return try files
      + context.labelLayers.compactMap { layer in
        try writeLabels(layer, of: stack, series(layer, of: identity), images.series, images.instances)
      }
  }

  /// The identity of a new series of the same study.
  private func series(_ layer: String, of identity: DICOMSeriesIdentity) -> DICOMSeriesIdentity {
    var identity = identity
    let number = seriesInStudy[identity.study, default: 0] + 1
    seriesInStudy[identity.study] = number
    identity.series = DICOMUID.new()
    identity.seriesNumber = number
    identity.seriesDescription = layer
    identity.modality = context.modality(layer)
    return identity
  }

  private func writeImages(
    _ layer: String, of stack: ExportStack, _ identity: DICOMSeriesIdentity
  ) throws -> (series: String, files: [String], instances: [String]) {
    var (files, instances) = ([String](), [String]())
    for (place, index) in stack.items.enumerated() {
      var capture = SecondaryCapture(identity: identity, pixels: try context.pixels(layer, index))
      capture.number = stack.positions[place] + 1
      capture.affine = stack.places[place]
      capture.spacing = context.spacing(index)
      capture.scale = context.scale(layer)
      let path = "\(stack.split.rawValue)/\(stack.name)/\(layer)/\(context.id(index)).dcm"
      files.append(try context.write(capture.encoded(), to: path))
      instances.append(capture.instance)
    }
    return (identity.series, files, instances)
  }

  /// Nil where no pixel of the stack is labelled.
  private func writeLabels(
    _ layer: String, of stack: ExportStack, _ identity: DICOMSeriesIdentity, _ series: String,
    _ instances: [String]
  ) throws -> String? {
    let slices = try zip(stack.items, instances).enumerated().map { place, pair in
      SegmentationObject.Slice(
        labels: try context.pixels(layer, pair.0), image: pair.1, affine: stack.places[place])
    }
    let values = Set(slices.flatMap { Set($0.labels.to(.int32).array(of: Int32.self)) }).filter { $0 > 0 }
    let palette = context.palette
    let segments = values.sorted().map { value in
      let (value, isClass) = (Int(value), layer == "labels")
      return SegmentationObject.Segment(
        value: value, name: isClass ? context.className(value) : "\(layer) \(value)",
        colour: isClass ? palette[value] : LabelColours.colour(of: value))
    }
    var object = SegmentationObject(
      identity: identity, imageSeries: series, segments: segments, slices: slices)
    object.algorithm = context.manifest.synthetic ? "Limn" : nil
    return try object.encoded().map {
      try context.write($0, to: "\(stack.split.rawValue)/\(stack.name)/\(layer).dcm")
    }
  }
}
