// The libraries behind the readers and writers, for bug reports.

import CMedical

/// What this room was built on.
public enum ImageLibraries {
  /// The libraries that tell their version, such as GDCM and 3.0.21. (niftiio does not.)
  public static var versions: [(name: String, version: String)] {
    String(cString: CMedVersions()).split(separator: ",").compactMap { entry in
      let words = entry.split(separator: " ").map(String.init)
      return words.count == 2 ? (words[0], words[1]) : nil
    }
  }
}
