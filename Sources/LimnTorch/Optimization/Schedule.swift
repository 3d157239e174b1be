// Learning-rate schedules: a factor for each step, a pure function of the step's number.

import Foundation

/// How the learning rate changes, as a factor of its start.
public indirect enum Schedule: Sendable, Equatable {
  case constant
  /// Multiplied by `factor` every `every` steps.
  case step(every: Int, factor: Double)
  /// 1 until `start`, then in a straight line to 0 at `end` (the pix2pix and CycleGAN rule).
  case linearDecay(start: Int, end: Int)
  /// (1 − step / total) to the `power`.
  case polynomial(total: Int, power: Double)
  /// From 1 to `floor` along half a cosine over `total` steps.
  case cosine(total: Int, floor: Double)
  /// From 0 to 1 in a straight line over `steps`, then `after` (counted from the end of the warm-up).
  case warmUp(steps: Int, after: Schedule)

  /// The factor at a step, counted from zero.
  public func factor(at step: Int) -> Double {
    switch self {
    case .constant: 1
    case .step(let every, let factor): pow(factor, Double(step / every))
    case .linearDecay(let start, let end):
      step < start ? 1 : max(0, 1 - Double(step - start) / Double(max(end - start, 1)))
    case .polynomial(let total, let power): pow(max(0, 1 - Double(step) / Double(total)), power)
    case .cosine(let total, let floor):
      floor + (1 - floor) * (1 + cos(.pi * min(Double(step) / Double(total), 1))) / 2
    case .warmUp(let steps, let after):
      step < steps ? Double(step + 1) / Double(steps) : after.factor(at: step - steps)
    }
  }
}
