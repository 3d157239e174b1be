// The values of label maps as classes one after another, as measures count them.

import LimnDatasets
import LimnMetrics
import LimnTorch

/// Values of label maps as classes 1, 2, ….
struct ClassNumbers: Sendable {
  /// By class, the background first.
  let names: [String]
  private let numbers: [Int: Int]

  init(_ classes: [(value: Int, name: String)]) {
    names = ["background"] + classes.map(\.name)
    numbers = Dictionary(
      classes.enumerated().map { ($0.element.value, $0.offset + 1) }, uniquingKeysWith: { a, _ in a })
  }

  /// - Throws: `MetricError` for a value that is no class.
  func numbered(_ labels: Tensor) throws -> Tensor {
    let present = labels.distinctValues
    if let odd = present.first(where: { $0 != 0 && numbers[$0] == nil }) {
      let known = numbers.keys.sorted().map(String.init).joined(separator: ", ")
      throw MetricError(
        "label \(odd) is none of the classes (\(known)); name it by --classes, or leave its pixels out by "
          + "--ignore \(odd)")
    }
    var table = [Int32](repeating: 0, count: (present.max() ?? 0) + 1)
    for (value, number) in numbers where value < table.count { table[value] = Int32(number) }
    return Tensor(table).indexSelect(dim: 0, labels.flattened().to(.int64)).reshaped(labels.shape)
  }
}
