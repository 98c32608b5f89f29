// Entry points that copy and fill device memory. A range that is not wholly inside one live
// allocation is refused before a byte moves.
//
// What the host writes counts as initialised; a copy between device addresses carries the state of
// its source along; reading uninitialised bytes back is allowed. Look next at copies_2d.cpp.
#include <cstring>

#include "emulator/driver/graphs.hpp"
#include "emulator/driver/transfer.hpp"

namespace tilewright::emulator::driver {
namespace {

std::byte* bytes_at(CUdeviceptr address) { return reinterpret_cast<std::byte*>(address); }

/// Two devices' execution locks in a fixed order, or one.
class ExecutionLock {
 public:
  ExecutionLock(Device& one, Device& other)
      : first_(one.ordinal <= other.ordinal ? one.execution : other.execution) {
    if (&one != &other)
      second_ = std::unique_lock(one.ordinal <= other.ordinal ? other.execution : one.execution);
  }

 private:
  std::unique_lock<std::mutex> first_;
  std::unique_lock<std::mutex> second_;
};

/// Marks in `to` what is initialised in `from`, halving until a piece is wholly so or one byte.
void carry_initialized(Memory& to_memory, CUdeviceptr to, const Memory& from_memory,
                       CUdeviceptr from, std::size_t bytes) {
  if (from_memory.is_initialized(from, bytes)) {
    to_memory.mark_initialized(to, bytes);
  } else if (bytes > 1) {
    const std::size_t half = bytes / 2;
    carry_initialized(to_memory, to, from_memory, from, half);
    carry_initialized(to_memory, to + half, from_memory, from + half, bytes - half);
  }
}

}  // namespace

void copy_in(CUdeviceptr to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  require_host_range(from, bytes);
  Device& device = device_range(to, bytes);
  std::scoped_lock lock(device.execution);
  device_range(to, bytes);  // it may have been freed while this thread waited
  std::memcpy(bytes_at(to), from, bytes);
  device.memory().mark_initialized(to, bytes);
}

void copy_out(void* to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return;
  require_host_range(to, bytes);
  Device& device = device_range(from, bytes);
  std::scoped_lock lock(device.execution);
  device_range(from, bytes);
  std::memcpy(to, bytes_at(from), bytes);
}

void copy_across(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return;
  Device& target = device_range(to, bytes);
  Device& source = device_range(from, bytes);
  ExecutionLock lock(target, source);
  device_range(to, bytes);
  device_range(from, bytes);
  std::memmove(bytes_at(to), bytes_at(from), bytes);
  carry_initialized(target.memory(), to, source.memory(), from, bytes);
}

void copy_any(std::uint64_t to, std::uint64_t from, std::size_t bytes) {
  if (bytes == 0) return;
  const bool to_device = owner_of(to) != nullptr, from_device = owner_of(from) != nullptr;
  if (to_device && from_device) {
    copy_across(to, from, bytes);
  } else if (to_device) {
    copy_in(to, reinterpret_cast<const void*>(from), bytes);
  } else if (from_device) {
    copy_out(reinterpret_cast<void*>(to), from, bytes);
  } else {
    require_host_range(reinterpret_cast<void*>(to), bytes);
    require_host_range(reinterpret_cast<void*>(from), bytes);
    std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
  }
}

void fill(CUdeviceptr to, const void* element, std::size_t element_bytes, std::size_t count) {
  require(to % element_bytes == 0);
  if (count == 0) return;
  require(count <= SIZE_MAX / element_bytes);
  const std::size_t bytes = count * element_bytes;
  Device& device = device_range(to, bytes);
  std::scoped_lock lock(device.execution);
  device_range(to, bytes);
  if (element_bytes == 1) {
    std::memset(bytes_at(to), *static_cast<const unsigned char*>(element), bytes);
  } else {
    std::byte* at = bytes_at(to);
    std::memcpy(at, element, element_bytes);
    // Doubles what is filled, so that a large range is filled at the speed of a copy.
    for (std::size_t done = element_bytes; done < bytes; done *= 2)
      std::memcpy(at + done, at, std::min(done, bytes - done));
  }
  device.memory().mark_initialized(to, bytes);
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuMemcpyHtoD(CUdeviceptr to, const void* from, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    copy_in(to, from, bytes);
  });
}

CUresult CUDAAPI cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, std::size_t bytes,
                                   CUstream stream) {
  return guarded(
      [&] { in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [=] { copy_in(to, from, bytes); }); });
}

CUresult CUDAAPI cuMemcpyDtoH(void* to, CUdeviceptr from, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    copy_out(to, from, bytes);
  });
}

CUresult CUDAAPI cuMemcpyDtoHAsync(void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  return guarded(
      [&] { in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [=] { copy_out(to, from, bytes); }); });
}

CUresult CUDAAPI cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    copy_across(to, from, bytes);
  });
}

CUresult CUDAAPI cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
                                   CUstream stream) {
  return guarded(
      [&] { in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [=] { copy_across(to, from, bytes); }); });
}

CUresult CUDAAPI cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    copy_any(to, from, bytes);
  });
}

CUresult CUDAAPI cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
                               CUstream stream) {
  return guarded(
      [&] { in_stream(stream, CU_GRAPH_NODE_TYPE_MEMCPY, [=] { copy_any(to, from, bytes); }); });
}

CUresult CUDAAPI cuMemsetD8(CUdeviceptr to, unsigned char value, std::size_t count) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    fill(to, &value, sizeof value, count);
  });
}

CUresult CUDAAPI cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t count,
                                 CUstream stream) {
  return guarded([&] {
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMSET, [=] { fill(to, &value, sizeof value, count); });
  });
}

CUresult CUDAAPI cuMemsetD16(CUdeviceptr to, unsigned short value, std::size_t count) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    fill(to, &value, sizeof value, count);
  });
}

CUresult CUDAAPI cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t count,
                                  CUstream stream) {
  return guarded([&] {
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMSET, [=] { fill(to, &value, sizeof value, count); });
  });
}

CUresult CUDAAPI cuMemsetD32(CUdeviceptr to, unsigned int value, std::size_t count) {
  return guarded([&] {
    current_context();
    forbid_while_capturing();
    fill(to, &value, sizeof value, count);
  });
}

CUresult CUDAAPI cuMemsetD32Async(CUdeviceptr to, unsigned int value, std::size_t count,
                                  CUstream stream) {
  return guarded([&] {
    in_stream(stream, CU_GRAPH_NODE_TYPE_MEMSET, [=] { fill(to, &value, sizeof value, count); });
  });
}

}  // extern "C"
