// The library as a whole: its errors, versions, threads, and the devices of this machine.

import CTorch
import Foundation
import Synchronization

/// What libtorch refused, and where.
public struct TorchError: Error, CustomStringConvertible, LocalizedError {
  /// The operator, such as `aten::conv2d`, or the call that failed.
  public let operation: String
  /// The arguments as the caller gave them: shapes, types and values.
  public let arguments: String
  /// libtorch's own words.
  public let reason: String

  public var description: String {
    let text = reason.split(separator: "\n").joined(separator: " ")
    return arguments.isEmpty ? "\(operation): \(text)" : "\(operation)(\(arguments)): \(text)"
  }

  public var errorDescription: String? { description }
}

/// Settings and facts of the libtorch that this process has loaded.
public enum Torch {
  /// libtorch's version, such as `2.11.0`.
  public static var version: String { String(cString: ct_version()) }

  /// How libtorch was built and which CPU instructions it uses.
  public static var buildConfiguration: String { String(cString: ct_build_configuration()) }

  /// Threads that one operator may use.
  public static var threadCount: Int {
    get { Int(ct_thread_count()) }
    set { check(ct_set_thread_count(Int32(newValue)), "set_num_threads", "\(newValue)") }
  }

  /// Keeps memory that tensors leave for the next ones, for the life of the process. Steps that allocate the same
  /// tensors over and over otherwise spend a tenth of their time on the system's clearing of pages.
  public static func keepFreedMemory() { ct_keep_freed_memory() }

  /// Asks libtorch for algorithms that give the same bits run after run.
  public static func useDeterministicAlgorithms(_ enabled: Bool) { ct_set_deterministic(enabled) }

  /// Treats denormal numbers as zero, which keeps convolutions fast when values vanish.
  public static func flushDenormals(_ enabled: Bool) { ct_set_flush_denormal(enabled) }

  /// The number of GPUs that can be used, zero where there are none.
  public static var cudaDeviceCount: Int { cuda.error == nil ? Int(ct_cuda_device_count()) : 0 }

  /// Why no GPU can be used; nil where one can.
  public static var cudaUnavailableReason: String? { cuda.error }

  private static let cuda: (error: String?, Void) =
    ct_load_cuda() ? (nil, ()) : (String(cString: ct_last_error()), ())

  /// Waits until the device has finished what it was given.
  public static func synchronize(_ device: Device) {
    check(ct_synchronize(device.kind.rawValue, Int32(device.index)), "synchronize", device.description)
  }

  /// Called with the error when an operator fails that cannot throw. It must not return.
  ///
  /// The default stops the process as an array index out of range does. A program may print the error in
  /// its own manner and exit.
  public static func onFailure(_ handler: @escaping @Sendable (TorchError) -> Never) {
    failureHandler.withLock { $0 = handler }
  }

  private static let failureHandler = Mutex<@Sendable (TorchError) -> Never>({
    fatalError("libtorch: \($0.description)")
  })

  static func fail(_ error: TorchError) -> Never {
    let handler = failureHandler.withLock { $0 }
    handler(error)
  }

  static func lastError(_ operation: String, _ arguments: String = "") -> TorchError {
    TorchError(operation: operation, arguments: arguments, reason: String(cString: ct_last_error()))
  }

  static func check(_ succeeded: Bool, _ operation: String, _ arguments: @autoclosure () -> String = "") {
    if !succeeded { fail(lastError(operation, arguments())) }
  }
}
