// Entry points about events. An event holds the host's clock at the time it was recorded, which is
// the time all work before it had ended: elapsed time is emulation time and no estimate of a GPU's.
//
// Look next at streams.cpp.
#include "emulator/driver/graphs.hpp"

using namespace tilewright::emulator::driver;

namespace {

std::shared_ptr<Event> event_of(CUevent handle) {
  auto event = State::get().events.find(handle);
  require(event != nullptr, CUDA_ERROR_INVALID_HANDLE);
  require(event->context->failure == CUDA_SUCCESS, event->context->failure);
  return event;
}

/// An event that marks a point in time, not a place in a captured graph.
std::shared_ptr<Event> timed_event_of(CUevent handle) {
  auto event = event_of(handle);
  require(event->capture == nullptr, CUDA_ERROR_CAPTURED_EVENT);
  return event;
}

void record(CUevent handle, CUstream stream) {
  auto event = event_of(handle);
  require(context_of_stream(stream) == event->context, CUDA_ERROR_INVALID_HANDLE);
  const bool captured = record_captured(*event, stream);
  std::scoped_lock lock(event->mutex);
  event->recorded.reset();
  if (!captured) event->recorded = std::chrono::steady_clock::now();
}

std::chrono::steady_clock::time_point time_of(CUevent handle) {
  auto event = timed_event_of(handle);
  std::scoped_lock lock(event->mutex);
  require((event->flags & CU_EVENT_DISABLE_TIMING) == 0 && event->recorded.has_value(),
          CUDA_ERROR_INVALID_HANDLE);
  return *event->recorded;
}

}  // namespace

extern "C" {

CUresult CUDAAPI cuEventCreate(CUevent* event, unsigned int flags) {
  return guarded([&] {
    require(event != nullptr);
    constexpr unsigned known =
        CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;
    require((flags & ~known) == 0);
    require((flags & CU_EVENT_INTERPROCESS) == 0, CUDA_ERROR_NOT_SUPPORTED);
    auto made = std::make_shared<Event>();
    made->context = current_context();
    made->flags = flags;
    const auto handle = make_handle<CUevent>();
    State::get().events.insert(handle, made);
    *event = handle;
  });
}

CUresult CUDAAPI cuEventRecord(CUevent event, CUstream stream) {
  return guarded([&] { record(event, stream); });
}

CUresult CUDAAPI cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned int flags) {
  return guarded([&] {
    require(flags == 0 || flags == CU_EVENT_RECORD_EXTERNAL);
    require(flags == 0, CUDA_ERROR_NOT_SUPPORTED);
    record(event, stream);
  });
}

CUresult CUDAAPI cuEventQuery(CUevent event) {
  return guarded([&] {
    timed_event_of(event);
    forbid_while_capturing();
  });
}

CUresult CUDAAPI cuEventSynchronize(CUevent event) {
  return guarded([&] {
    timed_event_of(event);
    forbid_while_capturing();
  });
}

CUresult CUDAAPI cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
  return guarded([&] {
    require(milliseconds != nullptr);
    const auto from = time_of(start), to = time_of(end);
    *milliseconds = std::chrono::duration<float, std::milli>(to - from).count();
  });
}

CUresult CUDAAPI cuEventDestroy(CUevent event) {
  return guarded(
      [&] { require(State::get().events.remove(event) != nullptr, CUDA_ERROR_INVALID_HANDLE); });
}

}  // extern "C"
