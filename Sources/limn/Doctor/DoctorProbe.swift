// Asks the machine, and hands each answer to the reader that understands it.

import Foundation
import LimnImaging
import LimnTorch

struct DoctorProbe {
  func findings() -> [Finding] {
    software() + processor() + gpu() + formats() + storage()
  }

  private func software() -> [Finding] {
    let system = read("/etc/os-release").flatMap(SystemTexts.distribution(osRelease:)) ?? "unknown"
    var findings = [
      Finding(section: "Software", name: "limn", value: LimnVersion.current),
      Finding(section: "Software", name: "system", value: "\(system), \(Self.kernel())"),
      Finding(section: "Software", name: "swift", value: "\(Self.compiler) (compiled with)"),
      Finding(
        section: "Software", name: "libtorch", value: "\(Torch.version) at \(libtorch ?? "unknown path")"),
    ]
    findings.append(pythonTorch())
    return findings
  }

  private func processor() -> [Finding] {
    let cpu = CPUInfo.current
    let names = cpu.features.map(\.name)
    let features = names.isEmpty ? "none that matter" : names.joined(separator: ", ")
    return [
      Finding(section: "Processor", name: "model", value: cpu.model),
      Finding(
        section: "Processor", name: "threads",
        value: "\(cpu.threads) on \(cpu.cores) cores; libtorch uses \(Torch.threadCount)"),
      Finding(section: "Processor", name: "features", value: features, advice: cpu.advice),
    ]
  }

  private func gpu() -> [Finding] {
    var state = GPUState()
    state.driver = read("/proc/driver/nvidia/version").flatMap(SystemTexts.nvidiaDriver(version:))
    // Loading libtorch's CUDA part takes a second and can tell nothing where there is no driver.
    guard state.driver != nil else { return state.findings }
    let folder = "/proc/driver/nvidia/gpus"
    state.models = entries(folder).compactMap { gpu in
      read("\(folder)/\(gpu)/information").flatMap(SystemTexts.nvidiaModel(information:))
    }
    if let libtorch {
      let cuda = URL(filePath: libtorch).deletingLastPathComponent().appending(path: "libtorch_cuda.so")
      state.libtorchHasCUDA = FileManager.default.fileExists(atPath: cuda.path)
    }
    state.usable = Torch.cudaDeviceCount
    state.reason = Torch.cudaUnavailableReason
    return state.findings
  }

  private func formats() -> [Finding] {
    let kinds = FileKind.allCases.map(\.rawValue).sorted().joined(separator: ", ")
    let files = [
      "GDCM": "libgdcmMSFF.so", "libtiff": "libtiff.so", "libpng": "libpng", "libjpeg": "libjpeg.so",
      "libjpeg-turbo": "libjpeg.so",
    ]
    let libraries = ImageLibraries.versions.map { library in
      let path = files[library.name].flatMap(loaded)
      let place = path.map { " at \($0)" } ?? ""
      return Finding(section: "Formats", name: library.name, value: library.version + place)
    }
    let nifti = Finding(section: "Formats", name: "niftiio", value: loaded("libnifti2.so") ?? "built in")
    return [Finding(section: "Formats", name: "reads", value: kinds)] + libraries + [nifti]
  }

  private func storage() -> [Finding] {
    var findings: [Finding] = []
    if let memory = read("/proc/meminfo").flatMap(SystemTexts.memory(meminfo:)) {
      let value = "\(SystemTexts.size(memory.total)), \(SystemTexts.size(memory.available)) available"
      findings.append(Finding(section: "Storage", name: "memory", value: value))
    }
    let folder = FileManager.default.currentDirectoryPath
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    if let free = attributes?[.systemFreeSize] as? NSNumber {
      findings.append(Self.disk(free: free.intValue, folder: folder))
    }
    return findings
  }

  static func disk(free: Int, folder: String) -> Finding {
    let scarce = free < 5 << 30
    return Finding(
      section: "Storage", name: "disk", value: "\(SystemTexts.size(free)) free in \(folder)",
      state: scarce ? .note : .ok,
      advice: scarce ? "A run keeps several checkpoints; have 5 GiB free, or give --out another disk." : nil)
  }

  private func pythonTorch() -> Finding {
    let program = """
      import importlib.util, os, sys
      spec = importlib.util.find_spec("torch")
      if spec is None or spec.origin is None: sys.exit(1)
      folder = os.path.dirname(spec.origin)
      names = {}
      exec(open(os.path.join(folder, "version.py")).read(), names)
      print(names["__version__"], "at", folder)
      """
    guard let answer = output(of: "python3", ["-c", program]) else {
      return Finding(section: "Software", name: "torch", value: "none in python3 (Limn does not need it)")
    }
    return Finding(section: "Software", name: "torch", value: "\(answer) (python3's)")
  }

  private var libtorch: String? { loaded("libtorch_cpu.so") }

  private func loaded(_ library: String) -> String? {
    read("/proc/self/maps").flatMap { SystemTexts.loadedLibrary(library, maps: $0) }
  }

  /// Swift does not tell its compiler's version at run time, so the compiler leaves it here.
  private static var compiler: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  private static func kernel() -> String {
    var name = utsname()
    uname(&name)
    return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
  }

  /// The text in one of C's fixed arrays of characters.
  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// The text of a file, read to its end: the files of `/proc` come a page at a time, and Foundation's
  /// one-call readers stop after the first.
  private func read(_ path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
    return String(decoding: data, as: UTF8.self)
  }

  private func entries(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// What a program prints, trimmed; nil when it is not there or fails.
  private func output(of program: String, _ arguments: [String]) -> String? {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self).trimmed : nil
  }
}
