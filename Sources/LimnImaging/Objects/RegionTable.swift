// What is measured of each object: place, area, perimeter, intensities; as a table.

import LimnTorch

/// The objects of an instance map, measured. Names and definitions are scikit-image's `regionprops`.
public struct RegionTable: Sendable, Codable, Equatable {
  /// One object.
  public struct Region: Sendable, Codable, Equatable {
    /// Its value in the instance map, above 0.
    public let label: Int
    /// Pixels.
    public let area: Int
    /// In mm²; nil where the spacing is not known.
    public let areaInSquareMillimetres: Double?
    /// The mean of its pixels' rows, from 0 at the centre of the first.
    public let centroidRow: Double
    /// The mean of its pixels' columns, from 0 at the centre of the first.
    public let centroidColumn: Double
    /// The first of its rows.
    public let top: Int
    /// The first of its columns.
    public let left: Int
    /// The row after its last one.
    public let bottom: Int
    /// The column after its last one.
    public let right: Int
    /// In pixels: the length of the line through its border pixels' centres, estimated from the pattern
    /// around each (Benkrid and Crookes, "Design and FPGA Implementation of a Perimeter Estimator", 2000). It
    /// is made for round objects; a single pixel has 0.
    public let perimeter: Double
    /// Nil without an image.
    public let intensity: Intensity?
  }

  /// The intensities of an object's pixels, in the image's unit.
  public struct Intensity: Sendable, Codable, Equatable {
    /// Their mean.
    public let mean: Double
    /// The least.
    public let minimum: Double
    /// The greatest.
    public let maximum: Double
  }

  /// The objects in the order of labels.
  public let regions: [Region]

  /// Measures every value above 0.
  /// - Parameters:
  ///   - instances: [H, W], integers.
  ///   - image: [H, W], any type, whose intensities are measured.
  ///   - spacing: the distance of pixel centres in millimetres, [row, column].
  public init(of instances: Tensor, image: Tensor? = nil, spacing: [Double]? = nil) {
    precondition(instances.rank == 2, "an instance map is [H, W], shape \(instances.shape) was given")
    precondition(
      image.map { $0.shape == instances.shape } ?? true,
      "an image \(image?.shape ?? []) does not lie under instances \(instances.shape)")
    precondition(spacing.map { $0.count == 2 } ?? true, "spacing is [row, column], not \(spacing ?? [])")
    let labels = instances.to(.int32).array(of: Int32.self)
    var sums = RegionSums(width: instances.shape[1])
    sums.add(labels, intensities: image?.to(.float64).array(of: Double.self))
    sums.addPerimeters(of: labels)
    regions = sums.regions(pixelArea: spacing.map { $0[0] * $0[1] }, hasImage: image != nil)
  }

  /// The columns of ``csv(of:)``.
  public static let columns = [
    "name", "label", "area_px", "area_mm2", "centroid_row", "centroid_column",
    "top", "left", "bottom", "right", "perimeter_px",
    "intensity_mean", "intensity_minimum", "intensity_maximum",
  ]

  /// The objects of several images as CSV (RFC 4180): a line for each, under the names of ``columns``; a cell
  /// is empty where nothing is known.
  public static func csv(of tables: [(name: String, table: RegionTable)]) -> String {
    csvText([columns] + tables.flatMap { name, table in table.regions.map { [name] + $0.cells } })
  }
}

extension RegionTable.Region {
  /// In the order of the columns, from the label on.
  fileprivate var cells: [String] {
    func text(_ number: Double?) -> String { number.map { "\($0)" } ?? "" }
    return [
      "\(label)", "\(area)", text(areaInSquareMillimetres), "\(centroidRow)", "\(centroidColumn)", "\(top)",
      "\(left)", "\(bottom)", "\(right)", "\(perimeter)", text(intensity?.mean), text(intensity?.minimum),
      text(intensity?.maximum),
    ]
  }
}
