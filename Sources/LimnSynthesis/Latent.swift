// Latent vectors: drawn from a seed, and paths between them.

import Foundation
import LimnTorch

/// A latent vector that a seed determines, on any machine.
struct Latent {
  /// [size], standard normal.
  let values: Tensor

  init(seed: UInt64, size: Int) { values = Tensor.randn([size], generator: Generator(seed: seed)) }

  /// Latents along great arcs from each seed's to the next (spherical interpolation keeps their typical
  /// length); `frames` for each arc, the last end included.
  static func path(seeds: [UInt64], frames: Int, size: Int) -> [Tensor] {
    let ends = seeds.map { Latent(seed: $0, size: size).values }
    let arcs = zip(ends, ends.dropFirst()).flatMap { start, end in
      (0..<frames).map { slerp(start, end, Double($0) / Double(frames)) }
    }
    return arcs + ends.suffix(1)
  }

  private static func slerp(_ a: Tensor, _ b: Tensor, _ t: Double) -> Tensor {
    let cosine = ((a * b).sum() / (a.norm() * b.norm())).item()
    let angle = acos(min(max(cosine, -1), 1))
    guard angle > 1e-6 else { return Tensor.lerp(a, b, weight: t) }
    return a * (sin((1 - t) * angle) / sin(angle)) + b * (sin(t * angle) / sin(angle))
  }
}
