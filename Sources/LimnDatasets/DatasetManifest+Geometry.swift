// What all images of a dataset have in common in the patient: their spacing, their plane.

import LimnImaging

extension DatasetManifest {
  /// Between pixel centres, [row, column] in mm; nil where an image does not say, or where they differ by more than
  /// 0.1 %.
  public var commonSpacing: [Double]? {
    let all = items.map { $0.spacing ?? spacing }
    guard let first = all.first ?? nil, first.count == 2, first.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    let isCommon = all.allSatisfy { own in
      own.map { $0.count == 2 && zip($0, first).allSatisfy { abs($0 / $1 - 1) < 1e-3 } } ?? false
    }
    return isCommon ? first : nil
  }

  /// The plane of images that were cut from volumes and lie as `Volume.displayed` shows them; nil where one
  /// does not.
  public var commonPlane: SliceAxis? {
    let planes = items.map { $0.slice == nil ? nil : $0.displayedPlane }
    guard let first = planes.first ?? nil, planes.allSatisfy({ $0 == first }) else { return nil }
    return first
  }
}

extension DatasetItem {
  /// Nil where columns and rows do not run as in any plane's display.
  fileprivate var displayedPlane: SliceAxis? {
    guard let affine, affine.count == 12, affine.allSatisfy(\.isFinite) else { return nil }
    let image = Affine(affine + [0, 0, 0, 1])
    return SliceAxis.allCases.first { $0.isShown(columns: image.column(0), rows: image.column(1)) }
  }
}
