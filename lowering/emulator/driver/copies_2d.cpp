// Entry points that copy a rectangle: rows of host or device memory, each end with its own pitch.
// Texture arrays do not exist here and are refused.
//
// Look next at copies.cpp for what one row is.
#include "emulator/driver/graphs.hpp"
#include "emulator/driver/managed.hpp"
#include "emulator/driver/transfer.hpp"

namespace tilewright::emulator::driver {
namespace {

/// One end of a rectangle: the address of its first byte and the distance between rows.
struct Rows {
  std::uint64_t first;
  std::size_t pitch;
};

Rows rows_of(CUmemorytype type, const void* host, CUdeviceptr device, std::size_t pitch,
             std::size_t x, std::size_t y, std::size_t width) {
  require(type != CU_MEMORYTYPE_ARRAY, CUDA_ERROR_NOT_SUPPORTED);
  const bool on_host = type == CU_MEMORYTYPE_HOST;
  require(on_host || type == CU_MEMORYTYPE_DEVICE || type == CU_MEMORYTYPE_UNIFIED);
  if (pitch == 0) pitch = x + width;
  require(pitch >= x + width);
  const std::uint64_t base = on_host ? reinterpret_cast<std::uintptr_t>(host) : device;
  require(base != 0);
  const bool of_device = owner_of(base) != nullptr;
  require(type == CU_MEMORYTYPE_UNIFIED || on_host != of_device ||
          (on_host && sharing_of(base) != Sharing::none));
  return {base + y * pitch + x, pitch};
}

}  // namespace

void copy_rectangle(const CUDA_MEMCPY2D& copy) {
  if (copy.WidthInBytes == 0 || copy.Height == 0) return;
  const Rows from = rows_of(copy.srcMemoryType, copy.srcHost, copy.srcDevice, copy.srcPitch,
                            copy.srcXInBytes, copy.srcY, copy.WidthInBytes);
  const Rows to = rows_of(copy.dstMemoryType, copy.dstHost, copy.dstDevice, copy.dstPitch,
                          copy.dstXInBytes, copy.dstY, copy.WidthInBytes);
  // Both ends as a whole first, so that nothing is copied when the last row would not fit.
  for (const Rows& end : {from, to}) {
    require(copy.Height - 1 <= (SIZE_MAX - copy.WidthInBytes) / end.pitch);
    const std::size_t span = (copy.Height - 1) * end.pitch + copy.WidthInBytes;
    if (owner_of(end.first) != nullptr) {
      device_range(end.first, span);
    } else {
      require_host_range(reinterpret_cast<const void*>(end.first), span);
    }
  }
  for (std::size_t row = 0; row < copy.Height; ++row)
    copy_any(to.first + row * to.pitch, from.first + row * from.pitch, copy.WidthInBytes);
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuMemcpy2D(const CUDA_MEMCPY2D* copy) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    require(copy != nullptr);
    copy_rectangle(*copy);
  });
}

CUresult CUDAAPI cuMemcpy2DUnaligned(const CUDA_MEMCPY2D* copy) { return cuMemcpy2D(copy); }

CUresult CUDAAPI cuMemcpy2DAsync(const CUDA_MEMCPY2D* copy, CUstream stream) {
  return guarded([&] {
    require(copy != nullptr);
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [what = *copy] { copy_rectangle(what); });
  });
}

}  // extern "C"
