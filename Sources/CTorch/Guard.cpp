// The error text of the thread, and what libtorch says of itself.
#include "Guard.h"

#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <torch/csrc/api/include/torch/version.h>

namespace ctorch {

static thread_local std::string last_error;

void set_error(const std::string &reason) { last_error = reason; }

std::string reason_of(const std::exception &error) {
  if (auto *torch_error = dynamic_cast<const c10::Error *>(&error)) {
    return torch_error->what_without_backtrace();
  }
  return error.what();
}

}  // namespace ctorch

const char *ct_last_error(void) { return ctorch::last_error.c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

const char *ct_build_configuration(void) {
  static const std::string text = at::show_config() + at::get_cpu_capability();
  return text.c_str();
}

