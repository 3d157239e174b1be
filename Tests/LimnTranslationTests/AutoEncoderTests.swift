// The networks of UNIT and MUNIT against plain PyTorch with the same weights. Tolerance: 1e-4 of each tensor's largest
// value.

import LimnTestSupport
import LimnTorch
import LimnTranslation
import Testing

let tinyWidths = ContentWidths(width: 2, blocks: 1)

@Suite struct AutoEncoderTests {
  @Test func variationalAutoEncoderMatchesPyTorch() throws {
    let fixture = try StepFixture("unit")
    let (a, b) = (VariationalAutoEncoder.tiny, VariationalAutoEncoder.tiny)
    try a.load(fixture.tensors, prefix: "gen_a.")
    try b.load(fixture.tensors, prefix: "gen_b.")
    let code = a.encode(try fixture["a"])
    try fixture.expectEqual(sampled(code, 512), "code")
    try fixture.expectEqual(sampled(b.decode(code), 512), "translated")
  }

  @Test func styleAutoEncoderMatchesPyTorch() throws {
    let fixture = try StepFixture("munit")
    let (a, b) = (StyleAutoEncoder.tiny, StyleAutoEncoder.tiny)
    try a.load(fixture.tensors, prefix: "gen_a.")
    try b.load(fixture.tensors, prefix: "gen_b.")
    let content = a.content(try fixture["a"])
    try fixture.expectEqual(sampled(content, 512), "content")
    try fixture.expectEqual(a.style(try fixture["a"]), "style")
    try fixture.expectEqual(sampled(b.decode(content, style: try fixture["style_b"]), 512), "translated")
  }

  @Test(arguments: ["unit", "munit"]) func multiscaleDiscriminatorMatchesPyTorch(name: String) throws {
    let fixture = try StepFixture(name)
    let network = MultiscaleDiscriminator(inputChannels: 1, width: 1)
    try network.load(fixture.tensors, prefix: "dis_a.")
    let scores = network(try fixture["a"])
    #expect(scores.map { $0.size(2) } == [4, 2, 1])
    for (scale, scores) in scores.enumerated() { try fixture.expectEqual(scores, "scores.\(scale)") }
  }

  @Test func publishedSizes() {
    #expect(VariationalAutoEncoder(channels: 1).parameterCount == 11_127_937)
    #expect(StyleAutoEncoder(channels: 1).parameterCount == 15_007_369)
    #expect(MultiscaleDiscriminator(inputChannels: 1).parameterCount == 8_265_027)
    #expect(MultiscaleDiscriminator.minimumSize() == 64)
  }
}

extension VariationalAutoEncoder {
  static var tiny: VariationalAutoEncoder { VariationalAutoEncoder(channels: 1, widths: tinyWidths) }
}

extension StyleAutoEncoder {
  static var tiny: StyleAutoEncoder {
    StyleAutoEncoder(channels: 1, widths: tinyWidths, styles: 3, hidden: 5)
  }
}
