// The methods of this room.

import LimnTraining

/// Methods that draw images from noise.
public enum SynthesisMethods {
  public static var all: [any GenerativeMethod.Type] { [PGGAN.self, SkrGAN.self] }
}
