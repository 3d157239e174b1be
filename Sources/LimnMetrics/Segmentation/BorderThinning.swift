// Borders between objects worn down to lines of one pixel, so that their width does not count.

import LimnImaging

enum BorderThinning {
  /// The foreground grown into the background (8-connected borders) as far as the topology allows: simple
  /// pixels nearest to an object go first, so that lines end up in the middle of borders, and loose ends
  /// vanish.
  static func thinned(_ foreground: [Bool], width: Int) -> [Bool] {
    let distances = DistanceTransform.squaredDistances(
      to: foreground, shape: [foreground.count / width, width], spacing: [1, 1])
    guard distances.first?.isFinite == true else { return foreground }
    var image = SimplePointImage(foreground, width: width)
    image.changeSimplePixels(key: zip(foreground, distances).map { $0 ? nil : $1 })
    return image.mask
  }
}
