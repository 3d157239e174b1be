// Weights and images by the rule of Tests/Fixtures/backbone_weights.py, so that none need to be stored.

import LimnTorch

public enum BackboneWeights {
  private static let period = 65_537

  /// 65,537 numbers in [−1, 1).
  public static let base: Tensor = {
    let numbers = (0..<UInt32(period)).map { index in
      var x = index &* 0x9E37_79B1
      x ^= x >> 15
      x = x &* 0x85EB_CA77
      x ^= x >> 13
      return Float(Double(x) / 2_147_483_648 - 1)
    }
    return Tensor(numbers)
  }()

  /// The base from a place on that FNV-1a of `name` tells, over and over.
  public static func values(_ name: String, _ shape: [Int]) -> Tensor {
    let hash = name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let count = shape.reduce(1, *)
    let turned = base.rolled([-(Int(hash) % period)], dims: [0])
    return turned.repeated([count / period + 1]).narrowed(dim: 0, start: 0, length: count).reshaped(shape)
  }

  /// A parameter or buffer of PyTorch's names.
  public static func weight(_ name: String, _ shape: [Int]) -> Tensor {
    let values = values(name, shape)
    return switch name.split(separator: ".").last {
    case "running_var": values * 0.5 + 1
    case "weight" where shape.count == 1: values * 0.2 + 1
    case "weight": values * (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
    default: values * 0.1
    }
  }

  /// Gives a module these weights, in evaluation mode.
  public static func fill(_ module: Module) {
    withoutGradients {
      for (name, tensor) in module.stateDict { tensor.copy(from: weight(name, tensor.shape)) }
    }
    module.evaluate()
    module.requireGradients(false)
  }

  /// Pixels 0...255, uint8 [N, C, H, W], in blocks of 4×4.
  public static func image(_ name: String, _ shape: [Int]) -> Tensor {
    let coarse = values(name, [shape[0], shape[1], (shape[2] + 3) / 4, (shape[3] + 3) / 4])
    let pixels = ((coarse + 1) * 127.5).floor().to(.uint8)
    return pixels.repeatInterleaved(4, dim: 2).repeatInterleaved(4, dim: 3)
      .narrowed(dim: 2, start: 0, length: shape[2]).narrowed(dim: 3, start: 0, length: shape[3])
  }
}
