// Limn as a library: two matrices multiplied by libtorch.

import LimnTorch

let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
let b = Tensor.eye(2) * 2
print(matmul(a, b).array(of: Float.self))
