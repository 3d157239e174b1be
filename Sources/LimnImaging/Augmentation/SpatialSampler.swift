// Moves the layers of a batch: pixels taken as they are where a map takes pixels to pixels, one interpolation
// everywhere else.

import LimnTorch

/// What lies beyond the border of an image that is moved.
public enum AugmentationBorder: String, Sendable, Codable, CaseIterable {
  /// The image, mirrored without repeating the edge.
  case reflect
  /// Each layer's `outside`; linear between it and the outermost pixels.
  case constant
}

/// The places that a batch's images are sampled at, found once for all layers.
struct SpatialSampler {
  private enum Places {
    case pixels(PixelMap)
    /// [n, H′, W′, 2] in libtorch's units with aligned corners.
    case grid(Tensor)
  }

  private let groups: [(rows: [Int], places: Places)]
  private let border: AugmentationBorder
  private let interpolation: Interpolation
  private let isIdentity: Bool

  /// - Parameters:
  ///   - plans: one for each image, all with results of one size.
  ///   - border: what lies beyond the images.
  ///   - interpolation: of images and maps.
  ///   - device: where the images are.
  ///   - precision: of the places.
  init(
    _ plans: [SpatialPlan], border: AugmentationBorder, interpolation: Interpolation, device: Device,
    precision: DType
  ) {
    (self.border, self.interpolation) = (border, interpolation)
    let keys = plans.map(\.key)
    let groups = Dictionary(grouping: plans.indices) { keys[$0] }.sorted { $0.value[0] < $1.value[0] }
    self.groups = groups.map { key, rows in
      let places = key.pixels.map { Places.pixels($0) }
      return (rows, places ?? .grid(Self.grid(rows.map { plans[$0] }, device, precision)))
    }
    isIdentity = groups.count == 1 && groups[0].key.pixels?.isIdentity(on: plans[0].source) == true
  }

  /// The layer at those places.
  func callAsFunction(_ layer: AlignedLayer) -> AlignedLayer {
    guard !isIdentity else { return layer }
    let hasChannels = layer.values.rank == 4
    let values = hasChannels ? layer.values : layer.values.unsqueezed(1)
    let parts = groups.map { rows, places in
      let part = groups.count == 1 ? values : values.indexSelect(dim: 0, index(rows, values.device))
      return switch places {
      case .pixels(let map): taken(map, from: part, outside: layer.outside)
      case .grid(let grid): interpolated(part, at: grid, layer)
      }
    }
    let moved = inOrder(parts)
    return layer.with(hasChannels ? moved : moved.squeezed(1))
  }

  private func inOrder(_ parts: [Tensor]) -> Tensor {
    guard parts.count > 1 else { return parts[0] }
    let order = groups.flatMap(\.rows).enumerated().sorted { $0.element < $1.element }.map(\.offset)
    let joined = Tensor.cat(parts)
    return joined.indexSelect(dim: 0, index(order, joined.device))
  }

  private func interpolated(_ x: Tensor, at grid: Tensor, _ layer: AlignedLayer) -> Tensor {
    let type = x.dtype
    // float32 holds whole numbers up to 2²⁴ only, and places less precisely than the nearest pixel takes.
    let isPrecise = interpolation == .nearest || [.float64, .int32, .int64].contains(type)
    let precision: DType = isPrecise ? .float64 : .float32
    let mode: InterpolationMode = layer.kind == .labels || interpolation == .nearest ? .nearest : .bilinear
    func sampled(_ x: Tensor, _ padding: GridPadding) -> Tensor {
      gridSample(x, grid.to(precision), mode: mode, padding: padding, alignCorners: true)
    }
    let values = x.to(precision)
    switch border {
    case .reflect: return sampled(values, .reflection).to(type)
    case .constant: return (sampled(values - layer.outside, .zeros) + layer.outside).to(type)
    }
  }

