// Networks that images of other sizes have to be fitted to.

import LimnTorch
import LimnTraining

/// A network that takes images of the size it was built for, and no other.
protocol SizeBoundNetwork: Module {}

/// Its levels go down to one pixel.
extension UNetGenerator: SizeBoundNetwork {}

extension TranslationMethod {
  /// The sizes that the generators take.
  var sizes: NetworkSizes {
    let isBound = networks.flatMap(\.module.modules).contains { $0 is any SizeBoundNetwork }
    let shape = pairShape.source
    // All generators halve their images twice, and mirror three pixels beyond them.
    return isBound ? .only([shape.height, shape.width]) : .multiples(of: 4, from: 16)
  }
}
