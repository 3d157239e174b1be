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
    var caught = sigset_t()
    sigemptyset(&caught)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&caught, number)
      signal(number) { number in
        requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
    // A parent that starts processes from a worker thread hands down a mask that holds them back.
    pthread_sigmask(SIG_UNBLOCK, &caught, nil)
  }

  /// Forgets a request, for tests.
  public static func clear() { requested.store(false, ordering: .relaxed) }
}
