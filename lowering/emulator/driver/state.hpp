// What the driver holds: two devices, and the contexts, modules, kernels, streams and events made
// on them. One process-wide `State`, never destroyed, so that calls during exit still find it.
//
// Order of locks: a handle table's own lock is innermost and never held over other work;
// `Device::execution` is held while device memory is allocated, copied or computed on, which makes
// a device one in-order queue and every stream trivially ordered. Look next at contexts.cpp.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "emulator/driver/device_traits.hpp"
#include "emulator/driver/entry.hpp"
#include "emulator/driver/handles.hpp"
#include "emulator/engine.hpp"

namespace tilewright::emulator::driver {

struct Device {
  int ordinal = 0;
  const DeviceTraits* traits = nullptr;
  std::mutex execution;
  std::mutex primary_mutex;
  unsigned primary_users = 0;  ///< retains not yet released
  unsigned primary_flags = 0;
  std::atomic<std::size_t> page_locked{0};  ///< bytes of its range that are host memory
  CUcontext primary = nullptr;  ///< the same handle whenever the primary context is active

  /// The device's memory, reserved when first asked for.
  Memory& memory();
  /// Bytes that count against the device's own memory.
  std::size_t bytes_in_use() { return memory().bytes_in_use() - page_locked; }
  /// Whether `address` lies in this device's range, allocated or not.
  bool owns(std::uint64_t address) const;

 private:
  std::once_flag reserved_;
  std::unique_ptr<Memory> storage_;
  std::atomic<Memory*> memory_{nullptr};
};

/// What cuCtxSetLimit was told, with CUDA's defaults.
struct ContextLimits {
  std::size_t stack = 1024, print_buffer = std::size_t{1} << 20, heap = std::size_t{8} << 20,
              l2_fetch = 64, l2_persisting = 0;
};

struct Context {
  CUcontext handle = nullptr;
  Device* device = nullptr;
  unsigned flags = 0;
  bool is_primary = false;
  unsigned long long id = 0;
  std::atomic<bool> alive{true};
  std::atomic<CUresult> failure{CUDA_SUCCESS};       ///< sticky: what a kernel did
  std::map<std::uint64_t, std::size_t> allocations;  ///< guarded by device->execution
  ContextLimits limits;
};

struct LoadedModule {
  CUmodule handle = nullptr;
  std::shared_ptr<Context> context;
  std::shared_ptr<Module> module;
  std::mutex mutex;
  std::map<std::string, CUfunction> functions;  ///< handed out so far; guarded by mutex
};

struct Function {
  CUfunction handle = nullptr;
  std::shared_ptr<LoadedModule> owner;
  const Kernel* kernel = nullptr;
  std::atomic<int> dynamic_shared_limit{0};
  std::atomic<int> carveout{-1};
};

struct Library {
  CUlibrary handle = nullptr;
  std::string ptx;
  std::mutex mutex;
  std::map<CUcontext, CUmodule> modules;    ///< loaded per context when first used
  std::map<std::string, CUkernel> kernels;  ///< handed out so far
};

struct LibraryKernel {
  CUkernel handle = nullptr;
  std::shared_ptr<Library> library;
  std::string name;
};

struct Stream {
  std::shared_ptr<Context> context;
  unsigned flags = 0;
  int priority = 0;
};

struct Capture;
struct Graph;

struct GraphExec {
  std::shared_ptr<const Graph> graph;
  unsigned long long flags = 0;
};

struct Event {
  std::shared_ptr<Context> context;
  std::shared_ptr<Capture> capture;  ///< last recorded in a stream that took part in it
  std::map<CUstream, std::uint64_t> frontier;
  unsigned flags = 0;
  std::mutex mutex;
  std::optional<std::chrono::steady_clock::time_point> recorded;
};

class State {
 public:
  static State& get();

  static constexpr int device_count = 2;
  Device devices[device_count];
  HandleTable<CUcontext, Context> contexts;
  HandleTable<CUmodule, LoadedModule> modules;
  HandleTable<CUfunction, Function> functions;
  HandleTable<CUlibrary, Library> libraries;
  HandleTable<CUkernel, LibraryKernel> kernels;
  HandleTable<CUstream, Stream> streams;
  HandleTable<CUevent, Event> events;
  HandleTable<CUgraph, Graph> graphs;
  HandleTable<CUgraphExec, GraphExec> execs;

 private:
  State();
};

/// The device of an ordinal; CUDA_ERROR_INVALID_DEVICE.
Device& device_of(CUdevice ordinal);

/// The calling thread's stack of current contexts; its last element is current.
std::vector<CUcontext>& context_stack();

/// The current context; CUDA_ERROR_INVALID_CONTEXT without one, CUDA_ERROR_CONTEXT_IS_DESTROYED.
std::shared_ptr<Context> current_context_even_failed();
/// The same, and a failed context's failure is the call's.
std::shared_ptr<Context> current_context();
/// A context by handle; null means the current one.
std::shared_ptr<Context> context_of(CUcontext handle);

/// The context a stream's work belongs to: the current one for null and the two special handles.
/// CUDA_ERROR_INVALID_HANDLE, or the context's failure.
std::shared_ptr<Context> context_of_stream(CUstream stream);

/// Makes a context alive under `handle`; ends it with everything made in it.
std::shared_ptr<Context> create_context(CUcontext handle, Device& device, unsigned flags,
                                        bool is_primary);
void destroy_context(const std::shared_ptr<Context>& context);

/// The live allocation that holds all of [address, address + bytes), and its device;
/// CUDA_ERROR_INVALID_VALUE.
Device& device_range(CUdeviceptr address, std::size_t bytes);
/// Refuses null and any address in a device's range: host code must not touch those.
void require_host_range(const void* pointer, std::size_t bytes);
/// The device whose range holds `address`, or null.
Device* owner_of(std::uint64_t address);

}  // namespace tilewright::emulator::driver
