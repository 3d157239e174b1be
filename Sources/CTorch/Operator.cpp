// The generic boxed call: Swift's arguments onto libtorch's stack, the operator, its results back.
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <cstdlib>

#include "Guard.h"

using c10::IValue;
using ctorch::guarded;
using ctorch::handle;

namespace {

template <typename T>
c10::List<T> list_of(const ct_value &value) {
  auto *first = static_cast<const T *>(value.pointer);
  c10::List<T> list;
  list.reserve(value.count);
  for (int64_t i = 0; i < value.count; ++i) list.push_back(first[i]);
  return list;
}

c10::List<at::Tensor> tensors_of(const ct_value &value) {
  auto *first = static_cast<const ct_tensor *>(value.pointer);
  c10::List<at::Tensor> list;
  list.reserve(value.count);
  for (int64_t i = 0; i < value.count; ++i) list.push_back(ctorch::tensor(first[i]));
  return list;
}

/// A null handle stands for no tensor.
c10::List<std::optional<at::Tensor>> optional_tensors_of(const ct_value &value) {
  auto *first = static_cast<const ct_tensor *>(value.pointer);
  c10::List<std::optional<at::Tensor>> list;
  list.reserve(value.count);
  for (int64_t i = 0; i < value.count; ++i) {
    list.push_back(first[i] ? std::optional<at::Tensor>(ctorch::tensor(first[i])) : std::nullopt);
  }
  return list;
}

IValue boxed(const ct_value &value) {
  switch (value.kind) {
    case CT_NONE: return IValue();
    case CT_TENSOR: return IValue(ctorch::tensor(const_cast<void *>(value.pointer)));
    case CT_INT: return IValue(value.integer);
    case CT_DOUBLE: return IValue(value.real);
    case CT_BOOL: return IValue(value.integer != 0);
    case CT_STRING: return IValue(std::string(static_cast<const char *>(value.pointer), value.count));
    case CT_INTS: return IValue(list_of<int64_t>(value));
    case CT_DOUBLES: return IValue(list_of<double>(value));
    case CT_BOOLS: return IValue(list_of<bool>(value));
    case CT_TENSORS: return IValue(tensors_of(value));
    case CT_OPTIONAL_TENSORS: return IValue(optional_tensors_of(value));
    case CT_DEVICE:
      return IValue(c10::Device(static_cast<c10::DeviceType>(value.integer),
                                static_cast<c10::DeviceIndex>(value.count)));
    case CT_GENERATOR: return IValue(*static_cast<const at::Generator *>(value.pointer));
  }
  return IValue();
}

ct_value unboxed_tensors(const c10::List<at::Tensor> &list) {
  auto *array = static_cast<ct_tensor *>(std::malloc(sizeof(ct_tensor) * (list.size() + 1)));
  for (size_t i = 0; i < list.size(); ++i) array[i] = handle(list.get(i));
  return {CT_TENSORS, 0, 0, array, static_cast<int64_t>(list.size())};
}

ct_value unboxed(const IValue &value) {
  if (value.isTensor()) {
    if (!value.toTensor().defined()) return {CT_NONE, 0, 0, nullptr, 0};
    return {CT_TENSOR, 0, 0, handle(value.toTensor()), 0};
  }
  if (value.isInt()) return {CT_INT, value.toInt(), 0, nullptr, 0};
  if (value.isDouble()) return {CT_DOUBLE, 0, value.toDouble(), nullptr, 0};
  if (value.isBool()) return {CT_BOOL, value.toBool(), 0, nullptr, 0};
  if (value.isTensorList()) return unboxed_tensors(value.toTensorList());
  TORCH_CHECK(value.isNone(), "a result of type ", value.tagKind(), " cannot be taken to Swift");
  return {CT_NONE, 0, 0, nullptr, 0};
}

void push_defaults(const c10::FunctionSchema &schema, torch::jit::Stack &stack) {
  for (size_t i = stack.size(); i < schema.arguments().size(); ++i) {
    const auto &argument = schema.arguments()[i];
    TORCH_CHECK(argument.default_value().has_value(), "argument '", argument.name(), "' is missing; ", schema);
    stack.push_back(*argument.default_value());
  }
}

}  // namespace

ct_operator ct_operator_find(const char *name, const char *overload) {
  return guarded<ct_operator>(nullptr, [&] {
    return new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
  });
}

bool ct_operator_call(ct_operator op, const ct_value *arguments, int32_t count, ct_value *results,
                      int32_t capacity, int32_t *result_count) {
  return guarded(false, [&] {
    const auto &opened = *static_cast<const c10::OperatorHandle *>(op);
    torch::jit::Stack stack;
    stack.reserve(opened.schema().arguments().size());
    for (int32_t i = 0; i < count; ++i) stack.push_back(boxed(arguments[i]));
    push_defaults(opened.schema(), stack);
    opened.callBoxed(&stack);
    *result_count = static_cast<int32_t>(stack.size());
    TORCH_CHECK(*result_count <= capacity, "too many results: ", *result_count);
    for (int32_t i = 0; i < *result_count; ++i) results[i] = unboxed(stack[i]);
    return true;
  });
}

void ct_free(const void *memory) { std::free(const_cast<void *>(memory)); }
