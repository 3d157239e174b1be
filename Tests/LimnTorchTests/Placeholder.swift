import LimnTorch
import Testing

@Test func smoke() throws {
  let g = Generator(seed: 1)
  let x = Tensor.randn([2, 3, 8, 8], generator: g)
  let conv = Initialization.with(g) { Conv2d(inputChannels: 3, outputChannels: 4, kernelSize: 3, padding: 1) }
  let y = conv(x)
  #expect(y.shape == [2, 4, 8, 8])
  let loss = y.square().mean()
  loss.backward()
  #expect(conv.weight.gradient?.shape == [4, 3, 3, 3])
  let adam = Adam(conv.namedParameters)
  adam.step()
  print(conv.stateDict.keys, x[0, 0..<2, .ellipsis, 3].shape, x[.all, 1].shape)
  #expect(throws: TorchError.self) { try Torch.call("aten::matmul", .tensor(x), .tensor(y)) }
  do { _ = try Torch.call("aten::matmul", .tensor(x), .tensor(y)) } catch { print(error) }
  print(adam.state.keys)
}
