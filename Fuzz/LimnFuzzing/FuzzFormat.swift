// What is fuzzed: the formats of the table, and the kinds of file within them.

/// A row of the table.
public enum FuzzFormat: String, CaseIterable, Sendable {
  case dicom = "DICOM"
  case nifti = "NIfTI"
  case tiff = "TIFF"
  case png = "PNG"
  case jpeg = "JPEG"
  case safetensors = "safetensors"
  case pytorch = "PyTorch"
  case numpy = "NumPy"
  case json = "JSON"
  case yaml = "YAML"
}

/// A kind of file, which decides who reads it. The names of findings begin with it.
public enum FuzzKind: String, CaseIterable, Sendable {
  case dicom, nifti, tiff, png, jpeg, safetensors
  /// Weights of torch.save in both its formats, and arrays of numpy.savez.
  case pth, npz
  /// A NIfTI header whose voxels lie in a file of their own.
  case pair
  /// `dataset.json`, beside a layer that fits it.
  case dataset
  /// `run.json`, `training.json`, a checkpoint's `state.json`, and `metrics.jsonl`.
  case run, plan, checkpoint, metrics
  /// A recipe's YAML.
  case recipe

  /// The row that the kind counts for.
  public var format: FuzzFormat {
    switch self {
    case .dicom: .dicom
    case .nifti, .pair: .nifti
    case .tiff: .tiff
    case .png: .png
    case .jpeg: .jpeg
    case .safetensors: .safetensors
    case .pth: .pytorch
    case .npz: .numpy
    case .dataset, .run, .plan, .checkpoint, .metrics: .json
    case .recipe: .yaml
    }
  }
}

/// A file to read: a seed as it was, or one that was damaged.
public struct FuzzInput: Sendable {
  /// Who reads it.
  public var kind: FuzzKind
  /// The file's content.
  public var bytes: [UInt8]

  /// An input as it was recorded.
  public init(kind: FuzzKind, bytes: [UInt8]) { (self.kind, self.bytes) = (kind, bytes) }
}
