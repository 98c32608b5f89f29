// Streams and events: the order of work on a device, and the time it took.
// The one idea: a stream is either owned or the caller's own CUstream wrapped as it is; everything
// else in the runtime cannot tell the difference.
// Next: module.hpp (launches on one); tests/runtime/memory_test.cpp.
#pragma once

#include <optional>

#include "device.hpp"

namespace tilewright::runtime {

class Stream {
 public:
  /// A new stream that does not wait for the default one.
  explicit Stream(const Device& device);

  /// The device's default stream (a null CUstream).
  static Stream default_stream(const Device& device);

  /// A stream the caller owns and keeps alive. Throws Error{invalid_argument} when it does
  /// not belong to `device`'s context.
  static Stream wrap(const Device& device, CUstream handle);

  ~Stream();
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;

  CUstream handle() const { return handle_; }
  const Device& device() const { return *device_; }

  /// Waits for everything put into it so far. Throws Error{launch_failed} if any of it faulted.
  void synchronize() const;

 private:
  Stream(const Device& device, CUstream handle, bool owned)
      : device_(device), handle_(handle), owned_(owned) {}
  void release() noexcept;

  std::optional<Device> device_;
  CUstream handle_ = nullptr;
  bool owned_ = false;
};

/// A moment in a stream. On the emulator the clock is the host's: its times are not a GPU's.
class Event {
 public:
  explicit Event(const Device& device);
  ~Event();
  Event(Event&& other) noexcept;
  Event& operator=(Event&& other) noexcept;

  CUevent handle() const { return handle_; }
  void record(const Stream& stream);
  void synchronize() const;

  /// Milliseconds between two recorded events; waits for `stop`.
  static double elapsed_ms(const Event& start, const Event& stop);

 private:
  void release() noexcept;

  std::optional<Device> device_;
  CUevent handle_ = nullptr;
};

}  // namespace tilewright::runtime
