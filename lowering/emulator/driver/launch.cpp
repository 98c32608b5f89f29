// Entry points that launch: every limit is checked before the engine sees the launch, then the
// kernel runs to its end on the caller's thread, and what it did wrong is kept for the next call.
//
// Look next at functions.cpp for a function's own limits, record.cpp for where reports go.
#include <cstring>

#include "emulator/driver/functions.hpp"
#include "emulator/driver/graphs.hpp"
#include "emulator/driver/record.hpp"

namespace tilewright::emulator::driver {
namespace {

/// The parameter block from one pointer per parameter.
void copy_parameters(const Kernel& kernel, void** pointers, std::vector<std::byte>& block) {
  for (std::size_t i = 0; i < kernel.parameters.size(); ++i) {
    const Parameter& parameter = kernel.parameters[i];
    require_host_range(pointers[i], parameter.bytes);
    std::memcpy(block.data() + parameter.offset, pointers[i], parameter.bytes);
  }
}

/// The parameter block from the packed form: a list of (name, value) ended by CU_LAUNCH_PARAM_END.
void copy_packed(const Kernel& kernel, void** extra, std::vector<std::byte>& block) {
  const void* buffer = nullptr;
  const std::size_t* size = nullptr;
  for (std::size_t i = 0; extra[i] != CU_LAUNCH_PARAM_END; i += 2) {
    if (extra[i] == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      buffer = extra[i + 1];
    } else {
      require(extra[i] == CU_LAUNCH_PARAM_BUFFER_SIZE);
      size = static_cast<const std::size_t*>(extra[i + 1]);
    }
  }
  require(buffer != nullptr && size != nullptr);
  std::size_t needed = 0;  // padding behind the last parameter may be left out
  for (const Parameter& parameter : kernel.parameters)
    needed = std::max<std::size_t>(needed, parameter.offset + std::size_t{parameter.bytes});
  require(*size >= needed);
  require_host_range(buffer, needed);
  std::memcpy(block.data(), buffer, needed);
}

void check_shape(const Launch& launch, const Function& function) {
  const Dim3& grid = launch.grid;
  const Dim3& block = launch.block;
  require(grid.x >= 1 && grid.y >= 1 && grid.z >= 1);
  require(grid.x <= 0x7fffffffu && grid.y <= max_grid_yz && grid.z <= max_grid_yz);
  require(block.x >= 1 && block.y >= 1 && block.z >= 1);
  require(block.x <= max_threads_per_block && block.y <= max_threads_per_block &&
          block.z <= max_block_z);
  require(block.count() <= max_threads_per_block);
  require(block.count() <= function.kernel->max_threads);
  require(launch.dynamic_shared_bytes <=
          static_cast<std::uint32_t>(function.dynamic_shared_limit.load()));
  require(
      std::uint64_t{launch.dynamic_shared_bytes} + function.kernel->static_shared_bytes <=
      static_cast<std::uint64_t>(function.owner->context->device->traits->shared_per_block_optin));
}

/// What hardware would say of these faults; CUDA_SUCCESS when only detectors spoke.
CUresult failure_of(const Report& report) {
  for (const Fault& fault : report.faults) {
    switch (fault.kind) {
      case FaultKind::out_of_bounds: return CUDA_ERROR_ILLEGAL_ADDRESS;
      case FaultKind::misaligned: return CUDA_ERROR_MISALIGNED_ADDRESS;
      case FaultKind::assertion: return CUDA_ERROR_ASSERT;
      case FaultKind::trap:
      case FaultKind::deadlock:
      case FaultKind::step_limit: return CUDA_ERROR_LAUNCH_FAILED;
      case FaultKind::data_race:
      case FaultKind::missing_wait:
      case FaultKind::uninitialized_read:
      case FaultKind::divergent_barrier: break;
    }
  }
  return CUDA_SUCCESS;
}

void run_now(const Function& function, const Launch& launch) {
  Context& context = *function.owner->context;
  std::scoped_lock lock(context.device->execution);
  require(context.alive, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  const Report report =
      run(*function.kernel, launch, context.device->memory(), Record::get().options());
  Record::get().add(report);
  const CUresult failure = failure_of(report);
  if (failure != CUDA_SUCCESS) context.failure = failure;
}

void launch_kernel(CUfunction handle, Launch launch, CUstream stream, void** parameters,
                   void** extra) {
  const auto function = resolve_function(handle);
  const auto context = context_of_stream(stream);
  require(function->owner->context == context, CUDA_ERROR_INVALID_HANDLE);
  const Kernel& kernel = *function->kernel;
  check_shape(launch, *function);

  launch.parameters.resize(kernel.parameter_bytes);
  require(parameters == nullptr || extra == nullptr);
  if (!kernel.parameters.empty()) {
    require(parameters != nullptr || extra != nullptr);
    if (parameters != nullptr) copy_parameters(kernel, parameters, launch.parameters);
    if (extra != nullptr) copy_packed(kernel, extra, launch.parameters);
  }

  in_stream(stream, CU_GRAPH_NODE_TYPE_KERNEL, [function, launch] { run_now(*function, launch); });
}

/// All blocks of a cooperative launch must be on the device at once.
void check_cooperative(CUfunction handle, const Launch& launch) {
  const auto function = resolve_function(handle);
  check_shape(launch, *function);
  const DeviceTraits& device = *function->owner->context->device->traits;
  const auto each = static_cast<std::uint64_t>(blocks_that_fit(
      *function, static_cast<int>(launch.block.count()), launch.dynamic_shared_bytes));
  require(launch.grid.count() <= each * static_cast<std::uint64_t>(device.multiprocessors),
          CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
}

/// Refuses an attribute that would change the meaning of a launch and cannot be honoured; hints
/// pass. True when the launch is to be cooperative.
bool check_attribute(const CUlaunchAttribute& attribute) {
  switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
    // The kernel before has always ended here, which is what waiting for it asks.
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION: return false;
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE: return attribute.value.cooperative != 0;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION: {
      const auto& cluster = attribute.value.clusterDim;
      require(cluster.x >= 1 && cluster.y >= 1 && cluster.z >= 1);
      require(cluster.x == 1 && cluster.y == 1 && cluster.z == 1, CUDA_ERROR_NOT_SUPPORTED);
      return false;
    }
    default: throw Failure{CUDA_ERROR_NOT_SUPPORTED};
  }
}

}  // namespace
}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuLaunchKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                                unsigned int grid_z, unsigned int block_x, unsigned int block_y,
                                unsigned int block_z, unsigned int shared_bytes, CUstream stream,
                                void** parameters, void** extra) {
  return guarded([&] {
    launch_kernel(function,
                  {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, {}}, stream,
                  parameters, extra);
  });
}

