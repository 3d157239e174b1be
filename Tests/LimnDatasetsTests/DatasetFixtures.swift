// Small datasets that the tests of this room make for themselves.

import Foundation
import LimnDatasets
import LimnTorch

/// Random pixels of every value, [n, C, H, W].
func randomPixels(_ count: Int, bitDepth: Int = 8, channels: Int = 1, size: [Int] = [6, 5], seed: UInt64 = 1)
  -> Tensor
{
  let generator = Generator(seed: seed)
  let levels = Tensor.randint(0, bitDepth == 8 ? 256 : 65536, [count, channels] + size, generator: generator)
  return levels.to(.int32).to(bitDepth == 8 ? .uint8 : .uint16)
}

func description(_ pixels: Tensor, companions: [LayerDescriptor] = []) -> DatasetDescription {
  DatasetDescription(
    name: "test", channels: pixels.shape[1], height: pixels.shape[2], width: pixels.shape[3],
    bitDepth: pixels.dtype == .uint8 ? 8 : 16, companions: companions)
}

/// One item for each image, two images a patient.
func items(_ count: Int) -> [DatasetItem] {
  (0..<count).map { DatasetItem(id: "\($0)", patient: "p\($0 / 2)", source: "\($0).png") }
}

let provenance = Provenance(sources: 1, tool: "limn test", date: Date(timeIntervalSince1970: 0))

@discardableResult
func write(
  _ pixels: Tensor, to url: URL, splits: Splits? = nil, overwrite: Bool = false
) throws -> DatasetManifest {
  let writer = try DatasetWriter(description(pixels), to: url, overwrite: overwrite)
  try writer.append(items(pixels.shape[0]), images: pixels)
  return try writer.finish(provenance: provenance, splits: splits)
}

/// The line that `body` fails with, nil if it does not fail.
func failure(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

func contents(_ folder: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}
