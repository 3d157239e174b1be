// The methods of this room.

import LimnTraining

/// Methods that draw images from noise.
public enum SynthesisMethods {
  /// Every method of this room; a new one is added here.
  public static var all: [any GenerativeMethod.Type] { [PGGAN.self, SkrGAN.self] }
}
