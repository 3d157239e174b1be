// Names in the order in which people count: slice 2 before slice 10, so that neighbouring sections stay neighbours.

import Foundation

/// The order of file names.
enum NaturalOrder {
  /// Numbers in names compare by their value; what is equal then, by its characters.
  static func precedes(_ a: String, _ b: String) -> Bool {
    let order = a.compare(b, options: [.numeric, .literal])
    return order == .orderedSame ? a < b : order == .orderedAscending
  }
}
