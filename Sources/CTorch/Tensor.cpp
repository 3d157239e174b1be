// Tensor lifetime, what a tensor says of itself, and zero-copy wrapping of memory.
#include <ATen/Functions.h>
#include <torch/csrc/autograd/variable.h>

#include "Guard.h"

using ctorch::guarded;
using ctorch::handle;
using ctorch::tensor;

void ct_tensor_release(ct_tensor t) { delete static_cast<at::Tensor *>(t); }

ct_tensor ct_tensor_retain(ct_tensor t) { return handle(tensor(t)); }

int32_t ct_tensor_dimensions(ct_tensor t) { return static_cast<int32_t>(tensor(t).dim()); }

void ct_tensor_shape(ct_tensor t, int64_t *shape) {
  auto sizes = tensor(t).sizes();
  std::copy(sizes.begin(), sizes.end(), shape);
}

void ct_tensor_strides(ct_tensor t, int64_t *strides) {
  auto steps = tensor(t).strides();
  std::copy(steps.begin(), steps.end(), strides);
}

int64_t ct_tensor_count(ct_tensor t) { return tensor(t).numel(); }

int32_t ct_tensor_dtype(ct_tensor t) { return static_cast<int32_t>(tensor(t).scalar_type()); }

void ct_tensor_device(ct_tensor t, int32_t *type, int32_t *index) {
  auto device = tensor(t).device();
  *type = static_cast<int32_t>(device.type());
  *index = device.index();
}

bool ct_tensor_is_contiguous(ct_tensor t) { return tensor(t).is_contiguous(); }

bool ct_tensor_requires_grad(ct_tensor t) { return tensor(t).requires_grad(); }

bool ct_tensor_set_requires_grad(ct_tensor t, bool value) {
  return guarded(false, [&] {
    tensor(t).set_requires_grad(value);
    return true;
  });
}

void *ct_tensor_data(ct_tensor t) {
  return guarded<void *>(nullptr, [&] { return tensor(t).data_ptr(); });
}

ct_tensor ct_tensor_from_memory(void *memory, const int64_t *shape, int32_t dimensions, int32_t dtype,
                                void *owner, void (*release)(void *)) {
  return guarded<ct_tensor>(nullptr, [&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    auto deleter = [owner, release](void *) { release(owner); };
    return handle(at::from_blob(memory, at::IntArrayRef(shape, dimensions), deleter, options));
  });
}

bool ct_tensor_set_data(ct_tensor t, ct_tensor data) {
  return guarded(false, [&] {
    tensor(t).set_data(tensor(data));
    return true;
  });
}

bool ct_tensor_is_same(ct_tensor a, ct_tensor b) { return tensor(a).is_same(tensor(b)); }
