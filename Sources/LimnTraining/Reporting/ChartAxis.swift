// The axes of a chart: the range, where the ticks stand, what they say.

import Foundation

/// How values are laid out along an axis.
public enum ChartScale: Sendable {
  case linear
  /// Logarithmic; values that are not positive leave gaps.
  case log
}

/// One axis: maps values to 0…1 and names some of them.
struct ChartAxis: Equatable {
  let scale: ChartScale
  let lower: Double
  let upper: Double
  let ticks: [Double]

  /// An axis whose ends are ticks, for the quantity that is measured.
  static func rounded(over values: [Double], scale: ChartScale) -> ChartAxis {
    guard let low = values.min(), let high = values.max() else { return linear(0, 1, about: 5) }
    switch scale {
    case .linear: return low < high ? linear(low, high, about: 5) : aroundConstant(low)
    case .log: return logarithmic(low, high)
    }
  }

  /// An axis that ends where the values end, for the steps.
  static func tight(over values: [Double]) -> ChartAxis {
    guard let low = values.min(), let high = values.max() else { return linear(0, 1, about: 5) }
    guard low < high else { return aroundConstant(low) }
    let ticks = linear(low, high, about: 6).ticks.filter { $0 >= low && $0 <= high }
    return ChartAxis(scale: .linear, lower: low, upper: high, ticks: ticks)
  }

  /// Whether the axis can show `value`.
  func holds(_ value: Double) -> Bool {
    value.isFinite && (scale == .linear || value > 0)
  }

  /// Where `value` stands between the lower end (0) and the upper end (1).
  func position(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - lower) / (upper - lower)
    case .log: Foundation.log(value / lower) / Foundation.log(upper / lower)
    }
  }

  /// The tick's text, with the digits that its neighbours require: `0.25`, `20k`, `1e-05`.
  func label(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    let magnitude = abs(tick)
    let text = magnitude >= 10_000 && magnitude < 1e6 ? "\(short(tick / 1000))k" : short(tick)
    return text.replacingOccurrences(of: "-", with: "−")
  }

  private func short(_ value: Double) -> String {
    String(format: "%.4g", value)
  }

  private static func linear(_ low: Double, _ high: Double, about count: Double) -> ChartAxis {
    let step = niceStep((high - low) / count)
    let first = (low / step).rounded(.down)
    let last = (high / step).rounded(.up)
    let ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    return ChartAxis(scale: .linear, lower: first * step, upper: last * step, ticks: ticks)
  }

  private static func aroundConstant(_ value: Double) -> ChartAxis {
    let margin = value == 0 ? 1 : abs(value) / 2
    return linear(value - margin, value + margin, about: 4)
  }

  /// The one of 1, 2, 5 times a power of ten that is about `raw`.
  private static func niceStep(_ raw: Double) -> Double {
    let power = pow(10, Foundation.log10(raw).rounded(.down))
    switch raw / power {
    case ..<1.5: return power
    case ..<3.5: return 2 * power
    case ..<7.5: return 5 * power
    default: return 10 * power
    }
  }

  private static func logarithmic(_ low: Double, _ high: Double) -> ChartAxis {
    let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let ladder = exponents.flatMap { exponent in [1.0, 2, 5].map { $0 * pow(10, Double(exponent)) } }
    let lower = ladder.last { $0 <= low } ?? low
    let upper = ladder.first { $0 >= high && $0 > lower } ?? high
    return ChartAxis(scale: .log, lower: lower, upper: upper, ticks: logTicks(ladder, lower, upper))
  }

  /// Every rung of the ladder on a short axis, only powers of ten on a long one.
  private static func logTicks(_ ladder: [Double], _ lower: Double, _ upper: Double) -> [Double] {
    let inside = ladder.filter { $0 >= lower && $0 <= upper }
    guard inside.count > 6 else { return inside }
    let powers = inside.filter { log10($0).rounded() == log10($0) }
    let every = (powers.count + 5) / 6
    return powers.enumerated().filter { $0.offset.isMultiple(of: every) }.map(\.element)
  }
}
