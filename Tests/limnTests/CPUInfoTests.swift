// The reader of /proc/cpuinfo on the texts of four kinds of machine (flags cut to some tens).

import Testing

@testable import limn

@Suite struct CPUInfoTests {
  @Test func intelWithAMX() {
    let cpu = CPUInfo(cpuinfo: Self.sapphireRapids)
    #expect(cpu.model == "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz")
    #expect(cpu.threads == 4)
    #expect(cpu.cores == 2, "hyperthreads share a core")
    #expect(cpu.features == [.avx2, .avx512f, .avx512BFloat16, .avx512Float16, .amxBFloat16, .amxInt8])
    #expect(cpu.advice.contains("AMX"))
  }

  @Test func amdZen4() {
    let cpu = CPUInfo(cpuinfo: Self.zen4)
    #expect(cpu.model == "AMD EPYC 9454 48-Core Processor")
    #expect(cpu.threads == 2)
    #expect(cpu.cores == 2, "the same core id in two sockets is two cores")
    #expect(cpu.features == [.avx2, .avx512f, .avx512BFloat16])
    #expect(cpu.advice.hasPrefix("bfloat16 is fast here"))
  }

  @Test func armNeoverse() {
    let cpu = CPUInfo(cpuinfo: Self.neoverseV1)
    #expect(cpu.model == "Arm Neoverse V1")
    #expect(cpu.threads == 2)
    #expect(cpu.cores == 2)
    #expect(cpu.features == [.neon, .neonFloat16, .neonBFloat16, .sve])
    #expect(cpu.advice.hasPrefix("bfloat16 is fast here"))
  }

  @Test func olderIntelEmulatesBFloat16() {
    let cpu = CPUInfo(cpuinfo: Self.haswell)
    #expect(cpu.features == [.avx2])
    #expect(cpu.advice.contains("float32"))
  }

  @Test(arguments: ["", "\n\n", "nonsense", "processor", ":", "flags : avx2"])
  func textWithoutAProcessor(_ text: String) {
    let cpu = CPUInfo(cpuinfo: text)
    #expect(cpu.model == "unknown")
    #expect(cpu.threads == 0)
    #expect(cpu.features.isEmpty)
  }

  @Test func unknownArmPartIsNamedByItsNumbers() {
    let cpu = CPUInfo(
      cpuinfo: "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\nCPU part : 0xfff\n")
    #expect(cpu.model == "Arm implementer 0x41, part 0xfff")
  }
}

extension CPUInfoTests {
  static let sapphireRapids = (0..<4).map { index in
    """
    processor\t: \(index)
    vendor_id\t: GenuineIntel
    cpu family\t: 6
    model\t\t: 143
    model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
    physical id\t: 0
    siblings\t: 4
    core id\t\t: \(index / 2)
    cpu cores\t: 2
    flags\t\t: fpu vme sse4_2 fma avx f16c avx2 bmi2 avx512f avx512dq avx512bw avx_vnni avx512_bf16 \
    avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8 arch_capabilities
    bugs\t\t: spectre_v1 spectre_v2
    power management:

    """
  }.joined(separator: "\n")

  static let zen4 = (0..<2).map { index in
    """
    processor\t: \(index)
    vendor_id\t: AuthenticAMD
    cpu family\t: 25
    model\t\t: 17
    model name\t: AMD EPYC 9454 48-Core Processor
    physical id\t: \(index)
    core id\t\t: 0
    flags\t\t: fpu vme sse4_2 fma avx f16c avx2 bmi2 avx512f avx512dq avx512_bf16 avx512_vnni
    TLB size\t: 3584 4K pages
    power management: ts ttp tm hwpstate

    """
  }.joined(separator: "\n")

  static let neoverseV1 = (0..<2).map { index in
    """
    processor\t: \(index)
    BogoMIPS\t: 2100.00
    Features\t: fp asimd evtstrm aes atomics fphp asimdhp asimddp sve asimdfhm svei8mm svebf16 i8mm bf16
    CPU implementer\t: 0x41
    CPU architecture: 8
    CPU variant\t: 0x1
    CPU part\t: 0xd40
    CPU revision\t: 1

    """
  }.joined(separator: "\n")

  static let haswell = """
    processor\t: 0
    model name\t: Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz
    physical id\t: 0
    core id\t\t: 0
    flags\t\t: fpu vme sse4_2 fma avx f16c bmi1 avx2 bmi2 erms

    """
}
