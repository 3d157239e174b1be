// What fails says what failed: the operator, its arguments' shapes, libtorch's reason, in one line.

import Foundation
import LimnTestSupport
import LimnTorch
import Testing

@Suite struct ErrorTests {
  @Test func aFailingOperatorNamesItselfItsArgumentsAndTheReason() {
    let error = #expect(throws: TorchError.self) {
      try Torch.call("aten::matmul", .tensor(.zeros([2, 3])), .tensor(.zeros([4, 5], dtype: .float64)))
    }
    #expect(error?.operation == "aten::matmul")
    #expect(error?.arguments == "float32[2, 3], float64[4, 5]")
    #expect(error?.reason.contains("2x3 and 4x5") == true)
    #expect(error.map { "\($0)" }?.contains("\n") == false)
  }

  @Test("arguments of every kind are described")
  func arguments() {
    let error = #expect(throws: TorchError.self) {
      try Torch.call(
        "aten::zeros", .ints([2]), .none, .double(1.5), .bool(true), .string("x"), .doubles([1]),
        .bools([true]),
        .tensors([.zeros([1])]), .optionalTensors([nil, .zeros([2])]), .device(.cpu),
        .generator(Generator(seed: 1)))
    }
    #expect(
      error?.arguments
        == "[2], none, 1.5, true, \"x\", [1.0], [true], [float32[1]], [none, float32[2]], cpu, generator")
  }

  @Test func unknownOperatorsAndOverloadsAreNamed() {
    for name in ["aten::no_such_operator", "aten::add.Nothing"] {
      let error = #expect(throws: TorchError.self) { try Torch.call(name) }
      #expect(error?.operation == name && error?.reason.isEmpty == false)
    }
  }

  @Test func aMissingArgumentIsNamed() {
    let error = #expect(throws: TorchError.self) { try Torch.call("aten::add.Tensor", .tensor(.zeros([1]))) }
    #expect(error?.reason.contains("'other' is missing") == true)
  }

  @Test func anArgumentOfTheWrongKindIsAnErrorNotACrash() {
    #expect(throws: TorchError.self) { try Torch.call("aten::relu", .int(3)) }
    #expect(throws: TorchError.self) {
      try Torch.call("aten::sum.dim_IntList", .tensor(.zeros([2])), .string("x"))
    }
    #expect(throws: TorchError.self) { try Torch.call("aten::relu", .tensor(.zeros([1])), .int(1), .int(2)) }
  }

  @Test func anyOperatorCanBeCalled() throws {
    let results = try Torch.call("aten::frexp.Tensor", .tensor(Tensor([Float(8)])))
    #expect(results.map { $0.item() } == [0.5, 4])
  }

  @Test func aFailureThatCannotBeThrownStopsTheProcessWithTheSameLine() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = conv2d(.zeros([1, 3, 8, 8]), .zeros([4, 2, 3, 3]))
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    let line = output.split(separator: "\n").first { $0.contains("aten::conv2d(") } ?? ""
    #expect(line.contains("float32[1, 3, 8, 8], float32[4, 2, 3, 3], none, [1, 1]"), "\(output)")
    #expect(line.contains("expected input[1, 3, 8, 8] to have 2 channels"), "\(output)")
  }

  @Test func aProgramMayAnswerFailuresItself() async {
    await #expect(processExitsWith: .exitCode(3)) {
      Torch.onFailure { error in exit(error.operation == "aten::add.Tensor" ? 3 : 4) }
      _ = Tensor.zeros([2]) + Tensor.zeros([3])
    }
  }

  @Test func backwardOfWhatHasNoGraphStops() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      Tensor.zeros([]).backward()
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("backward(float32[]): ") && output.contains("does not require grad"))
  }

  @Test func interpolationThatDoesNotExistIsNamed() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = interpolate(.zeros([1, 1, 2, 2, 2]), size: [3, 3, 3], mode: .bicubic)
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      output.contains("interpolate(float32[1, 1, 2, 2, 2]): there is no bicubic interpolation of 5 axes"))
  }

  @Test func versionAndThreads() async {
    #expect(Torch.version == "2.11.0")
    #expect(Torch.buildConfiguration.contains("PyTorch built with"))
    #expect(Torch.cudaDeviceCount > 0 || Torch.cudaUnavailableReason != nil)
    await #expect(processExitsWith: .success) {
      Torch.threadCount = 1
      precondition(Torch.threadCount == 1)
      Torch.threadCount = 2
      precondition(Torch.threadCount == 2)
    }
  }
}
