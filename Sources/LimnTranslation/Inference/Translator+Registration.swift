// A run's registration network, asked about images of any size.

import LimnTorch
import LimnTraining

extension Translator {
  /// - Throws: `RunError` where the run has no registration network.
  public func requireRegistration() throws {
    guard method.registration == nil else { return }
    throw RunError("\(name): its mode has no registration network; train with --set mode=nc+r or mode=c+r")
  }

  /// What brings moving images onto fixed ones, in pixels of their own, see ``SpatialTransformer``.
  /// - Parameters:
  ///   - moving: [N, C′, H, W] in [−1, 1], of the target's kind.
  ///   - fixed: the same shape.
  ///   - match: brings both to the training images' spacing; nil where they are shown as they are.
  /// - Returns: [N, 2, H, W], rows first, float32 on the CPU; nil where the run has no registration network.
  public func displacement(moving: Tensor, fixed: Tensor, match: SpacingMatch? = nil) -> Tensor? {
    guard let network = method.registration else { return nil }
    func shown(_ images: Tensor) -> Tensor { match?.applied(toAll: images) ?? images }
    let pair = Tensor.cat([shown(moving), shown(fixed)], dim: 1)
    let size = Array(pair.shape.suffix(2))
    // Two pixels have to be left at the bottom.
    let frame = SizeFrame(size: size, for: .multiples(of: 1, from: 2 << network.levels))
    let framed = frame.applied(to: pair).to(device)
    let flow = frame.undone(computing { network(framed) }.to(.float32).to(.cpu))
    guard let match else { return flow }
    // Pixels of the other grid are of another size.
    let ratios = zip(match.size, match.matched).map { Float($0) / Float($1) }
    return match.undone(all: flow) * Tensor(ratios, shape: [1, 2, 1, 1])
  }
}
