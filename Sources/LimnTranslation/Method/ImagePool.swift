// The pool of earlier fakes that a discriminator is shown (Shrivastava et al., CVPR 2017; CycleGAN, section 4).

import LimnTorch

/// Up to `capacity` images. They are a buffer, so that a checkpoint holds them.
final class ImagePool: Module {
  /// [capacity, C, H, W].
  let images: Buffer
  /// How many are there.
  var filled = 0

  init(capacity: Int, shape: [Int]) { images = Buffer(.zeros([capacity] + shape)) }

  /// Until the pool is full the images themselves, which stay in it; then each with an even chance itself, or one of the
  /// pool whose place it takes.
  /// - Parameters:
  ///   - fakes: [N, C, H, W] without a graph.
  ///   - generator: on the CPU.
  /// - Returns: the same shape.
  func callAsFunction(_ fakes: Tensor, _ generator: Generator) -> Tensor {
    let capacity = images.size(0)
    guard capacity > 0 else { return fakes }
    return .stack((0..<fakes.size(0)).map { exchanged(fakes[$0], capacity, generator) })
  }

  private func exchanged(_ fake: Tensor, _ capacity: Int, _ generator: Generator) -> Tensor {
    guard filled >= capacity else {
      images[filled] = fake
      filled += 1
      return fake
    }
    guard Tensor.rand([1], generator: generator).item() > 0.5 else { return fake }
    let place = Int(Tensor.randint(0, capacity, [1], generator: generator).item())
    let old = images[place].cloned()
    images[place] = fake
    return old
  }
}
