// Captures: which streams take part, what spoils one, whether its forks came together again.
#include <algorithm>

#include "emulator/driver/graphs.hpp"

namespace tilewright::emulator::driver {
namespace {

std::mutex capture_mutex;
std::vector<std::shared_ptr<Capture>> active;  ///< under capture_mutex
thread_local CUstreamCaptureMode thread_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;

[[noreturn]] void spoil(Capture& capture, CUresult result) {
  capture.spoilt = true;
  throw Failure{result};
}

/// The capture a stream takes part in, or null. capture_mutex is held.
std::shared_ptr<Capture> capture_of(CUstream stream) {
  for (const auto& capture : active)
    if (capture->members.count(stream) != 0) return capture;
  return nullptr;
}

bool is_default(CUstream stream) { return State::get().streams.find(stream) == nullptr; }

/// The default stream waits for every other one that was not made to ignore it.
void forbid_default_stream(CUstream stream) {
  if (!is_default(stream)) return;
  const auto context = context_of_stream(stream);
  for (const auto& capture : active) {
    if (capture->graph->context != context) continue;
    for (const auto& [member, frontier] : capture->members) {
      const auto found = State::get().streams.find(member);
      if (found && (found->flags & CU_STREAM_NON_BLOCKING) == 0)
        spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    }
  }
}

void end(const std::shared_ptr<Capture>& capture) {
  capture->ended = true;
  std::erase(active, capture);
}

void begin_capture(CUstream stream, CUstreamCaptureMode mode) {
  require(mode == CU_STREAM_CAPTURE_MODE_GLOBAL || mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL ||
          mode == CU_STREAM_CAPTURE_MODE_RELAXED);
  const auto context = context_of_stream(stream);
  require(!is_default(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  std::scoped_lock lock(capture_mutex);
  require(capture_of(stream) == nullptr, CUDA_ERROR_ILLEGAL_STATE);
  auto capture = std::make_shared<Capture>();
  capture->id = next_handle_number();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->origin = stream;
  capture->handle = make_handle<CUgraph>();
  capture->graph = std::make_shared<Graph>();
  capture->graph->context = context;
  capture->members[stream][stream] = 0;
  active.push_back(std::move(capture));
}

/// Every forked stream's work must be ordered before the origin's end.
bool is_joined(const Capture& capture) {
  const Frontier& known = capture.members.at(capture.origin);
  return std::all_of(capture.members.begin(), capture.members.end(), [&](const auto& member) {
    const auto found = known.find(member.first);
    return found != known.end() && found->second >= member.second.at(member.first);
  });
}

void end_capture(CUstream stream, CUgraph* graph) {
  require(graph != nullptr);
  *graph = nullptr;
  context_of_stream(stream);
  std::scoped_lock lock(capture_mutex);
  const auto capture = capture_of(stream);
  require(capture != nullptr, CUDA_ERROR_ILLEGAL_STATE);
  require(capture->origin == stream, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  require(capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED ||
              capture->thread == std::this_thread::get_id(),
          CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  end(capture);
  require(!capture->spoilt, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  require(is_joined(*capture), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  State::get().graphs.insert(capture->handle, capture->graph);
  *graph = capture->handle;
}

}  // namespace

void in_stream(CUstream stream, CUgraphNodeType type, std::function<void()> action) {
  context_of_stream(stream);
  {
    std::scoped_lock lock(capture_mutex);
    if (!active.empty()) {
      forbid_default_stream(stream);
      if (const auto capture = capture_of(stream)) {
        require(!capture->spoilt, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
        auto node = std::make_shared<GraphNode>();
        node->type = type;
        node->run = std::move(action);
        capture->graph->nodes.emplace_back(make_handle<CUgraphNode>(), std::move(node));
        ++capture->members[stream][stream];
        return;
      }
    }
  }
  action();
}

void forbid_while_capturing() {
  std::scoped_lock lock(capture_mutex);
  if (thread_mode == CU_STREAM_CAPTURE_MODE_RELAXED) return;
  for (const auto& capture : active) {
    const bool mine = capture->thread == std::this_thread::get_id();
    if (capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED) continue;
    if (!mine && (capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL ||
                  thread_mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
      continue;
    spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
}

void forbid_if_captured(CUstream stream) {
  std::scoped_lock lock(capture_mutex);
  if (active.empty()) return;
  forbid_default_stream(stream);
  if (const auto capture = capture_of(stream))
    spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
}

bool record_captured(Event& event, CUstream stream) {
  std::scoped_lock lock(capture_mutex);
  event.capture = capture_of(stream);
  if (event.capture == nullptr) {
    if (!active.empty()) forbid_default_stream(stream);
    return false;
  }
  require(!event.capture->spoilt, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  event.frontier = event.capture->members.at(stream);
  return true;
}

bool wait_captured(Event& event, CUstream stream) {
  std::scoped_lock lock(capture_mutex);
  const auto capture = capture_of(stream);
  if (event.capture == nullptr) {
    if (capture != nullptr) spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    if (!active.empty()) forbid_default_stream(stream);
    return false;
  }
  require(!event.capture->ended, CUDA_ERROR_CAPTURED_EVENT);
  require(!event.capture->spoilt, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  if (is_default(stream)) spoil(*event.capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  if (capture != nullptr && capture != event.capture) {
    capture->spoilt = true;
    spoil(*event.capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
  }
  Frontier& known = event.capture->members[stream];
  known.try_emplace(stream, 0);
  for (const auto& [member, work] : event.frontier) {
    std::uint64_t& of_member = known[member];
    of_member = std::max(of_member, work);
  }
  return true;
}

}  // namespace tilewright::emulator::driver

using namespace tilewright::emulator::driver;

extern "C" {

CUresult CUDAAPI cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode mode) {
  return guarded([&] { begin_capture(stream, mode); });
}

CUresult CUDAAPI cuStreamEndCapture(CUstream stream, CUgraph* graph) {
  return guarded([&] { end_capture(stream, graph); });
}

CUresult CUDAAPI cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return guarded([&] {
    require(status != nullptr);
    context_of_stream(stream);
    std::scoped_lock lock(capture_mutex);
    if (!active.empty()) forbid_default_stream(stream);
    const auto capture = capture_of(stream);
    *status = capture == nullptr ? CU_STREAM_CAPTURE_STATUS_NONE
              : capture->spoilt  ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                 : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  });
}

CUresult CUDAAPI cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return guarded([&] {
    require(mode != nullptr && *mode >= CU_STREAM_CAPTURE_MODE_GLOBAL &&
            *mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    std::swap(*mode, thread_mode);
  });
}

}  // extern "C"
