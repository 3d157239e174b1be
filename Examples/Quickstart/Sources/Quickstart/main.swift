// Limn as a library: multiply two tensors and differentiate.

import LimnTorch

let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
let b = Tensor.eye(2) * 2
print(matmul(a, b).array(of: Float.self))
