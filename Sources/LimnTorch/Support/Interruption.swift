// Ctrl-C and a cluster's SIGTERM: the first asks long work to come to a good end, the second ends at once.

import Foundation
import Synchronization

private let requested = Atomic<Bool>(false)

/// Whether someone has asked the process to stop.
public enum Interruption {
  /// Whether someone has asked the program to stop.
  public static var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// Catches SIGINT and SIGTERM from now on.
  public static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Forgets a request, for tests.
  public static func clear() { requested.store(false, ordering: .relaxed) }
}
