// Entry points about contexts: the primary one of a device, created ones, and which is current on
// the calling thread. The primary context keeps its handle over deactivation, as on hardware.
//
// Look next at state.cpp for what ending a context takes with it.
#include "emulator/driver/graphs.hpp"

using namespace tilewright::emulator::driver;

namespace {

constexpr unsigned known_context_flags = CU_CTX_FLAGS_MASK;

/// Activates the primary context if need be. The caller holds primary_mutex.
std::shared_ptr<Context> activate_primary(Device& device) {
  if (auto context = State::get().contexts.find(device.primary)) return context;
  return create_context(device.primary, device, device.primary_flags, true);
}

void deactivate_primary(Device& device) {
  device.primary_users = 0;
  if (auto context = State::get().contexts.find(device.primary)) destroy_context(context);
}

CUcontext make_current(Device& device, unsigned flags) {
  device.memory();
  const auto handle = make_handle<CUcontext>();
  create_context(handle, device, flags, false);
  context_stack().push_back(handle);
  return handle;
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return guarded([&] {
    Device& found = device_of(device);
    require(context != nullptr);
    found.memory();
    std::scoped_lock lock(found.primary_mutex);
    activate_primary(found);
    ++found.primary_users;
    *context = found.primary;
  });
}

CUresult CUDAAPI cuDevicePrimaryCtxRelease(CUdevice device) {
  return guarded([&] {
    Device& found = device_of(device);
    std::scoped_lock lock(found.primary_mutex);
    require(found.primary_users != 0, CUDA_ERROR_INVALID_CONTEXT);
    if (--found.primary_users == 0) deactivate_primary(found);
  });
}

CUresult CUDAAPI cuDevicePrimaryCtxReset(CUdevice device) {
  return guarded([&] {
    Device& found = device_of(device);
    std::scoped_lock lock(found.primary_mutex);
    deactivate_primary(found);
  });
}

CUresult CUDAAPI cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned int flags) {
  return guarded([&] {
    Device& found = device_of(device);
    require((flags & ~known_context_flags) == 0);
    std::scoped_lock lock(found.primary_mutex);
    found.primary_flags = flags;
    if (auto context = State::get().contexts.find(found.primary)) context->flags = flags;
  });
}

CUresult CUDAAPI cuDevicePrimaryCtxGetState(CUdevice device, unsigned int* flags, int* active) {
  return guarded([&] {
    Device& found = device_of(device);
    require(flags != nullptr && active != nullptr);
    std::scoped_lock lock(found.primary_mutex);
    *flags = found.primary_flags;
    *active = State::get().contexts.find(found.primary) != nullptr;
  });
}

CUresult CUDAAPI cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
  return guarded([&] {
    Device& found = device_of(device);
    require(context != nullptr && (flags & ~known_context_flags) == 0);
    *context = make_current(found, flags);
  });
}

#if CUDA_VERSION >= 12050
CUresult CUDAAPI cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* parameters,
                                unsigned int flags, CUdevice device) {
  return guarded([&] {
    Device& found = device_of(device);
    require(context != nullptr && (flags & ~known_context_flags) == 0);
    // Affinity to some multiprocessors and graphics queues mean nothing here, so they are refused.
    const bool plain = parameters == nullptr ||
                       (parameters->numExecAffinityParams == 0 && parameters->cigParams == nullptr);
    require(plain, CUDA_ERROR_NOT_SUPPORTED);
    *context = make_current(found, flags);
  });
}
#endif

CUresult CUDAAPI cuCtxDestroy(CUcontext context) {
  return guarded([&] {
    auto found = State::get().contexts.find(context);
    require(found != nullptr && !found->is_primary, CUDA_ERROR_INVALID_CONTEXT);
    destroy_context(found);
    auto& stack = context_stack();
    if (!stack.empty() && stack.back() == context) stack.pop_back();
  });
}

CUresult CUDAAPI cuCtxPushCurrent(CUcontext context) {
  return guarded([&] {
    require(State::get().contexts.find(context) != nullptr, CUDA_ERROR_INVALID_CONTEXT);
    context_stack().push_back(context);
  });
}

CUresult CUDAAPI cuCtxPopCurrent(CUcontext* context) {
  return guarded([&] {
    auto& stack = context_stack();
    require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
    if (context != nullptr) *context = stack.back();
    stack.pop_back();
  });
}

CUresult CUDAAPI cuCtxSetCurrent(CUcontext context) {
  return guarded([&] {
    auto& stack = context_stack();
    if (context == nullptr) {
      if (!stack.empty()) stack.pop_back();
      return;
    }
    require(State::get().contexts.find(context) != nullptr, CUDA_ERROR_INVALID_CONTEXT);
    if (stack.empty()) stack.push_back(context);
    stack.back() = context;
  });
}

CUresult CUDAAPI cuCtxGetCurrent(CUcontext* context) {
  return guarded([&] {
    require(context != nullptr);
    *context = context_stack().empty() ? nullptr : context_stack().back();
  });
}

CUresult CUDAAPI cuCtxGetDevice(CUdevice* device) {
  return guarded([&] {
    require(device != nullptr);
    *device = current_context_even_failed()->device->ordinal;
  });
}

CUresult CUDAAPI cuCtxGetFlags(unsigned int* flags) {
  return guarded([&] {
    require(flags != nullptr);
    *flags = current_context_even_failed()->flags;
  });
}

CUresult CUDAAPI cuCtxGetId(CUcontext context, unsigned long long* id) {
  return guarded([&] {
    auto found = context_of(context);
    require(id != nullptr);
    *id = found->id;
  });
}

CUresult CUDAAPI cuCtxGetApiVersion(CUcontext context, unsigned int* version) {
  return guarded([&] {
    context_of(context);
    require(version != nullptr);
    *version = 3020;  // the version of the context interface itself, not of CUDA
  });
}

CUresult CUDAAPI cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return guarded([&] {
    current_context_even_failed();
    if (least != nullptr) *least = 0;
    if (greatest != nullptr) *greatest = -5;
  });
}

CUresult CUDAAPI cuCtxSetCacheConfig(CUfunc_cache) {
  return guarded([] { current_context(); });
}

CUresult CUDAAPI cuCtxSynchronize() {
  return guarded([] {
    current_context();
    forbid_while_capturing();
  });
}

}  // extern "C"
