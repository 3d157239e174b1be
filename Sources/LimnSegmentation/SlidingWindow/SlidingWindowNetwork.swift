// "Deep neural networks segment neuronal membranes in electron microscopy images" (Ciresan, Giusti, Gambardella &
// Schmidhuber, NIPS 2012): the classifier of a pixel from the window around it.

import LimnTorch
import LimnTraining

/// The shape of the network.
public struct SlidingWindowConfiguration: Sendable, Equatable {
  /// Channels of an image.
  public var inputChannels: Int
  /// Classes, the background included.
  public var classCount: Int
  /// Side of the window, odd.
  public var window = 95
  /// Side of each convolution; a pooling of 2 follows each.
  public var kernels = [4, 5, 4, 4]
  /// Maps of every convolution.
  public var width = 48
  /// Neurons of the hidden fully connected layer.
  public var hidden = 200

  /// The paper's largest network, N4: 95 → 92 → 46 → 42 → 21 → 18 → 9 → 6 → 3 pixels a side.
  public init(inputChannels: Int, classCount: Int) {
    (self.inputChannels, self.classCount) = (inputChannels, classCount)
  }

  /// Side of the last pooling's maps; below 1 where the window is too small.
  public var lastSide: Int { kernels.reduce(window) { side, kernel in (side - kernel + 1) >> 1 } }

  /// The smallest window for these convolutions.
  public var smallestWindow: Int {
    kernels.reversed().reduce(1) { side, kernel in 2 * side + kernel - 1 } | 1
  }

  /// - Throws: `RecipeError` for a window that has no middle or is too small.
  public func check() throws {
    try RecipeRule.check([
      RecipeRule(
        "window", window,
        expected: "an odd number, \(smallestWindow) or more for convolutions of \(kernels)",
        isMet: !window.isMultiple(of: 2) && lastSide >= 1)
    ])
  }
}

/// Windows [N, C, window, window] → scores [N, K] of the pixels in their middle.
public final class SlidingWindowNetwork: Module {
  public let configuration: SlidingWindowConfiguration
  let convolutions: [Conv2d]
  let hidden: Linear
  let head: Linear

  public init(_ configuration: SlidingWindowConfiguration) {
    self.configuration = configuration
    let width = configuration.width
    convolutions = configuration.kernels.enumerated().map { stage, kernel in
      Conv2d(
        inputChannels: stage == 0 ? configuration.inputChannels : width, outputChannels: width,
        kernelSize: kernel)
    }
    let side = configuration.lastSide
    hidden = Linear(inputFeatures: width * side * side, outputFeatures: configuration.hidden)
    head = Linear(inputFeatures: configuration.hidden, outputFeatures: configuration.classCount)
    super.init()
    for (key, parameter) in namedParameters {
      let rule: Initializer = key.hasSuffix("bias") ? .constant(0) : .heNormal()
      rule(parameter, generator: Initialization.generator)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let maps = convolutions.reduce(x) { x, convolution in
      relu(maxPool2d(convolution(x), 2))  // the same as pooling what is rectified, for a quarter of the work
    }
    return head(relu(hidden(maps.flattened(from: 1))))  // [N, K]
  }
}
