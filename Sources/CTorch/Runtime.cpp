// Generators, threads and devices. CUDA is looked for at run time, so that one binary serves every machine.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <malloc.h>

#include <climits>

#include "Guard.h"

using ctorch::guarded;
using ctorch::handle;
using ctorch::tensor;

static at::Generator &generator(ct_generator g) { return *static_cast<at::Generator *>(g); }

static at::Device device_of(int32_t type, int32_t index) {
  return at::Device(static_cast<at::DeviceType>(type), static_cast<at::DeviceIndex>(index));
}

ct_generator ct_generator_create(int32_t device_type, int32_t device_index, uint64_t seed) {
  return guarded<ct_generator>(nullptr, [&] {
    auto device = device_of(device_type, device_index);
    auto made = device.is_cpu() ? at::detail::createCPUGenerator(seed)
                                : at::globalContext().defaultGenerator(device).clone();
    made.set_current_seed(seed);
    return new at::Generator(std::move(made));
  });
}

ct_generator ct_generator_default(int32_t device_type, int32_t device_index) {
  return guarded<ct_generator>(nullptr, [&] {
    return new at::Generator(at::globalContext().defaultGenerator(device_of(device_type, device_index)));
  });
}

void ct_generator_release(ct_generator g) { delete static_cast<at::Generator *>(g); }

bool ct_generator_seed(ct_generator g, uint64_t seed) {
  return guarded(false, [&] {
    generator(g).set_current_seed(seed);
    return true;
  });
}

ct_tensor ct_generator_state(ct_generator g) {
  return guarded<ct_tensor>(nullptr, [&] { return handle(generator(g).get_state()); });
}

bool ct_generator_set_state(ct_generator g, ct_tensor state) {
  return guarded(false, [&] {
    generator(g).set_state(tensor(state));
    return true;
  });
}

void ct_keep_freed_memory(void) {
  // Up to 32 MiB, the most that glibc allows, blocks come from the heap, and the heap is not given back.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

int32_t ct_thread_count(void) { return at::get_num_threads(); }

bool ct_set_thread_count(int32_t count) {
  return guarded(false, [&] {
    at::set_num_threads(count);
    return true;
  });
}

void ct_set_deterministic(bool enabled) {
  at::globalContext().setDeterministicAlgorithms(enabled, false);
}

void ct_set_flush_denormal(bool enabled) { at::globalContext().setFlushDenormal(enabled); }

bool ct_load_cuda(void) {
  return guarded(false, [&] {
    TORCH_CHECK(dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr, dlerror());
    TORCH_CHECK(at::hasCUDA(), "libtorch_cuda is loaded but finds no usable NVIDIA driver or GPU");
    return true;
  });
}

int32_t ct_cuda_device_count(void) {
  return guarded(0, [&] {
    return at::hasCUDA() ? static_cast<int32_t>(at::detail::getCUDAHooks().deviceCount()) : 0;
  });
}

bool ct_synchronize(int32_t device_type, int32_t device_index) {
  return guarded(false, [&] {
    auto device = device_of(device_type, device_index);
    if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
    return true;
  });
}
