// Attributes of functions, and the two handles a function may be named by.
//
// Registers are an estimate: the emulator's own slots, not what ptxas would allocate.
// Look next at launch.cpp for where the shared memory limit counts.
#include "emulator/driver/functions.hpp"

#include <algorithm>

namespace tilewright::emulator::driver {

std::shared_ptr<Function> resolve_function(CUfunction handle) {
  State& state = State::get();
  auto function = state.functions.find(handle);
  if (function != nullptr) return function;
  auto kernel = state.kernels.find(reinterpret_cast<CUkernel>(handle));
  require(kernel != nullptr, CUDA_ERROR_INVALID_HANDLE);
  function = state.functions.find(function_of_kernel(*kernel));
  require(function != nullptr, CUDA_ERROR_INVALID_HANDLE);
  return function;
}

int function_attribute(const Function& function, CUfunction_attribute attribute) {
  const Kernel& kernel = *function.kernel;
  const DeviceTraits& device = *function.owner->context->device->traits;
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: return static_cast<int>(kernel.max_threads);
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: return static_cast<int>(kernel.static_shared_bytes);
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: return static_cast<int>(kernel.local_bytes);
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      return static_cast<int>(std::min<std::uint32_t>(kernel.registers, 255));
    case CU_FUNC_ATTRIBUTE_PTX_VERSION: return function.owner->module->target();
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION: return device.arch();
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: return function.dynamic_shared_limit;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT: return function.carveout;
    default: break;
  }
  require(attribute >= 0 && attribute < CU_FUNC_ATTRIBUTE_MAX);
  return 0;
}

void set_function_attribute(Function& function, CUfunction_attribute attribute, int value) {
  const DeviceTraits& device = *function.owner->context->device->traits;
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: {
      const auto allowed = std::int64_t{device.shared_per_block_optin} -
                           std::int64_t{function.kernel->static_shared_bytes};
      require(value >= 0 && value <= allowed);
      function.dynamic_shared_limit = value;
      return;
    }
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      require(value >= -1 && value <= 100);
      function.carveout = value;
      return;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      throw Failure{CUDA_ERROR_NOT_SUPPORTED};
    default: throw Failure{CUDA_ERROR_INVALID_VALUE};
  }
}

}  // namespace tilewright::emulator::driver
