// Limn's own version, in one place.

/// The version of Limn that this code is.
public enum LimnVersion {
  /// Semantic version, as `limn --version` and every checkpoint's record give it.
  public static let current = "0.1.0"
}
