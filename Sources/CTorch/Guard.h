// What all files of this room share: the error text of the thread, and the guard around every call.
#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <string>

#include "CTorch.h"

namespace ctorch {

void set_error(const std::string &reason);

/// libtorch's reason without its C++ stack trace.
std::string reason_of(const std::exception &error);

/// Runs `body`; an exception becomes `failure` and an error text.
template <typename Result, typename Body>
Result guarded(Result failure, Body body) {
  try {
    return body();
  } catch (const std::exception &error) {
    set_error(reason_of(error));
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return failure;
}

inline at::Tensor &tensor(ct_tensor handle) { return *static_cast<at::Tensor *>(handle); }
inline ct_tensor handle(at::Tensor value) { return new at::Tensor(std::move(value)); }

}  // namespace ctorch
