// Autograd: backward, gradients with or without a graph of their own, grad mode, and autocast.
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "Guard.h"

using ctorch::guarded;
using ctorch::handle;
using ctorch::tensor;

static torch::autograd::variable_list variables(const ct_tensor *handles, int32_t count) {
  torch::autograd::variable_list list;
  list.reserve(count);
  for (int32_t i = 0; i < count; ++i) list.push_back(handles[i] ? tensor(handles[i]) : at::Tensor());
  return list;
}

bool ct_backward(const ct_tensor *outputs, const ct_tensor *gradients, int32_t count, bool retain_graph,
                 bool create_graph) {
  return guarded(false, [&] {
    torch::autograd::backward(variables(outputs, count), variables(gradients, count), retain_graph,
                              create_graph);
    return true;
  });
}

bool ct_gradient(const ct_tensor *outputs, const ct_tensor *output_gradients, int32_t output_count,
                 const ct_tensor *inputs, int32_t input_count, bool retain_graph, bool create_graph,
                 bool allow_unused, ct_tensor *results) {
  return guarded(false, [&] {
    auto gradients =
        torch::autograd::grad(variables(outputs, output_count), variables(inputs, input_count),
                              variables(output_gradients, output_count), retain_graph, create_graph,
                              allow_unused);
    for (int32_t i = 0; i < input_count; ++i) {
      results[i] = gradients[i].defined() ? handle(gradients[i]) : nullptr;
    }
    return true;
  });
}

ct_tensor ct_tensor_gradient(ct_tensor t) {
  const auto &gradient = tensor(t).grad();
  return gradient.defined() ? handle(gradient) : nullptr;
}

bool ct_tensor_set_gradient(ct_tensor t, ct_tensor gradient) {
  return guarded(false, [&] {
    tensor(t).mutable_grad() = gradient ? tensor(gradient) : at::Tensor();
    return true;
  });
}

bool ct_gradients_enabled(void) { return c10::GradMode::is_enabled(); }

void ct_set_gradients_enabled(bool enabled) { c10::GradMode::set_enabled(enabled); }

void ct_autocast_enter(int32_t device_type, int32_t dtype, bool *previous_enabled, int32_t *previous_dtype) {
  auto device = static_cast<at::DeviceType>(device_type);
  *previous_enabled = at::autocast::is_autocast_enabled(device);
  *previous_dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(device));
  at::autocast::increment_nesting();
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
  at::autocast::set_autocast_enabled(device, dtype != static_cast<int32_t>(at::kFloat));
}

void ct_autocast_leave(int32_t device_type, bool previous_enabled, int32_t previous_dtype) {
  auto device = static_cast<at::DeviceType>(device_type);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device, previous_enabled);
  at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(previous_dtype));
}
