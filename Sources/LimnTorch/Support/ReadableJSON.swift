// The one way that Limn writes JSON for people and scripts.

import Foundation

extension JSONEncoder {
  /// Indented, keys sorted, so that equal values give equal bytes; dates as ISO 8601.
  package static var readable: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