  private func taken(_ map: PixelMap, from x: Tensor, outside: Double) -> Tensor {
    // libtorch indexes few uint16 tensors on a GPU.
    let source = x.dtype == .uint16 ? x.to(.int32) : x
    let rows = taken(map.rows, dim: 2, from: source, outside)
    let part = taken(map.columns, dim: 3, from: rows, outside)
    return (map.isTransposed ? part.transposed(2, 3) : part).to(x.dtype).contiguous()
  }

  private func taken(_ line: PixelMap.Line, dim: Int, from x: Tensor, _ outside: Double) -> Tensor {
    let extent = x.shape[dim]
    if line.isInside(extent) {
      let part = x.narrowed(dim: dim, start: line.lowest, length: line.count)
      return line.step == 1 ? part : part.flipped([dim])
    }
    let inside = line.places.map { MirroredAxis.place($0, of: extent) }
    let part = x.indexSelect(dim: dim, index(inside, x.device))
    guard border == .constant else { return part }
    let beyond = Tensor(line.places.map { !(0..<extent).contains($0) }).to(x.device)
    return part.filled(where: beyond.reshaped(dim == 2 ? [1, 1, -1, 1] : [1, 1, 1, -1]), with: outside)
  }
}

extension SpatialSampler {
  /// The places of images whose plans have one key.
  private static func grid(_ plans: [SpatialPlan], _ device: Device, _ precision: DType) -> Tensor {
    let (plan, count) = (plans[0], plans[0].deformations.count)
    var places = Places2D(of: plan.result, device, precision)
    for index in (0...count).reversed() {
      places.move(
        plans.map { $0.maps[index] }, from: plan.canvas(after: index), to: plan.canvas(before: index))
      if index > 0 { places.displace(plans.map { $0.deformations[index - 1] }) }
    }
    return places.grid
  }
}

/// Coordinates in libtorch's units of a canvas, −1 and 1 at the centres of its outermost pixels.
private struct Places2D {
  private var x: Tensor  // [n or 1, H′ or 1, W′]
  private var y: Tensor  // [n or 1, H′, W′ or 1]
  private var areUntouched = true
  private let device: Device
  private let precision: DType

  init(of canvas: Canvas, _ device: Device, _ precision: DType) {
    (self.device, self.precision) = (device, precision)
    func axis(_ count: Int) -> Tensor {
      count == 1
        ? Tensor.zeros([1], dtype: precision, device: device)
        : Tensor.linspace(-1, 1, count: count, dtype: precision, device: device)
    }
    (x, y) = (axis(canvas.width).reshaped([1, 1, -1]), axis(canvas.height).reshaped([1, -1, 1]))
  }

  var grid: Tensor {
    let places = x + y.zerosLike()
    return Tensor.stack([places, y + x.zerosLike()], dim: -1)
  }

  /// One affine map for each image.
  mutating func move(_ maps: [PlaneMap], from result: Canvas, to source: Canvas) {
    guard result != source || maps.contains(where: { $0 != .identity }) else { return }
    areUntouched = false
    let numbers = maps.map { $0.normalized(from: result, to: source) }
    func column(_ place: Int) -> Tensor {
      Tensor(numbers.map { $0[place] }, shape: [maps.count, 1, 1]).to(precision).to(device)
    }
    (x, y) = (column(0) * x + column(1) * y + column(2), column(3) * x + column(4) * y + column(5))
  }

  /// One deformation for each image.
  mutating func displace(_ deformations: [SpatialPlan.Deformation]) {
    let field = DeformationField.fields(deformations, on: device).to(precision)
    let moved =
      areUntouched ? field : gridSample(field, grid, mode: .bilinear, padding: .border, alignCorners: true)
    areUntouched = false
    let unit = deformations[0].canvas.unit
    x = x + moved[.all, 0] / unit.x
    y = y + moved[.all, 1] / unit.y
  }
}

private func index(_ rows: [Int], _ device: Device) -> Tensor { Tensor(rows).to(device) }
