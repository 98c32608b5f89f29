// The driver's one state, and the look-ups every entry point starts with: which context is current,
// whose stream this is, whether an address range is live device memory.
//
// Look next at contexts.cpp for the calls that change what is current.
#include "emulator/driver/state.hpp"

#include "emulator/driver/managed.hpp"

namespace tilewright::emulator::driver {

std::uintptr_t next_handle_number() {
  static std::atomic<std::uintptr_t> next{0x10000};
  return next.fetch_add(16);
}

State& State::get() {
  static State* const state = new State;  // on purpose never destroyed
  return *state;
}

State::State() {
  for (int ordinal = 0; ordinal < device_count; ++ordinal) {
    devices[ordinal].ordinal = ordinal;
    devices[ordinal].traits = &device_traits(ordinal);
    devices[ordinal].primary = make_handle<CUcontext>();
  }
}

Memory& Device::memory() {
  std::call_once(reserved_, [this] {
    try {
      storage_ = std::make_unique<Memory>();
    } catch (const std::exception&) {
      throw Failure{CUDA_ERROR_OUT_OF_MEMORY};  // the address space is limited too tightly
    }
    memory_ = storage_.get();
  });
  return *storage_;
}

bool Device::owns(std::uint64_t address) const {
  const Memory* memory = memory_;
  return memory != nullptr && memory->is_device(address);
}

Device& device_of(CUdevice ordinal) {
  require(ordinal >= 0 && ordinal < State::device_count, CUDA_ERROR_INVALID_DEVICE);
  return State::get().devices[ordinal];
}

std::vector<CUcontext>& context_stack() {
  thread_local std::vector<CUcontext> stack;
  return stack;
}

std::shared_ptr<Context> current_context_even_failed() {
  const auto& stack = context_stack();
  require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
  auto context = State::get().contexts.find(stack.back());
  require(context != nullptr, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  return context;
}

std::shared_ptr<Context> current_context() {
  auto context = current_context_even_failed();
  require(context->failure == CUDA_SUCCESS, context->failure);
  return context;
}

std::shared_ptr<Context> context_of(CUcontext handle) {
  if (handle == nullptr) return current_context_even_failed();
  auto context = State::get().contexts.find(handle);
  require(context != nullptr, CUDA_ERROR_INVALID_CONTEXT);
  return context;
}

std::shared_ptr<Context> context_of_stream(CUstream stream) {
  if (stream == nullptr || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD)
    return current_context();
  auto found = State::get().streams.find(stream);
  require(found != nullptr, CUDA_ERROR_INVALID_HANDLE);
  require(found->context->alive, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  require(found->context->failure == CUDA_SUCCESS, found->context->failure);
  return found->context;
}

std::shared_ptr<Context> create_context(CUcontext handle, Device& device, unsigned flags,
                                        bool is_primary) {
  static std::atomic<unsigned long long> next_id{1};
  auto context = std::make_shared<Context>();
  context->handle = handle;
  context->device = &device;
  context->flags = flags;
  context->is_primary = is_primary;
  context->id = next_id.fetch_add(1);
  State::get().contexts.insert(handle, context);
  return context;
}

void destroy_context(const std::shared_ptr<Context>& context) {
  State& state = State::get();
  state.contexts.remove(context->handle);
  context->alive = false;
  auto belongs = [&](const auto& object) { return object.context == context; };
  state.streams.remove_if(belongs);
  state.events.remove_if(belongs);
  state.functions.remove_if([&](const Function& f) { return f.owner->context == context; });
  const auto modules = state.modules.remove_if(belongs);
  for (const auto& library : state.libraries.all()) {
    std::scoped_lock lock(library->mutex);
    library->modules.erase(context->handle);
  }
  std::scoped_lock lock(context->device->execution);
  for (const auto& [address, bytes] : context->allocations) {
    if (sharing_of(address) == Sharing::page_locked) context->device->page_locked -= bytes;
    stop_sharing(address);
    context->device->memory().release(address);
  }
  context->allocations.clear();
}

Device* owner_of(std::uint64_t address) {
  for (Device& device : State::get().devices)
    if (device.owns(address)) return &device;
  return nullptr;
}

Device& device_range(CUdeviceptr address, std::size_t bytes) {
  Device* device = owner_of(address);
  require(device != nullptr && address + bytes >= address);
  require(device->memory().find(address).contains(address, address + bytes));
  return *device;
}

void require_host_range(const void* pointer, std::size_t bytes) {
  const auto first = reinterpret_cast<std::uintptr_t>(pointer);
  require(pointer != nullptr && first + bytes >= first);
  if (owner_of(first) != nullptr) {
    device_range(first, bytes);
    require(sharing_of(first) != Sharing::none);
    return;
  }
  require(bytes == 0 || owner_of(first + bytes - 1) == nullptr);
}

}  // namespace tilewright::emulator::driver
