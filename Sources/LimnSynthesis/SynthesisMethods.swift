// The methods of this room.

import LimnTraining

/// Methods that draw images from noise.
public enum SynthesisMethods {
  public static let all: [any GenerativeMethod.Type] = [PGGAN.self, SkrGAN.self]
}
