// Tensors as Swift sees them: creation, types, memory without copies, layouts, what changes in place.

import LimnTestSupport
import LimnTorch
import Synchronization
import Testing

/// Memory that counts its own end.
private final class Owner {
  static let released = Atomic(0)
  let memory: UnsafeMutablePointer<Float>

  init(_ values: [Float]) {
    memory = .allocate(capacity: values.count)
    memory.initialize(from: values, count: values.count)
  }

  deinit {
    memory.deallocate()
    Self.released.add(1, ordering: .relaxed)
  }
}

@Suite struct TensorTests {
  @Test func creation() {
    #expect(Tensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])[1, 0].item() == 4)
    #expect(Tensor(UInt8(200)).dtype == .uint8 && Tensor(3).dtype == .int64 && Tensor(3).shape == [])
    #expect(Tensor([UInt16(65535)]).to(.int32).array(of: Int32.self) == [65535])
    #expect(Tensor.zeros([2], dtype: .int16).array(of: Int16.self) == [0, 0])
    #expect(Tensor.ones([2]).array(of: Float.self) == [1, 1])
    #expect(Tensor.full([2], 2.5, dtype: .float64).array(of: Double.self) == [2.5, 2.5])
    #expect(Tensor.full([2], 3, dtype: .int64).array(of: Int64.self) == [3, 3])
    #expect(Tensor.arange(3).array(of: Int64.self) == [0, 1, 2])
    #expect(Tensor.arange(1, 2, step: 0.25).array(of: Float.self) == [1, 1.25, 1.5, 1.75])
    #expect(Tensor.linspace(0, 1, count: 3).array(of: Float.self) == [0, 0.5, 1])
    #expect(Tensor.eye(2).array(of: Float.self) == [1, 0, 0, 1])
    #expect(Tensor.empty([0, 4]).count == 0)
    #expect(Tensor([Float](), shape: [0]).array(of: Float.self) == [])
    #expect(Tensor.ones([2], dtype: .bfloat16).zerosLike().dtype == .bfloat16)
  }

  @Test func whatATensorSaysOfItself() {
    let x = Tensor.zeros([2, 3, 4])
    #expect(x.shape == [2, 3, 4] && x.rank == 3 && x.count == 24 && x.strides == [12, 4, 1])
    #expect(x.size(1) == 3 && x.size(-1) == 4 && x.device == .cpu && x.isContiguous)
    #expect(!x.transposed(0, 1).isContiguous)
    #expect(x.summary == "float32[2, 3, 4]")
    #expect("\(Tensor([Float(1), 2]))" == "Tensor(float32[2], [1.0, 2.0])")
    #expect("\(Tensor.zeros([65]))" == "Tensor(float32[65], cpu)")
  }

  @Test("numbers survive each type", arguments: DType.allCases)
  func conversion(dtype: DType) {
    let values = Tensor([Float(0), 1, 1, 0]).to(dtype)
    #expect(values.dtype == dtype && values.withUnsafeBytes { $0.count } == 4 * dtype.size)
    #expect(values.to(.float64).array(of: Double.self) == [0, 1, 1, 0])
  }

  @Test func aTypeAlreadyThereIsNotCopied() {
    let x = Tensor.ones([3])
    #expect(x.to(.float32) === x && x.to(.cpu) === x)
    #expect(x.contiguous().isSame(as: x))
    #expect(!x.cloned().isSame(as: x))
  }

  @Test func swiftMemoryIsWrappedWithoutACopyAndReleasedAfterTheLastUse() {
    let before = Owner.released.load(ordering: .relaxed)
    var view: Tensor?
    do {
      let owner = Owner([1, 2, 3, 4])
      let x = Tensor.wrapping(owner.memory, shape: [2, 2], dtype: .float32, owner: owner)
      #expect(address(x) == Int(bitPattern: owner.memory))
      owner.memory[3] = 40
      #expect(x[1, 1].item() == 40)
      x[0, 0] = Tensor(Float(10))
      #expect(owner.memory[0] == 10)
      view = x[1]
    }
    #expect(Owner.released.load(ordering: .relaxed) == before)
    #expect(view?.array(of: Float.self) == [3, 40])
    view = nil
    #expect(Owner.released.load(ordering: .relaxed) == before + 1)
  }

