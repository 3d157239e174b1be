// Methods that label pixels.

import LimnTorch
import LimnTraining

/// A method that gives each pixel a class.
public protocol SegmentationMethod: Method {
  /// The classes that it knows, by number; 0 is the background.
  var labels: LabelSetting { get }

  /// The trained network as inference takes it; the method's own weights, in their inference mode.
  var predictor: any TilePredictor { get }
}

/// The methods of this room.
public enum SegmentationMethods {
  /// Every method of this room; a new one is added here.
  public static var all: [any SegmentationMethod.Type] {
    [UNetSegmentation.self, SlidingWindowSegmentation.self, S4GANSegmentation.self]
  }
}
