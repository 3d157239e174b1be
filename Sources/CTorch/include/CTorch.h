// The C door to libtorch. One generic boxed call carries every ATen operator; beside it stand only what
// operators cannot do: tensor lifetime, autograd, modes, generators, threads and devices.
// No C++ exception crosses this border: a function that can fail returns false (or null) and leaves the
// reason in ct_last_error().
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *ct_tensor;
typedef void *ct_generator;
typedef const void *ct_operator;

typedef enum : int32_t {
  CT_NONE,
  CT_TENSOR,
  CT_INT,
  CT_DOUBLE,
  CT_BOOL,
  CT_STRING,
  CT_INTS,
  CT_DOUBLES,
  CT_BOOLS,
  CT_TENSORS,
  CT_OPTIONAL_TENSORS,
  CT_DEVICE,
  CT_GENERATOR,
} ct_kind;

/// An argument or a result of an operator. Which field counts depends on `kind`:
/// integer: CT_INT, CT_BOOL, CT_DEVICE (type in `integer`, index in `count`); real: CT_DOUBLE;
/// pointer: CT_TENSOR (ct_tensor), CT_GENERATOR, CT_STRING, and the lists, which hold `count` elements.
typedef struct {
  ct_kind kind;
  int64_t integer;
  double real;
  const void *pointer;
  int64_t count;
} ct_value;

/// The reason of the last failure on this thread. Valid until the next call that fails.
const char *ct_last_error(void);
const char *ct_version(void);
/// libtorch's own account of how it was built and which CPU capability it uses.
const char *ct_build_configuration(void);

// Operators.

/// Looks up `name` (such as "aten::add") with its overload ("Tensor", or ""). Null when there is none.
ct_operator ct_operator_find(const char *name, const char *overload);
/// Arguments missing at the end take the schema's defaults. Results are written to `results`, at most
/// `capacity` of them; the caller owns result tensors. A CT_TENSORS result is an array to be freed with
/// ct_free after its tensors have been taken.
bool ct_operator_call(ct_operator op, const ct_value *arguments, int32_t count, ct_value *results,
                      int32_t capacity, int32_t *result_count);
void ct_free(const void *memory);

// Tensors.

void ct_tensor_release(ct_tensor tensor);
/// A second handle to the same tensor.
ct_tensor ct_tensor_retain(ct_tensor tensor);
int32_t ct_tensor_dimensions(ct_tensor tensor);
void ct_tensor_shape(ct_tensor tensor, int64_t *shape);
void ct_tensor_strides(ct_tensor tensor, int64_t *strides);
int64_t ct_tensor_count(ct_tensor tensor);
int32_t ct_tensor_dtype(ct_tensor tensor);
void ct_tensor_device(ct_tensor tensor, int32_t *type, int32_t *index);
bool ct_tensor_is_contiguous(ct_tensor tensor);
bool ct_tensor_requires_grad(ct_tensor tensor);
bool ct_tensor_set_requires_grad(ct_tensor tensor, bool value);
/// The first element's address, or null.
void *ct_tensor_data(ct_tensor tensor);
/// Wraps memory without copying it; `release(owner)` is called once the last user is gone.
ct_tensor ct_tensor_from_memory(void *memory, const int64_t *shape, int32_t dimensions, int32_t dtype,
                                void *owner, void (*release)(void *));
/// Makes `tensor` stand for the data of `data` (other device or dtype), keeping its identity.
bool ct_tensor_set_data(ct_tensor tensor, ct_tensor data);
bool ct_tensor_is_same(ct_tensor a, ct_tensor b);

// Autograd.

bool ct_backward(const ct_tensor *outputs, const ct_tensor *gradients, int32_t count, bool retain_graph,
                 bool create_graph);
/// Gradients of `outputs` with respect to `inputs`, into `results` (null where unused and allowed).
bool ct_gradient(const ct_tensor *outputs, const ct_tensor *output_gradients, int32_t output_count,
                 const ct_tensor *inputs, int32_t input_count, bool retain_graph, bool create_graph,
                 bool allow_unused, ct_tensor *results);
/// The accumulated gradient, or null.
ct_tensor ct_tensor_gradient(ct_tensor tensor);
bool ct_tensor_set_gradient(ct_tensor tensor, ct_tensor gradient);
bool ct_gradients_enabled(void);
void ct_set_gradients_enabled(bool enabled);

// Autocast. Entering nests; the weight cache is dropped when the outermost scope ends.

void ct_autocast_enter(int32_t device_type, int32_t dtype, bool *previous_enabled, int32_t *previous_dtype);
void ct_autocast_leave(int32_t device_type, bool previous_enabled, int32_t previous_dtype);

// Generators.

ct_generator ct_generator_create(int32_t device_type, int32_t device_index, uint64_t seed);
/// The generator that operators without a generator argument (such as dropout) draw from.
ct_generator ct_generator_default(int32_t device_type, int32_t device_index);
void ct_generator_release(ct_generator generator);
bool ct_generator_seed(ct_generator generator, uint64_t seed);
ct_tensor ct_generator_state(ct_generator generator);
bool ct_generator_set_state(ct_generator generator, ct_tensor state);

// Threads and devices.

/// Keeps memory that is freed for what is allocated next.
void ct_keep_freed_memory(void);
int32_t ct_thread_count(void);
bool ct_set_thread_count(int32_t count);
void ct_set_deterministic(bool enabled);
void ct_set_flush_denormal(bool enabled);
/// Loads libtorch_cuda if it is there and its libraries are found; false leaves the reason.
bool ct_load_cuda(void);
int32_t ct_cuda_device_count(void);
bool ct_synchronize(int32_t device_type, int32_t device_index);

#ifdef __cplusplus
}
#endif
