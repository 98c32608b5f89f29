// Work captured in a CUDA graph and launched from it, once.
#pragma once

#include <cuda.h>

#include "calls/calls.hpp"

namespace calls {

/// Captures what `work` puts into `stream`, launches it and waits. Returns how many nodes it has.
template <typename Work>
std::size_t run_captured(const Stream& stream, const Work& work) {
  const auto call = [](CUresult result) { REQUIRE(result == CUDA_SUCCESS); };
  call(cuStreamBeginCapture(stream.handle(), CU_STREAM_CAPTURE_MODE_GLOBAL));
  work();
  CUgraph graph = nullptr;
  call(cuStreamEndCapture(stream.handle(), &graph));
  std::size_t nodes = 0;
  call(cuGraphGetNodes(graph, nullptr, &nodes));
  CUgraphExec exec = nullptr;
  call(cuGraphInstantiate(&exec, graph, 0));
  call(cuGraphDestroy(graph));
  call(cuGraphLaunch(exec, stream.handle()));
  stream.synchronize();
  call(cuGraphExecDestroy(exec));
  return nodes;
}

}  // namespace calls