  @Test func aTensorsMemoryIsLentWithoutACopy() {
    let x = Tensor([Float(1), 2, 3, 4], shape: [2, 2])
    let lent = x.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: Float(9), toByteOffset: 12, as: Float.self)
      return Int(bitPattern: bytes.baseAddress)
    }
    #expect(lent == address(x) && address(x[1]) == lent + 8)
    #expect(x.array(of: Float.self) == [1, 2, 3, 9])
    #expect(x.transposed(0, 1).array(of: Float.self) == [1, 3, 2, 9])
  }

  @Test func viewsShareAndAssignmentWritesThrough() {
    let x = Tensor.zeros([3, 4])
    let row = x[1]
    row.fill(2)
    x[.all, 3] = Tensor([Float(7), 8, 9])
    x[Tensor([Int64(0), 2]), 0] = Tensor(Float(5))
    #expect(x.array(of: Float.self) == [5, 0, 0, 7, 2, 2, 2, 8, 5, 0, 0, 9])
    #expect(row.array(of: Float.self) == [2, 2, 2, 8])
  }

  @Test func changesInPlace() {
    let x = Tensor([Float(1), 2])
    x.add(Tensor([Float(10), 20]), scaledBy: 0.5)
    x.multiply(by: 2)
    #expect(x.array(of: Float.self) == [12, 24])
    x.interpolate(towards: .zeros([2]), weight: 0.25)
    #expect(x.array(of: Float.self) == [9, 18])
    x.copy(from: Tensor([Int64(3), 4]))
    #expect(x.array(of: Float.self) == [3, 4])
  }

  @Test func channelsLastLiesDifferentlyAndReadsTheSame() {
    let x = Tensor.arange(24, dtype: .float32).reshaped([1, 2, 3, 4])
    let last = x.contiguous(.channelsLast)
    #expect(last.strides == [24, 1, 8, 2] && last.isIdentical(to: x))
    #expect(last.array(of: Float.self) == x.array(of: Float.self))
    #expect(x.reshaped([1, 2, 3, 2, 2]).contiguous(.channelsLast3d).strides == [24, 1, 8, 4, 2])
  }

  @Test func nanAndInfinityAreNotFinite() {
    let x = Tensor([Float.nan, .infinity, 1])
    #expect(x.isFinite().array(of: Bool.self) == [false, false, true])
    #expect(x.isFinite().logicalNot().any().item() == 1 && x.isFinite().all().item() == 0)
    let (a, b) = (Tensor([true, true, false]), Tensor([true, false, false]))
    #expect(a.logicalAnd(b).array(of: Bool.self) == [true, false, false])
    #expect(a.logicalOr(b).array(of: Bool.self) == [true, true, false])
  }

  @Test func identityNeedsShapeTypeAndValues() {
    let x = Tensor([Float(1), 2])
    #expect(x.isIdentical(to: x.cloned()))
    #expect(
      !x.isIdentical(to: x.reshaped([1, 2])) && !x.isIdentical(to: x.to(.float64))
        && !x.isIdentical(to: x * 2))
  }

  @Test("device names", arguments: [("cpu", Device.cpu), ("cuda", .cuda(0)), ("cuda:3", .cuda(3))])
  func deviceNames(text: String, device: Device) {
    #expect(Device(text) == device)
    #expect(Device(device.description) == device)
  }

  @Test("what names no device", arguments: ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "cuda:1:2"])
  func notDevices(text: String) { #expect(Device(text) == nil) }
}
