// Entry points about streams. Work ends before the call that asks for it returns, so a stream is a
// name and a context: always idle, always in order, and waiting on an event is a check.
//
// Look next at events.cpp, launch.cpp; captures.cpp for streams that are being captured.
#include <algorithm>

#include "emulator/driver/graphs.hpp"

using namespace tilewright::emulator::driver;

namespace {

void create(CUstream* stream, unsigned flags, int priority) {
  require(stream != nullptr);
  require(flags == CU_STREAM_DEFAULT || flags == CU_STREAM_NON_BLOCKING);
  auto made = std::make_shared<Stream>();
  made->context = current_context();
  made->flags = flags;
  made->priority = std::clamp(priority, -5, 0);
  const auto handle = make_handle<CUstream>();
  State::get().streams.insert(handle, made);
  *stream = handle;
}

/// A stream that was created: flags and priority of the special ones are 0.
std::shared_ptr<Stream> created(CUstream stream) { return State::get().streams.find(stream); }

}  // namespace

extern "C" {

CUresult CUDAAPI cuStreamCreate(CUstream* stream, unsigned int flags) {
  return guarded([&] { create(stream, flags, 0); });
}

CUresult CUDAAPI cuStreamCreateWithPriority(CUstream* stream, unsigned int flags, int priority) {
  return guarded([&] { create(stream, flags, priority); });
}

CUresult CUDAAPI cuStreamDestroy(CUstream stream) {
  return guarded(
      [&] { require(State::get().streams.remove(stream) != nullptr, CUDA_ERROR_INVALID_HANDLE); });
}

CUresult CUDAAPI cuStreamSynchronize(CUstream stream) {
  return guarded([&] {
    context_of_stream(stream);
    forbid_if_captured(stream);
  });
}

CUresult CUDAAPI cuStreamQuery(CUstream stream) {
  return guarded([&] {
    context_of_stream(stream);
    forbid_if_captured(stream);
  });
}

CUresult CUDAAPI cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags) {
  return guarded([&] {
    require(flags == 0 || flags == CU_EVENT_WAIT_EXTERNAL);
    require(flags == 0, CUDA_ERROR_NOT_SUPPORTED);  // only means something in a captured graph
    context_of_stream(stream);
    const auto waited = State::get().events.find(event);
    require(waited != nullptr, CUDA_ERROR_INVALID_HANDLE);
    wait_captured(*waited, stream);
  });
}

CUresult CUDAAPI cuStreamGetCtx(CUstream stream, CUcontext* context) {
  return guarded([&] {
    require(context != nullptr);
    *context = context_of_stream(stream)->handle;
  });
}

CUresult CUDAAPI cuStreamGetFlags(CUstream stream, unsigned int* flags) {
  return guarded([&] {
    require(flags != nullptr);
    context_of_stream(stream);
    const auto found = created(stream);
    *flags = found ? found->flags : 0u;
  });
}

CUresult CUDAAPI cuStreamGetPriority(CUstream stream, int* priority) {
  return guarded([&] {
    require(priority != nullptr);
    context_of_stream(stream);
    const auto found = created(stream);
    *priority = found ? found->priority : 0;
  });
}

CUresult CUDAAPI cuStreamAddCallback(CUstream stream, CUstreamCallback callback, void* data,
                                     unsigned int flags) {
  return guarded([&] {
    require(callback != nullptr && flags == 0);
    context_of_stream(stream);
    forbid_if_captured(stream);
    callback(stream, CUDA_SUCCESS, data);  // all work before it has ended
  });
}

}  // extern "C"
