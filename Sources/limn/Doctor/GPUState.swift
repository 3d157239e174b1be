// From what is known about GPU, driver and libtorch to what a user should hear about them.

struct GPUState {
  /// NVIDIA's kernel driver, nil where none is loaded.
  var driver: String?
  var models: [String] = []
  /// Whether `libtorch_cuda.so` lies beside the libtorch in use.
  var libtorchHasCUDA = false
  /// GPUs that libtorch can use.
  var usable = 0
  /// Why libtorch can use none.
  var reason: String?

  private static let install =
    "To use it: pip install torch==2.11.0 (it brings the CUDA libraries), then make deps and make build."

  var findings: [Finding] {
    guard let driver else {
      return [
        finding(
          "none: no NVIDIA driver is loaded", .note,
          "Everything works on the CPU. With an NVIDIA GPU, install its driver, 580 or later.")
      ]
    }
    return [Finding(section: "GPU", name: "driver", value: "NVIDIA \(driver)"), device]
  }

  private var device: Finding {
    let models = models.isEmpty ? "GPU" : models.joined(separator: ", ")
    if usable > 0 { return finding("\(usable) usable: \(models)", .ok, nil) }
    if !libtorchHasCUDA {
      return finding("\(models), not usable: this libtorch is a CPU build", .missing, Self.install)
    }
    let because = reason.map { ": \($0)" } ?? ""
    return finding("\(models), not usable\(because)", .missing, Self.install)
  }

  private func finding(_ value: String, _ state: Finding.State, _ advice: String?) -> Finding {
    Finding(section: "GPU", name: "device", value: value, state: state, advice: advice)
  }
}
