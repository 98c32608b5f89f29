// Entry points about two devices at once. Kernels reach only their own device's memory, so access
// between peers is refused as between GPUs that have no link; copies between them work.
//
// Look next at copies.cpp.
#include "emulator/driver/graphs.hpp"
#include "emulator/driver/transfer.hpp"

using namespace tilewright::emulator::driver;

namespace {

/// Both contexts must be alive and the addresses on their devices.
void copy_between(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context,
                  std::size_t bytes) {
  const auto target = context_of(to_context), source = context_of(from_context);
  if (bytes == 0) return;
  require(&device_range(to, bytes) == target->device);
  require(&device_range(from, bytes) == source->device);
  copy_across(to, from, bytes);
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute,
                                         CUdevice source, CUdevice target) {
  return guarded([&] {
    device_of(source);
    device_of(target);
    require(value != nullptr && source != target);
    require(attribute >= CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK &&
            attribute <= CU_DEVICE_P2P_ATTRIBUTE_CUDA_ARRAY_ACCESS_SUPPORTED);
    *value = 0;
  });
}

CUresult CUDAAPI cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  return guarded([&] {
    require(flags == 0);
    const auto mine = current_context(), other = context_of(peer);
    require(mine->device != other->device, CUDA_ERROR_INVALID_DEVICE);
    throw Failure{CUDA_ERROR_PEER_ACCESS_UNSUPPORTED};
  });
}

CUresult CUDAAPI cuCtxDisablePeerAccess(CUcontext peer) {
  return guarded([&] {
    current_context();
    context_of(peer);
    throw Failure{CUDA_ERROR_PEER_ACCESS_NOT_ENABLED};
  });
}

CUresult CUDAAPI cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                              CUcontext from_context, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    copy_between(to, to_context, from, from_context, bytes);
  });
}

CUresult CUDAAPI cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
                                   CUcontext from_context, std::size_t bytes, CUstream stream) {
  return guarded([&] {
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY,
              [=] { copy_between(to, to_context, from, from_context, bytes); });
  });
}

}  // extern "C"
