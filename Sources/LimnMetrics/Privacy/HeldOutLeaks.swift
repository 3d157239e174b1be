// Held-out images that are not held out: the pixels, or the patient, of a training image.

import LimnTorch

/// Which held-out images can stand for unseen ones.
struct HeldOutLeaks {
  /// Positions of images that share neither pixels nor patient with the training images.
  private(set) var clean: [Int] = []
  /// Images with the very pixels of a training image.
  private(set) var samePixels = 0
  /// Other images of a training image's patient.
  private(set) var samePatient = 0

  /// Nothing held out.
  init() {}

  /// - Parameters:
  ///   - heldOut: the images to look at.
  ///   - training: whose patients they must not share.
  ///   - known: the hashes of the training images' pixels.
  /// - Throws: what the sources throw.
  init(_ heldOut: PatientImages, training: PatientImages, known: Set<UInt64>) throws {
    let patients = Set(training.patients ?? [])
    for (index, hash) in try pixelHashes(of: heldOut.images).enumerated() {
      if known.contains(hash) {
        samePixels += 1
      } else if let patient = heldOut.patients?[index], patients.contains(patient) {
        samePatient += 1
      } else {
        clean.append(index)
      }
    }
  }

  var lines: [String] {
    let pixels =
      samePixels > 0
      ? ["\(samePixels) held-out images have the very pixels of a training image and were left out"] : []
    let patient =
      samePatient > 0
      ? ["\(samePatient) held-out images are of a patient who is also in training and were left out"] : []
    return pixels + patient
  }
}

/// A 64-bit hash (FNV-1a over the bytes) of each image's pixels, in order.
public func pixelHashes(of images: any ImageSource) throws -> [UInt64] {
  var hashes: [UInt64] = []
  try images.forEachBatch(of: 64, at: Array(0..<images.count)) { _, batch in
    let size = batch.count / max(1, batch.size(0))
    batch.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: size) {
        hashes.append(hash(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])))
      }
    }
  }
  return hashes
}

private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  return hash
}
