// The measures of a label evaluation: their names, what is better, and how each is taken.

/// One measure of a label map; the raw value is its name.
public enum LabelMeasure: String, Codable, Sendable, CaseIterable {
  case dice
  case iou
  case sensitivity
  case specificity
  case precision
  case accuracy
  case hd95DeepMind = "hd95_deepmind"
  case hd95MedPy = "hd95_medpy"
  case assdDeepMind = "assd_deepmind"
  case nsd
  case seg
  case segTouching = "seg_touching"
  case ap50
  case mapDSB2018 = "map_dsb2018"
  case vRand = "vrand_fg"
  case vInfo = "vinfo_fg"

  /// What is measured of classes.
  public static let ofClasses: [LabelMeasure] = [
    .dice, .iou, .sensitivity, .specificity, .precision, .accuracy, .hd95DeepMind, .hd95MedPy, .assdDeepMind,
    .nsd,
  ]
  /// What is measured of objects.
  public static let ofObjects: [LabelMeasure] = [.seg, .segTouching, .ap50, .mapDSB2018, .vRand, .vInfo]

  /// Where better values lie.
  public var direction: MetricDirection {
    switch self {
    case .hd95DeepMind, .hd95MedPy, .assdDeepMind: .lowerIsBetter
    default: .higherIsBetter
    }
  }

  /// One sentence that another person could repeat the measurement from.
  func sentence(_ setting: LabelEvaluation.Setting) -> String {
    let empty = "both empty: \(setting.emptyRule.rawValue)"
    return switch self {
    case .dice: "2 TP / (2 TP + FP + FN) of pixels; \(empty)"
    case .iou: "TP / (TP + FP + FN) of pixels; \(empty)"
    case .sensitivity: "TP / (TP + FN) of pixels; undefined without the class"
    case .specificity: "TN / (TN + FP) of pixels inside the mask where there is one"
    case .precision: "TP / (TP + FP) of pixels; undefined where nothing was found"
    case .accuracy: "(TP + TN) / all pixels inside the mask where there is one"
    case .hd95DeepMind:
      "greater of the two directed 95th percentiles of surface distances weighted by surface elements, "
        + "spacing applied"
    case .hd95MedPy: "95th percentile of both directions' border distances pooled, spacing applied"
    case .assdDeepMind: "mean distance over both surfaces weighted by surface elements, spacing applied"
    case .nsd: "share of both surfaces within \(setting.tolerance) of the other, spacing applied; \(empty)"
    case .seg: "mean over true objects of the IoU with the object that covers more than half of each, else 0"
    case .segTouching: "seg over the true objects that touch another, diagonals included; undefined without"
    case .ap50: "TP / (TP + FP + FN) of objects matched at IoU above 0.5; \(empty)"
    case .mapDSB2018: "the same, mean over IoU above 0.5, 0.55, ... 0.95; \(empty)"
    case .vRand: "V^Rand, alpha 0.5, over the truth's objects; unlabelled predicted pixels count singly"
    case .vInfo: "V^Info, alpha 0.5, over the truth's objects; unlabelled predicted pixels count singly"
    }
  }
}
