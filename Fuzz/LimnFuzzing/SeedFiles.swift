// Seeds: small files that Limn's own writers make, and those of given folders.

import Foundation
import LimnDatasets
import LimnImaging
import LimnSynthesis
import LimnTorch
import LimnTraining

/// Collects what inputs are made from.
public enum SeedFiles {
  /// Longer files are left out: damage would hit their pixels alone.
  public static let longest = 20_000

  /// Writes our writers' files to a folder, equal ones each time.
  /// - Throws: what a writer answers.
  public static func write(to folder: URL) throws {
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try writePictures(to: folder)
    try writeTensors(to: folder)
    try writeDataset(to: folder.appendingPathComponent("dataset"))
    try writeRun(to: folder)
  }

  /// The files below folders that are of a fuzzed kind, in the order of their paths.
  public static func load(from folders: [URL]) -> [FuzzSeed] { folders.flatMap(seeds) }

  private static func seeds(below folder: URL) -> [FuzzSeed] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return names.sorted().compactMap { name in
      let url = folder.appendingPathComponent(name)
      guard let size = try? url.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey]),
        size.isRegularFile == true, (1...longest).contains(size.fileSize ?? 0),
        let data = try? Data(contentsOf: url), let kind = kind(of: url, data)
      else { return nil }
      return FuzzSeed(name: name, input: FuzzInput(kind: kind, bytes: [UInt8](data)))
    }
  }

  private static func kind(of url: URL, _ data: Data) -> FuzzKind? {
    switch FileKind(sniffing: url) {
    case .dicom: return .dicom
    case .tiff: return .tiff
    case .png: return .png
    case .jpeg: return .jpeg
    case .nifti: return data.count >= 348 && data[344..<347].elementsEqual("ni1".utf8) ? .pair : .nifti
    case nil: break
    }
    switch url.lastPathComponent {
    case "dataset.json": return .dataset
    case "run.json": return .run
    case "training.json": return .plan
    case "state.json": return .checkpoint
    case "metrics.jsonl": return .metrics
    default:
      return ["safetensors": .safetensors, "pth": .pth, "npz": .npz, "yaml": .recipe][url.pathExtension]
    }
  }

  // MARK: - What Limn writes

  private static func writePictures(to folder: URL) throws {
    let generator = Generator(seed: 1)
    func noise(_ shape: [Int], _ type: DType) -> Tensor {
      Tensor.randint(0, 200, shape, generator: generator).to(type)
    }
    for (name, type) in [("8", DType.uint8), ("16", .uint16)] {
      for channels in [1, 3] {
        let place = "\(name)-\(channels)"
        try PNGFile.write(
          pixels: noise([channels, 9, 7], type), text: ["Title": "seed"],
          to: folder.appendingPathComponent("\(place).png"))
        try TIFFFile.write(
          voxels: noise([channels, 2, 9, 7], type), description: "seed",
          to: folder.appendingPathComponent("\(place).tif"))
      }
    }
    try TIFFFile.write(voxels: noise([1, 1, 9, 7], .float32), to: folder.appendingPathComponent("float.tif"))
    for channels in [1, 3] {
      let data = try JPEGFile.encode(pixels: noise([channels, 17, 19], .uint8), comment: "seed")
      try AtomicFile.write(data, to: folder.appendingPathComponent("\(channels).jpg"))
    }
    try writeVolumes(to: folder, noise)
  }

  private static func writeVolumes(to folder: URL, _ noise: ([Int], DType) -> Tensor) throws {
    for type in [DType.uint8, .int16, .int32, .float32] {
      for (channels, ending) in [(1, "nii"), (2, "nii.gz")] {
        let voxels = noise([channels, 3, 4, 5], type)
        let volume = Volume(
          voxels: voxels, affine: .picture(), storedBits: 8, info: SourceInfo(path: "seed", format: "NIfTI"))
        try NIfTIFile.write(volume, to: folder.appendingPathComponent("\(type)-\(channels).\(ending)"))
      }
    }
  }

  private static func writeTensors(to folder: URL) throws {
    var tensors: [String: Tensor] = [:]
    for type in [DType.uint8, .int16, .int64, .float16, .bfloat16, .float64, .bool] {
      tensors["layer.\(type)"] = Tensor.arange(6).reshaped([2, 3]).to(type)
    }
    tensors["none"] = .zeros([0, 3])
    tensors["scalar"] = Tensor(1.0)
    try Safetensors.write(
      tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent("a.safetensors"))
  }

  private static func writeDataset(to folder: URL) throws {
    let description = DatasetDescription(
      name: "seed", modality: "CT", channels: 1, height: 4, width: 6, bitDepth: 8,
      classes: [LabelClass(name: "organ", value: 1, parts: [LabelClass(name: "part", value: 2)])],
      companions: [LayerDescriptor(name: "labels", dtype: .uint8, itemShape: [4, 6])])
    let writer = try DatasetWriter(description, to: folder)
    for index in 0..<3 {
      let item = DatasetItem(
        id: "00000\(index)", patient: "p\(index)", source: "a", slice: index,
        split: index == 2 ? .test : .train,
        spacing: [1, 0.5 + Double(index)], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], date: "2020-01-01")
      try writer.append(
        item, image: .zeros([1, 4, 6], dtype: .uint8), companions: ["labels": .zeros([4, 6], dtype: .uint8)])
    }
    let date = Date(timeIntervalSince1970: 0)
    try writer.finish(provenance: Provenance(sources: 1, tool: "seed", options: ["--size 4"], date: date))
  }

  private static func writeRun(to folder: URL) throws {
    let setting = MethodSetting(shape: ImageShape(channels: 1, height: 4, width: 6), totalImages: 100)
    let info = RunInfo(
      method: "skrgan", dataset: "data/seed", seed: 1, device: "cpu", precision: "float32", version: "1",
      started: Date(timeIntervalSince1970: 0))
    let options = TrainingOptions(steps: 10, images: 100, threads: 1)
    let run = try RunFolder(
      creating: folder.appendingPathComponent("run"), info: info,
      plan: RunFolder.Plan(options: options, setting: setting, dataset: "abc"),
      recipeYAML: SkrGANRecipe().yaml)
    let log = try MetricsLog(url: run.metrics, resumeStep: 0)
    for step in 1...3 {
      try log.append(
        MetricsRow(step: step, images: 4 * step, time: 0.5, values: ["loss_d": 0.3, "loss_g": .nan]))
    }
    try AtomicFile.write(
      Data(PGGANRecipe().yaml.utf8), to: folder.appendingPathComponent("pggan.yaml"))
    let short = "width_max: 64\nbatch_sizes: [8, 4]\n"
    try AtomicFile.write(Data(short.utf8), to: folder.appendingPathComponent("short.yaml"))
    try AtomicFile.write(Data(state.utf8), to: folder.appendingPathComponent("state.json"))
  }

  /// A checkpoint's state, as training writes it.
  private static let state = """
    {"counters": {"phase": 2}, "limnVersion": "1", "method": "skrgan",
     "position": {"images": 160, "seconds": 3.5, "step": 10}, "recipe": "learning_rate: 0.001\\n",
     "setting": {"shape": {"channels": 1, "height": 4, "width": 6}, "totalImages": 100}}
    """
}
