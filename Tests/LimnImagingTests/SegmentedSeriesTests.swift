// Segmentation objects over series of others: the same voxels read back, patient, study and images as the series has.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnImaging

@Suite struct SegmentedSeriesTests {
  private func files(_ path: String) throws -> [URL] {
    let folder = file(path)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .map(folder.appendingPathComponent)
  }

  private func segments(_ values: [Int]) -> [SegmentationObject.Segment] {
    values.map { .init(value: $0, name: "part \($0)", colour: LabelColours.colour(of: $0)) }
  }

  /// Labels of the given values on a volume's grid, most of them background.
  private func labels(_ values: [Int], on volume: Volume) -> Tensor {
    let table = Tensor((values + [0, 0]).map(Int32.init))
    let choice = Tensor.randint(0, values.count + 2, volume.size, generator: Generator(seed: 3)).to(.int64)
    return table.indexSelect(dim: 0, choice.flattened()).reshaped(volume.size)
  }

  private func written(_ object: SegmentationObject, _ folder: URL) throws -> URL {
    let url = folder.appendingPathComponent("seg.dcm")
    try #require(object.encoded()).write(to: url)
    return url
  }

  @Test(arguments: ["series", "tilted", "dicom/gap"], [[1, 2], [2, 7, 300]])
  func voxelsComeBack(path: String, values: [Int]) throws {
    try withTemporaryFolder { folder in
      let files = try files(path)
      let image = try #require(try DICOMSeries.read(files: files).first)
      let series = try SegmentedSeries(files)
      #expect(series.count == image.size[0])
      let labels = labels(values, on: image)
      let url = try written(
        series.object(labels: labels, segments: segments(values), algorithm: "test"), folder)
      let back = try DICOMSegmentation.read(url)
      #expect(back.classes.map(\.value) == values && back.classes[0].name == "part \(values[0])")
      #expect(difference(back.labels.resampled(onto: image).voxels[0], labels) == 0)
    }
  }

  /// Only the outer slices are labelled, so that the object's planes are not the image's.
  @Test(arguments: ["series", "tilted", "dicom/gap"])
  func planesThatAreLeftOutAreBackground(path: String) throws {
    try withTemporaryFolder { folder in
      let files = try files(path)
      let image = try #require(try DICOMSeries.read(files: files).first)
      let labels = labels([1], on: image)
      for slice in 1..<image.size[0] - 1 { labels[slice].fill(0) }
      let object = try SegmentedSeries(files).object(
        labels: labels, segments: segments([1]), algorithm: "test")
      let back = try DICOMSegmentation.read(try written(object, folder)).labels
      #expect(difference(back.resampled(onto: image).voxels[0], labels) == 0)
    }
  }

  @Test func framesReferToTheImagesThatTheyLieOn() throws {
    try withTemporaryFolder { folder in
      let files = try files("series")
      let image = try #require(try DICOMSeries.read(files: files).first)
      let object = try SegmentedSeries(files).object(
        labels: .full(image.size, 1, dtype: .int32), segments: segments([1, 2]), algorithm: "test")
      let data = try DICOMFile(reading: written(object, folder).path).data
      let headers = try files.map { try DICOMHeader(reading: $0.path) }
      let positions = Dictionary(uniqueKeysWithValues: headers.map { ($0.instanceUID, $0.position) })
      let groups = data.items(0x5200_9230)
      #expect(groups.count == headers.count && Set(positions.keys).count == headers.count)
      for group in groups {
        let source = group.item(0x0008_9124)?.item(0x0008_2112)
        let place = try #require(group.item(0x0020_9113)?.vector(0x0020_0032, count: 3))
        let position = try #require(positions[source?.text(0x0008_1155) ?? ""] ?? nil)
        #expect(length(SIMD3(place[0], place[1], place[2]) - position) < 1e-4)
        #expect(source?.text(0x0008_1150) == headers[0].sopClass)
      }
      #expect(data.item(0x0008_1115)?.items(0x0008_114A).count == headers.count)
      #expect(data.item(0x0008_1115)?.text(0x0020_000E) == headers[0].seriesUID)
      #expect(data.items(0x0062_0002).count == 2, "a class that was not found has a segment all the same")
      #expect(data.items(0x0062_0002).first?.text(0x0062_0008) == "AUTOMATIC")
    }
  }

