// Modules and functions over the driver's calls.
// CUDA loads code lazily by default, which could put a load into the first launch; a function is
// therefore loaded when it is looked up, where the driver has a call for it.
#include "runtime/module.hpp"
#include "runtime/errors.hpp"

#include <array>
#include <tilewright/error.hpp>
#include <utility>

namespace tilewright::runtime {

struct Module::State {
  Device device;
  CUmodule handle = nullptr;

  explicit State(const Device& owner) : device(owner) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (!handle) return;
    try {
      ContextScope scope(device);
      device.driver().module_unload(handle);
    } catch (const Error&) {
      // A destroyed context has already unloaded it.
    }
  }
};

struct Function::State {
  std::shared_ptr<const Module::State> module;
  CUfunction handle = nullptr;
  std::string name;
};

Module Module::load(const Device& device, const CompiledImage& image) {
  const Driver& api = device.driver();
  auto state = std::make_shared<State>(device);
  ContextScope scope(device);

  std::array<char, 8192> log{};
  std::array<CUjit_option, 2> names{CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  std::array<void*, 2> values{log.data(), reinterpret_cast<void*>(log.size() - 1)};
  // PTX has to end in a zero byte; std::string guarantees one behind its bytes.
  const CUresult result =
      api.module_load_data(&state->handle, image.bytes.c_str(), static_cast<unsigned>(names.size()),
                           names.data(), values.data());
  if (result == CUDA_ERROR_NO_BINARY_FOR_GPU || result == CUDA_ERROR_INVALID_IMAGE ||
      result == CUDA_ERROR_UNSUPPORTED_PTX_VERSION)
    throw Error(errors::runtime["image-unsupported"],
                "the image cannot run on " + device.name() + ": " + api.describe(result) +
                    (log[0] ? std::string("\n") + log.data() : std::string()),
                {"architecture", image.architecture + " " + runtime::name(image.kind),
                 device.architecture() + (device.is_emulator() ? " ptx" : ""), ""});
  if (result != CUDA_SUCCESS)
    throw Error(errors::runtime["module-not-loaded"],
                "loading a module on " + device.name() + ": " + api.describe(result) +
                    (log[0] ? std::string("\n") + log.data() : std::string()));
  return Module(std::move(state));
}

Function Module::function(const std::string& name) const {
  const Device& device = state_->device;
  const Driver& api = device.driver();
  auto function = std::make_shared<Function::State>();
  function->module = state_;
  function->name = name;
  ContextScope scope(device);
  const CUresult result = api.module_get_function(&function->handle, state_->handle, name.c_str());
  if (result == CUDA_ERROR_NOT_FOUND)
    throw Error(errors::runtime["kernel-not-in-image"], "the module has no such kernel",
                {"kernel", name, "an extern \"C\" __global__ function of the text", ""});
  api.check(result, "cuModuleGetFunction of " + name);
  if (api.function_load) api.check(api.function_load(function->handle), "loading " + name);
  return Function(std::move(function));
}

CUdeviceptr Module::global(const std::string& name, std::size_t* bytes) const {
  const Driver& api = state_->device.driver();
  ContextScope scope(state_->device);
  CUdeviceptr address = 0;
  std::size_t size = 0;
  api.check(api.module_get_global(&address, &size, state_->handle, name.c_str()),
            "cuModuleGetGlobal of " + name);
  if (bytes) *bytes = size;
  return address;
}

const std::string& Function::name() const { return state_->name; }

const Device& Function::device() const { return state_->module->device; }

FunctionProperties Function::properties() const {
  const Driver& api = device().driver();
  ContextScope scope(device());
  const auto attribute = [&](CUfunction_attribute which) {
    int value = 0;
    api.check(api.function_get_attribute(&value, which, state_->handle),
              "cuFuncGetAttribute of " + name());
    return value;
  };
  FunctionProperties properties;
  properties.registers = attribute(CU_FUNC_ATTRIBUTE_NUM_REGS);
  properties.local_bytes = attribute(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
  properties.static_shared = attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
  properties.max_threads = attribute(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  properties.constant_bytes = attribute(CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES);
  return properties;
}

void Function::set_dynamic_shared(unsigned bytes) const {
  const int fixed = properties().static_shared;
  const long allowed = static_cast<long>(device().shared_bytes_per_block()) - fixed;
  if (static_cast<long>(bytes) > allowed)
    throw Error(errors::runtime["shared-memory-per-block"],
                name() + " needs more shared memory than " + device().name() + " has per block",
                {"shared memory", std::to_string(bytes) + " bytes",
                 "up to " + std::to_string(allowed) + " bytes", ""});
  const Driver& api = device().driver();
  ContextScope scope(device());
  api.check(
      api.function_set_attribute(state_->handle, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                 static_cast<int>(bytes)),
      "allowing " + name() + " " + std::to_string(bytes) + " bytes of shared memory");
}

int Function::blocks_per_sm(int threads, unsigned shared) const {
  const Driver& api = device().driver();
  ContextScope scope(device());
  int blocks = 0;
  api.check(api.occupancy(&blocks, state_->handle, threads, shared), "occupancy of " + name());
  return blocks;
}

void Function::launch(Dim3 grid, Dim3 block, unsigned shared, const Stream& stream,
                      void** parameters) const {
  if (!(stream.device() == device()))
    throw Error(errors::runtime["stream-of-another-device"],
                name() + " was compiled for " + device().place() + " and launched elsewhere",
                {"stream", stream.device().place(), device().place(), ""});
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const Driver& api = device().driver();
  ContextScope scope(device());
  const CUresult result =
      api.launch_kernel(state_->handle, grid.x, grid.y, grid.z, block.x, block.y, block.z, shared,
                        stream.handle(), parameters, nullptr);
  if (result == CUDA_SUCCESS) return;
  const auto extents = [](Dim3 d) {
    return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" + std::to_string(d.z);
  };
  api.check(result, "launching " + name() + " with grid " + extents(grid) + ", block " +
                        extents(block) + ", " + std::to_string(shared) + " bytes of shared memory");
}

}  // namespace tilewright::runtime