CUresult CUDAAPI cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function,
                                  void** parameters, void** extra) {
  return guarded([&] {
    require(config != nullptr && (config->numAttrs == 0 || config->attrs != nullptr));
    bool cooperative = false;
    for (unsigned i = 0; i < config->numAttrs; ++i)
      cooperative |= check_attribute(config->attrs[i]);
    const tilewright::emulator::Launch launch{
        {config->gridDimX, config->gridDimY, config->gridDimZ},
        {config->blockDimX, config->blockDimY, config->blockDimZ},
        config->sharedMemBytes,
        {}};
    if (cooperative) check_cooperative(function, launch);
    launch_kernel(function, launch, config->hStream, parameters, extra);
  });
}

CUresult CUDAAPI cuLaunchCooperativeKernel(CUfunction function, unsigned int grid_x,
                                           unsigned int grid_y, unsigned int grid_z,
                                           unsigned int block_x, unsigned int block_y,
                                           unsigned int block_z, unsigned int shared_bytes,
                                           CUstream stream, void** parameters) {
  return guarded([&] {
    const tilewright::emulator::Launch launch{
        {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, {}};
    check_cooperative(function, launch);
    launch_kernel(function, launch, stream, parameters, nullptr);
  });
}

CUresult CUDAAPI cuLaunchHostFunc(CUstream stream, CUhostFn host, void* data) {
  return guarded([&] {
    require(host != nullptr);
    // All work before it has ended when it is called.
    in_stream(stream, CU_GRAPH_NODE_TYPE_HOST, [host, data] { host(data); });
  });
}

}  // extern "C"
