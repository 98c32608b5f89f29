// Graphs by stream capture: while a stream is being captured, what is asked of it is kept as nodes
// instead of being done, and cuGraphLaunch does it.
//
// Nodes are kept in the order they were captured, which is one that their dependencies allow, and
// every stream here is in order: so edges are only followed to judge whether forked streams were
// joined. Calls that a capture forbids are refused as hardware refuses them, and spoil it.
// Look next at captures.cpp, then graphs.cpp.
#pragma once

#include <functional>
#include <thread>

#include "emulator/driver/state.hpp"

namespace tilewright::emulator::driver {

struct GraphNode {
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
  std::function<void()> run;  ///< throws Failure like the call that was captured
};

struct Graph {
  std::shared_ptr<Context> context;
  std::vector<std::pair<CUgraphNode, std::shared_ptr<GraphNode>>> nodes;
};

/// How much of each captured stream's work is ordered before what comes next.
using Frontier = std::map<CUstream, std::uint64_t>;

struct Capture {
  unsigned long long id = 0;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  CUstream origin = nullptr;
  CUgraph handle = nullptr;
  std::shared_ptr<Graph> graph;
  std::map<CUstream, Frontier> members;  ///< a stream's own entry counts its work
  bool spoilt = false, ended = false;
};

/// Does `action` in a stream, or keeps it as a node when the stream is being captured. The stream's
/// context must be usable (context_of_stream's results).
void in_stream(CUstream stream, CUgraphNodeType type, std::function<void()> action);

/// Refuses a call that no stream takes part in and that could interfere with a capture: it
/// allocates, or waits for the device, or goes through the default stream.
/// CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED.
void forbid_while_capturing();
/// Refuses a call that waits for or frees in a captured stream.
void forbid_if_captured(CUstream stream);

/// True when the event was recorded in a captured stream: then it is no point in time.
bool record_captured(Event& event, CUstream stream);
/// True when the wait is part of a capture; the stream takes part in it from now on.
bool wait_captured(Event& event, CUstream stream);

}  // namespace tilewright::emulator::driver
