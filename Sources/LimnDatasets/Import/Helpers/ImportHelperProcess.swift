// The other end: a process that does nothing but answer an import's requests.

import Foundation
import LimnTorch

/// The main loop of a helper process.
public enum ImportHelperProcess {
  /// Answers requests from standard input on standard output until the input ends.
  ///
  /// - Parameter memory: bytes that the process may take; what asks for more fails in it, not in the import.
  public static func serve(memory: Int) {
    // Ctrl-C goes to the whole group; the import decides when its helpers end.
    signal(SIGINT, SIG_IGN)
    signal(SIGTERM, SIG_DFL)
    limit(memory: memory)
    endWithParent()
    // Helpers are as many as cores; a second thread in each would wait for the first one's neighbour.
    Torch.threadCount = 1
    while let request = try? MessagePipe.receive(ImportRequest.self, from: STDIN_FILENO) {
      guard (try? MessagePipe.send(ImportWork.perform(request), to: reply)) != nil else { return }
    }
  }

  /// Replies go where standard output went; whatever a library prints goes nowhere.
  private static let reply: Int32 = {
    let descriptor = dup(STDOUT_FILENO)
    let nowhere = open("/dev/null", O_WRONLY)
    dup2(nowhere, STDOUT_FILENO)
    return descriptor
  }()

  private static func limit(memory: Int) {
    var limits = rlimit(rlim_cur: rlim_t(memory), rlim_max: rlim_t(memory))
    setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limits)
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
  }

  /// A helper must not outlive an import that was killed, whatever it is busy with.
  private static func endWithParent() {
    Thread.detachNewThread {
      var input = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
      while true {
        if poll(&input, 1, -1) > 0, Int32(input.revents) & POLLHUP != 0 { _exit(0) }
      }
    }
  }
}
