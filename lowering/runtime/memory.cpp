// Buffers over the driver's allocation and copy calls.
// A faulted context refuses cuMemFree; destructors ignore that, as the error has been reported.
#include "runtime/memory.hpp"
#include "runtime/errors.hpp"

#include <tilewright/error.hpp>
#include <utility>

namespace tilewright::runtime {

Buffer::Buffer(const Device& device, std::size_t bytes) : device_(device), bytes_(bytes) {
  if (bytes == 0) return;
  ContextScope scope(device);
  const Driver& api = device.driver();
  const CUresult result = api.memory_allocate(&address_, bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    std::size_t available = 0, total = 0;
    api.memory_get_info(&available, &total);
    throw Error(errors::runtime["out-of-device-memory"], "out of memory on " + device.name(),
                {"bytes", std::to_string(bytes),
                 std::to_string(available) + " free of " + std::to_string(total), ""});
  }
  api.check(result, "allocating " + std::to_string(bytes) + " bytes on " + device.name());
}

Buffer::~Buffer() { release(); }

Buffer::Buffer(Buffer&& other) noexcept
    : device_(std::move(other.device_)),
      address_(std::exchange(other.address_, 0)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::move(other.device_);
  address_ = std::exchange(other.address_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void Buffer::release() noexcept {
  if (!address_) return;
  try {
    ContextScope scope(*device_);
    device_->driver().memory_free(address_);
  } catch (const Error&) {
    // The context is gone, and its memory with it.
  }
  address_ = 0;
}

void Buffer::check_range(const char* what, const void* host, std::size_t bytes,
                         std::size_t offset) const {
  if (offset > bytes_ || bytes > bytes_ - offset)
    throw Error(errors::runtime["buffer-range"], std::string(what) + " does not fit the buffer",
                {"bytes", std::to_string(bytes) + " at offset " + std::to_string(offset),
                 "within " + std::to_string(bytes_) + " bytes", ""});
  if (!host && bytes > 0)
    throw Error(errors::runtime["host-pointer-null"],
                std::string(what) + " with a null host pointer",
                {"pointer", "null", "host memory of " + std::to_string(bytes) + " bytes", ""});
}

void Buffer::upload(const void* source, std::size_t bytes, std::size_t offset) {
  check_range("upload", source, bytes, offset);
  if (bytes == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.copy_to_device(address_ + offset, source, bytes), "copying to the device");
}

void Buffer::download(void* target, std::size_t bytes, std::size_t offset) const {
  check_range("download", target, bytes, offset);
  if (bytes == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.copy_to_host(target, address_ + offset, bytes), "copying from the device");
}

void Buffer::fill(unsigned char value) {
  if (bytes_ == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.fill_bytes(address_, value, bytes_), "filling device memory");
}

void Buffer::upload_async(const void* source, std::size_t bytes, const Stream& stream,
                          std::size_t offset) {
  check_range("upload", source, bytes, offset);
  if (bytes == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.copy_to_device_async(address_ + offset, source, bytes, stream.handle()),
            "copying to the device");
}

void Buffer::download_async(void* target, std::size_t bytes, const Stream& stream,
                            std::size_t offset) const {
  check_range("download", target, bytes, offset);
  if (bytes == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.copy_to_host_async(target, address_ + offset, bytes, stream.handle()),
            "copying from the device");
}

void Buffer::fill_async(unsigned char value, const Stream& stream) {
  if (bytes_ == 0) return;
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.fill_bytes_async(address_, value, bytes_, stream.handle()),
            "filling device memory");
}

}  // namespace tilewright::runtime
