// The methods of this room.

/// Methods that translate images.
public enum TranslationMethods {
  /// Every method of this room; a new one is added here.
  public static var all: [any TranslationMethod.Type] {
    [
      Pix2Pix.self, CycleGAN.self, RegGAN.self, UNIT.self, MUNIT.self, NICEGAN.self,
    ]
  }
}