  @Test func patientAndStudyAreThoseOfTheImages() throws {
    try withTemporaryFolder { folder in
      // An exported series says all of it.
      var identity = DICOMSeriesIdentity(
        patient: "Äpfel", study: DICOMUID.new(), date: "2019-03-07", isSynthetic: true, derivation: "a test")
      identity.seriesNumber = 4
      var capture = SecondaryCapture(identity: identity, pixels: .zeros([1, 4, 5], dtype: .uint8))
      capture.affine = Affine(x: [-1, 0, 0], y: [0, -1, 0], z: [0, 0, 2], origin: [1, 2, 3])
      let url = folder.appendingPathComponent("a.dcm")
      try capture.encoded().write(to: url)
      let object = try SegmentedSeries([url]).object(
        labels: .zeros([1, 4, 5], dtype: .int32), segments: segments([1]), algorithm: "test")
      let (source, found) = (
        try DICOMFile(reading: url.path).data, try DICOMFile(reading: written(object, folder).path).data
      )
      for tag: DICOMTag in [
        0x0010_0010, 0x0010_0020, 0x0020_000D, 0x0008_0020, 0x0020_0052, 0x0012_0062, 0x0012_0063,
        0x0020_0010,
      ] {
        #expect(source.text(tag) != nil && found.text(tag) == source.text(tag), "\(String(tag, radix: 16))")
      }
      #expect(found.text(0x0020_000E) != source.text(0x0020_000E) && found.text(0x0008_0060) == "SEG")
      #expect(found.text(0x0008_103E) == "SYNTHETIC labels" && found.integer(0x0020_0011) == 1004)
      // Nothing was found, and that is an answer, too.
      let back = try DICOMSegmentation.read(folder.appendingPathComponent("seg.dcm"))
      #expect(back.labels.voxels.max().item() == 0 && back.classes.map(\.name) == ["part 1"])
    }
  }

  @Test func framesOfOneFileAreToldApart() throws {
    try withTemporaryFolder { folder in
      let stacked = try #require(
        try MultiFrame(reading: file("dicom/enhanced.dcm").path).stacks().first { $0.isPlaced })
      #expect(stacked.slices.count > 1)
      let image = try ImageReader.read(file("dicom/enhanced.dcm"))
      guard image.channels == 1 else {
        #expect(throws: ImagingError.self) { try SegmentedSeries([file("dicom/enhanced.dcm")]) }
        return
      }
      let labels = labels([1], on: image)
      let object = try SegmentedSeries([file("dicom/enhanced.dcm")]).object(
        labels: labels, segments: segments([1]), algorithm: "test")
      let url = try written(object, folder)
      let numbers = try DICOMFile(reading: url.path).data.items(0x5200_9230).compactMap {
        $0.item(0x0008_9124)?.item(0x0008_2112)?.integer(0x0008_1160)
      }
      #expect(Set(numbers) == Set(stacked.slices.map { $0.frame + 1 }))
      #expect(
        difference(try DICOMSegmentation.read(url).labels.resampled(onto: image).voxels[0], labels) == 0)
    }
  }

  @Test(arguments: ["gray8.png", "two.nii.gz", "dicom/cine.dcm"])
  func otherFilesAreRefused(path: String) {
    let error = #expect(throws: ImagingError.self) { try SegmentedSeries([file(path)]) }
    #expect(
      error?.errorDescription?.contains("\n") == false && error?.errorDescription?.contains(path) == true)
  }
}
