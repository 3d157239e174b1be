// Networks that images of other sizes have to be fitted to.

import LimnTorch
import LimnTraining

/// A network that may take images of the size it was built for, and no other.
protocol SizeBoundNetwork: Module {
  var isSizeBound: Bool { get }
}

extension UNetGenerator: SizeBoundNetwork {
  /// Its levels go down to one pixel.
  var isSizeBound: Bool { true }
}

extension NICEGenerator: SizeBoundNetwork {
  /// The published network multiplies every value of the code.
  var isSizeBound: Bool { !isLight }
}

extension TranslationMethod {
  /// The sizes that the generators take.
  var sizes: NetworkSizes {
    let isBound = networks.flatMap(\.module.modules).contains {
      ($0 as? any SizeBoundNetwork)?.isSizeBound == true
    }
    let shape = pairShape.source
    // All generators halve their images twice, and mirror three pixels beyond them.
    return isBound ? .only([shape.height, shape.width]) : .multiples(of: 4, from: 16)
  }
}
