// `limn doctor`: the small texts it reads, what it says of a GPU, and its two forms of report.

import ArgumentParser
import Foundation
import Testing

@testable import limn

@Suite struct SystemTextTests {
  @Test func distribution() {
    let text = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"
    #expect(SystemTexts.distribution(osRelease: text) == "Debian GNU/Linux 12 (bookworm)")
    #expect(SystemTexts.distribution(osRelease: "ID=debian\n") == nil)
  }

  @Test func memory() throws {
    let text = "MemTotal:       24606576 kB\nMemFree:        20000000 kB\nMemAvailable:   22548680 kB\n"
    let memory = try #require(SystemTexts.memory(meminfo: text))
    #expect(memory.total == 24_606_576 * 1024)
    #expect(memory.available == 22_548_680 * 1024)
    #expect(SystemTexts.memory(meminfo: "MemTotal: many kB\n") == nil)
  }

  @Test(arguments: [
    (
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12.2",
      "550.54.15"
    ),
    (
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (root@host)\n",
      "580.95.05"
    ),
  ])
  func driver(_ text: String, _ expected: String) {
    #expect(SystemTexts.nvidiaDriver(version: text) == expected)
  }

  @Test func noDriver() {
    #expect(SystemTexts.nvidiaDriver(version: "") == nil)
    #expect(SystemTexts.nvidiaDriver(version: "GCC version: 12.2\n") == nil)
  }

  @Test func gpuModel() {
    let text = "Model: \t\t NVIDIA H200\nIRQ:   \t\t 120\nGPU UUID: \t GPU-0\nBus Location: \t 0000:1b:00.0\n"
    #expect(SystemTexts.nvidiaModel(information: text) == "NVIDIA H200")
  }

  @Test func loadedLibrary() {
    let maps = """
      7f00-7f10 r--p 00000000 fe:00 1 /home/a b/torch/lib/libtorch_cpu.so
      7f10-7f20 r-xp 00001000 fe:00 2 /usr/lib/libother_libtorch_cpu.so.1
      7f20-7f30 rw-p 00000000 00:00 0
      """
    #expect(
      SystemTexts.loadedLibrary("libtorch_cpu.so", maps: maps) == "/home/a b/torch/lib/libtorch_cpu.so")
    #expect(SystemTexts.loadedLibrary("libother", maps: maps) == "/usr/lib/libother_libtorch_cpu.so.1")
    #expect(SystemTexts.loadedLibrary("libc10.so", maps: maps) == nil)
  }

  @Test(arguments: [(0, "0.0 GiB"), (3 << 29, "1.5 GiB"), (25_196_843_008, "23 GiB")])
  func size(_ bytes: Int, _ expected: String) {
    #expect(SystemTexts.size(bytes) == expected)
  }
}

@Suite struct GPUStateTests {
  @Test func withoutADriverTheCPUIsEnough() throws {
    let finding = try #require(GPUState().findings.first)
    #expect(finding.state == .note)
    #expect(finding.value.contains("no NVIDIA driver"))
  }

  @Test func aCPUBuildIsNamedAsTheReason() throws {
    let state = GPUState(driver: "580.95.05", models: ["NVIDIA H200"])
    let device = try #require(state.findings.last)
    #expect(device.state == .missing)
    #expect(device.value == "NVIDIA H200, not usable: this libtorch is a CPU build")
    #expect(device.advice?.contains("pip install torch") == true)
  }

  @Test func theLoadersReasonIsPassedOn() throws {
    let state = GPUState(
      driver: "580.95.05", models: ["NVIDIA H200"], libtorchHasCUDA: true, reason: "libcudnn.so.9: not found")
    #expect(state.findings.last?.value == "NVIDIA H200, not usable: libcudnn.so.9: not found")
  }

  @Test func usable() {
    let state = GPUState(
      driver: "580.95.05", models: ["NVIDIA H200", "NVIDIA H200"], libtorchHasCUDA: true, usable: 2)
    #expect(state.findings.map(\.state) == [.ok, .ok])
    #expect(state.findings.last?.value == "2 usable: NVIDIA H200, NVIDIA H200")
  }
}

@Suite struct DoctorReportTests {
  static let report = DoctorReport(findings: [
    Finding(section: "Software", name: "limn", value: "0.1.0"),
    Finding(section: "Software", name: "libtorch", value: "2.11.0"),
    Finding(section: "GPU", name: "device", value: "none", state: .missing, advice: "Get one."),
  ])

  @Test func textIsAlignedAndMarksWhatIsMissing() {
    #expect(
      Self.report.text == """
        Software
          limn      0.1.0
          libtorch  2.11.0

        GPU
        ! device    none
                    Get one.
        """)
  }

  @Test func jsonHoldsTheSameFindings() throws {
    let data = Data(try Self.report.json().utf8)
    #expect(try JSONDecoder().decode(DoctorReport.self, from: data) == Self.report)
  }

  @Test func adviceIsWrappedBetweenWords() {
    #expect(DoctorReport.wrapped("one two three", width: 7) == ["one two", "three"])
    #expect(DoctorReport.wrapped("extraordinary", width: 5) == ["extraordinary"])
    #expect(DoctorReport.wrapped("", width: 5).isEmpty)
  }

  @Test func scarceDiskIsNoted() {
    #expect(DoctorProbe.disk(free: 1 << 30, folder: "/tmp").state == .note)
    #expect(DoctorProbe.disk(free: 100 << 30, folder: "/tmp").state == .ok)
  }

  @Test func thisMachineHasAnswers() throws {
    let findings = DoctorProbe().findings()
    let sections = Set(findings.map(\.section))
    #expect(sections.isSuperset(of: ["Software", "Processor", "GPU", "Formats", "Storage"]))
    #expect(findings.allSatisfy { !$0.value.isEmpty })
    let libtorch = try #require(findings.first { $0.name == "libtorch" })
    #expect(libtorch.value.hasSuffix("/libtorch_cpu.so"))
    let gdcm = try #require(findings.first { $0.name == "GDCM" })
    #expect(gdcm.value.hasPrefix("3."))
    #expect(gdcm.value.contains("/libgdcmMSFF.so"))
  }
}

@Suite struct CommandLineTests {
  @Test func doctorTakesItsFlag() throws {
    let command = try #require(try Limn.parseAsRoot(["doctor", "--json"]) as? DoctorCommand)
    #expect(command.json)
  }

  @Test(arguments: [["doctor", "--yaml"], ["doctor", "extra"], ["docter"]])
  func wrongArgumentsAreRefused(_ arguments: [String]) {
    #expect(throws: (any Error).self) { try Limn.parseAsRoot(arguments) }
  }

  @Test func versionIsTheLibrarys() {
    #expect(Limn.configuration.version == "0.1.0")
  }
}
