// Device memory that frees itself.
// The one idea: every copy is checked against the buffer's size before the driver sees it, so an
// overrun is an error with both numbers, never a silent write into a neighbour.
// Next: stream.hpp; tests/runtime/memory_test.cpp.
#pragma once

#include <cstddef>

#include "device.hpp"
#include "stream.hpp"

namespace tilewright::runtime {

/// Owns `bytes` of device memory; movable. Zero bytes own nothing and have a null address.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Device& device, std::size_t bytes);
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;

  CUdeviceptr address() const { return address_; }
  std::size_t bytes() const { return bytes_; }
  const Device* device() const { return device_ ? &*device_ : nullptr; }  ///< null: owns nothing

  /// Host to device, `offset` in bytes. Returns when the copy is done.
  void upload(const void* source, std::size_t bytes, std::size_t offset = 0);

  /// Device to host. Waits for the device's earlier work on the default stream.
  void download(void* target, std::size_t bytes, std::size_t offset = 0) const;

  /// Sets every byte.
  void fill(unsigned char value);

  /// The same, in the order of `stream`; the host memory must live until it has run.
  void upload_async(const void* source, std::size_t bytes, const Stream& stream,
                    std::size_t offset = 0);
  void download_async(void* target, std::size_t bytes, const Stream& stream,
                      std::size_t offset = 0) const;
  void fill_async(unsigned char value, const Stream& stream);

 private:
  void check_range(const char* what, const void* host, std::size_t bytes, std::size_t offset) const;
  void release() noexcept;

  std::optional<Device> device_;
  CUdeviceptr address_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace tilewright::runtime
