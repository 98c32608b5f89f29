// Streams and events over the driver's calls. Destructors swallow errors: a stream with faulted
// work reports the fault from synchronize, not from its end of life.
#include "runtime/stream.hpp"
#include "runtime/errors.hpp"

#include <tilewright/error.hpp>
#include <utility>

namespace tilewright::runtime {

Stream::Stream(const Device& device) : device_(device), owned_(true) {
  ContextScope scope(device);
  const Driver& api = device.driver();
  api.check(api.stream_create(&handle_, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
}

Stream Stream::default_stream(const Device& device) { return Stream(device, nullptr, false); }

Stream Stream::wrap(const Device& device, CUstream handle) {
  if (handle) {
    ContextScope scope(device);
    const Driver& api = device.driver();
    CUcontext context = nullptr;
    api.check(api.stream_get_context(handle, &context), "asking a stream for its context");
    if (context != device.context())
      throw Error(
          errors::runtime["stream-of-another-device"],
          "the stream belongs to another device or context",
          {"stream", "", "a stream of the context that is current when the device is opened", ""});
  }
  return Stream(device, handle, false);
}

Stream::~Stream() { release(); }

Stream::Stream(Stream&& other) noexcept
    : device_(std::move(other.device_)),
      handle_(std::exchange(other.handle_, nullptr)),
      owned_(std::exchange(other.owned_, false)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::move(other.device_);
  handle_ = std::exchange(other.handle_, nullptr);
  owned_ = std::exchange(other.owned_, false);
  return *this;
}

void Stream::release() noexcept {
  if (!owned_ || !handle_) return;
  try {
    ContextScope scope(*device_);
    device_->driver().stream_destroy(handle_);
  } catch (const Error&) {}
}

void Stream::synchronize() const {
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.stream_synchronize(handle_), "waiting for a stream on " + device_->name());
}

Event::Event(const Device& device) : device_(device) {
  ContextScope scope(device);
  const Driver& api = device.driver();
  api.check(api.event_create(&handle_, CU_EVENT_DEFAULT), "cuEventCreate");
}

Event::~Event() { release(); }

Event::Event(Event&& other) noexcept
    : device_(std::move(other.device_)), handle_(std::exchange(other.handle_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
  if (this == &other) return *this;
  release();
  device_ = std::move(other.device_);
  handle_ = std::exchange(other.handle_, nullptr);
  return *this;
}

void Event::release() noexcept {
  if (!handle_) return;
  try {
    ContextScope scope(*device_);
    device_->driver().event_destroy(handle_);
  } catch (const Error&) {}
}

void Event::record(const Stream& stream) {
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.event_record(handle_, stream.handle()), "cuEventRecord");
}

void Event::synchronize() const {
  ContextScope scope(*device_);
  const Driver& api = device_->driver();
  api.check(api.event_synchronize(handle_), "cuEventSynchronize");
}

double Event::elapsed_ms(const Event& start, const Event& stop) {
  stop.synchronize();
  ContextScope scope(*stop.device_);
  const Driver& api = stop.device_->driver();
  float milliseconds = 0;
  api.check(api.event_elapsed(&milliseconds, start.handle_, stop.handle_), "cuEventElapsedTime");
  return milliseconds;
}

}  // namespace tilewright::runtime
