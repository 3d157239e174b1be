// A figure that JSON can hold even where it is infinite or undefined.

/// A measured number; JSON has null for NaN and the text `inf` for infinity.
public struct MeasuredValue: Codable, Sendable, Equatable {
  public let value: Double

  public init(_ value: Double) { self.value = value }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      value = .nan
    } else if let number = try? container.decode(Double.self) {
      value = number
    } else {
      let text = try container.decode(String.self)
      guard text == "inf" else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a number, null or \"inf\" was expected, not \"\(text)\"")
      }
      value = .infinity
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if value.isFinite {
      try container.encode(value)
    } else if value.isNaN {
      try container.encodeNil()
    } else {
      try container.encode("inf")
    }
  }

  /// Two undefined values are equal.
  public static func == (a: MeasuredValue, b: MeasuredValue) -> Bool {
    a.value == b.value || (a.value.isNaN && b.value.isNaN)
  }
}
