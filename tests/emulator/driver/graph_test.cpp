// Graphs by stream capture: what is kept and done later, forks and joins, and the calls that a
// capture forbids. Look next at tests/plan/captured.cpp for a whole plan.
#include <array>
#include <thread>

#include "driver_fixture.hpp"

using namespace tilewright::test;

namespace {

/// data[i] += n for i < 32.
const char* const add_n =
    "  mul.wide.u32 %rd2, %r2, 4;\n"
    "  add.s64 %rd3, %rd1, %rd2;\n"
    "  ld.global.u32 %r6, [%rd3];\n"
    "  add.s32 %r6, %r6, %r1;\n"
    "  st.global.u32 [%rd3], %r6;\n";

struct Graphs : Fresh {
  CUfunction function = load(ptx_kernel(add_n));
  CUdeviceptr data = 0;
  CUstream stream = nullptr, other = nullptr;
  CUevent fork = nullptr, join = nullptr;

  Graphs() {
    REQUIRE_OK(cuMemAlloc(&data, 128));
    REQUIRE_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    REQUIRE_OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    REQUIRE_OK(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
    REQUIRE_OK(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
    REQUIRE_OK(cuMemsetD32(data, 0, 32));
  }

  CUresult add(unsigned n, CUstream where) {
    void* parameters[] = {&data, &n};
    return cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, where, parameters, nullptr);
  }

  unsigned value() const {
    std::array<unsigned, 32> host{};
    REQUIRE_OK(cuMemcpyDtoH(host.data(), data, sizeof host));
    for (const unsigned each : host) CHECK(each == host[0]);
    return host[0];
  }

  CUstreamCaptureStatus status(CUstream of) const {
    CUstreamCaptureStatus found{};
    REQUIRE_OK(cuStreamIsCapturing(of, &found));
    return found;
  }

  /// The capture that was spoilt ends as such.
  void ends_spoilt() const {
    CHECK(status(stream) == CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    CUgraph graph = reinterpret_cast<CUgraph>(1);
    CHECK_RESULT(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CHECK(graph == nullptr);
    CHECK(status(stream) == CU_STREAM_CAPTURE_STATUS_NONE);
  }
};

}  // namespace

TEST_CASE("what is captured happens when the graph is launched, as often as it is") {
  Graphs g;
  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK(g.status(g.stream) == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  CHECK_RESULT(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL),
               CUDA_ERROR_ILLEGAL_STATE);
  REQUIRE_OK(g.add(3, g.stream));
  REQUIRE_OK(g.add(4, g.stream));
  CUgraph graph = nullptr;
  REQUIRE_OK(cuStreamEndCapture(g.stream, &graph));
  CHECK(g.value() == 0);
  std::size_t count = 0;
  REQUIRE_OK(cuGraphGetNodes(graph, nullptr, &count));
  CHECK(count == 2);
  std::array<CUgraphNode, 3> nodes{};
  count = nodes.size();
  REQUIRE_OK(cuGraphGetNodes(graph, nodes.data(), &count));
  CHECK(count == 2);
  CHECK(nodes[2] == nullptr);
  CUgraphNodeType type{};
  REQUIRE_OK(cuGraphNodeGetType(nodes[1], &type));
  CHECK(type == CU_GRAPH_NODE_TYPE_KERNEL);

  CUgraphExec exec = nullptr;
  REQUIRE_OK(cuGraphInstantiate(&exec, graph, 0));
  REQUIRE_OK(cuGraphDestroy(graph));
  CHECK_RESULT(cuGraphDestroy(graph), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuGraphInstantiate(&exec, graph, 0), CUDA_ERROR_INVALID_VALUE);
  REQUIRE_OK(cuGraphLaunch(exec, g.stream));
  REQUIRE_OK(cuGraphLaunch(exec, g.stream));
  CHECK(g.value() == 14);
  REQUIRE_OK(cuGraphUpload(exec, g.stream));
  REQUIRE_OK(cuGraphExecDestroy(exec));
  CHECK_RESULT(cuGraphLaunch(exec, g.stream), CUDA_ERROR_INVALID_VALUE);
  CHECK_RESULT(cuGraphExecDestroy(exec), CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("copies, fills, host functions and graphs are nodes too") {
  Graphs g;
  std::array<unsigned, 32> seen{};
  int calls = 0;
  CUgraph inner = nullptr, graph = nullptr;
  CUgraphExec inside = nullptr, exec = nullptr;
  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  REQUIRE_OK(g.add(5, g.stream));
  REQUIRE_OK(cuStreamEndCapture(g.stream, &inner));
  REQUIRE_OK(cuGraphInstantiate(&inside, inner, 0));
  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  REQUIRE_OK(cuMemsetD32Async(g.data, 7, 32, g.stream));
  REQUIRE_OK(cuGraphLaunch(inside, g.stream));
  REQUIRE_OK(cuMemcpyDtoHAsync(seen.data(), g.data, sizeof seen, g.stream));
  REQUIRE_OK(cuLaunchHostFunc(
      g.stream, [](void* at) { ++*static_cast<int*>(at); }, &calls));
  REQUIRE_OK(cuStreamEndCapture(g.stream, &graph));
  std::array<CUgraphNode, 4> nodes{};
  std::size_t count = nodes.size();
  REQUIRE_OK(cuGraphGetNodes(graph, nodes.data(), &count));
  REQUIRE(count == 4);
  const CUgraphNodeType expected[] = {CU_GRAPH_NODE_TYPE_MEMSET, CU_GRAPH_NODE_TYPE_GRAPH,
                                      CU_GRAPH_NODE_TYPE_MEMCPY, CU_GRAPH_NODE_TYPE_HOST};
  for (unsigned k = 0; k < 4; ++k) {
    CUgraphNodeType type{};
    REQUIRE_OK(cuGraphNodeGetType(nodes[k], &type));
    CHECK(type == expected[k]);
  }
  CHECK(calls == 0);
  REQUIRE_OK(cuGraphInstantiate(&exec, graph, 0));
  for (int round = 1; round <= 2; ++round) {
    seen.fill(0);
    REQUIRE_OK(cuGraphLaunch(exec, g.stream));
    CHECK(seen[31] == 12);
    CHECK(calls == round);
  }
  CHECK_RESULT(cuGraphInstantiate(&exec, graph, CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH),
               CUDA_ERROR_NOT_SUPPORTED);
}

TEST_CASE("a fork that is joined is captured, one that is not is told") {
  Graphs g;
  for (const bool joined : {true, false}) {
    CAPTURE(joined);
    CUgraph graph = nullptr;
    REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    REQUIRE_OK(g.add(1, g.stream));
    REQUIRE_OK(cuEventRecord(g.fork, g.stream));
    REQUIRE_OK(cuStreamWaitEvent(g.other, g.fork, 0));
    CHECK(g.status(g.other) == CU_STREAM_CAPTURE_STATUS_ACTIVE);
    REQUIRE_OK(g.add(10, g.other));
    REQUIRE_OK(cuEventRecord(g.join, g.other));
    if (!joined) REQUIRE_OK(g.add(100, g.other));  // after what the origin waits for
    REQUIRE_OK(cuStreamWaitEvent(g.stream, g.join, 0));
    CHECK_RESULT(cuStreamEndCapture(g.other, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
    CHECK_RESULT(cuStreamEndCapture(g.stream, &graph),
                 joined ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    CHECK((graph != nullptr) == joined);
    CHECK(g.status(g.other) == CU_STREAM_CAPTURE_STATUS_NONE);
    CHECK_RESULT(cuEventQuery(g.join), CUDA_ERROR_CAPTURED_EVENT);
    if (!joined) continue;
    CUgraphExec exec = nullptr;
    REQUIRE_OK(cuGraphInstantiate(&exec, graph, 0));
    REQUIRE_OK(cuGraphLaunch(exec, nullptr));
    CHECK(g.value() == 11);
  }
  REQUIRE_OK(cuEventRecord(g.join, g.stream));
  CHECK_RESULT(cuEventQuery(g.join), CUDA_SUCCESS);
}

TEST_CASE("a capture forbids what waits, allocates or goes round it, and is spoilt by it") {
  Graphs g;
  const auto spoils = [&](const char* what, CUresult expected, auto&& call) {
    CAPTURE(what);
    REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    CHECK_RESULT(call(), expected);
    CHECK_RESULT(g.add(1, g.stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    g.ends_spoilt();
  };
  const CUresult unsupported = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  CUdeviceptr more = 0;
  void* host = nullptr;
  unsigned word = 0;
  spoils("allocate", unsupported, [&] { return cuMemAlloc(&more, 64); });
  spoils("allocate in order", unsupported, [&] { return cuMemAllocAsync(&more, 64, g.stream); });
  spoils("free", unsupported, [&] { return cuMemFree(g.data); });
  spoils("host memory", unsupported, [&] { return cuMemAllocHost(&host, 64); });
  spoils("copy", unsupported, [&] { return cuMemcpyDtoH(&word, g.data, 4); });
  spoils("fill", unsupported, [&] { return cuMemsetD8(g.data, 0, 4); });
  spoils("synchronize", unsupported, [&] { return cuStreamSynchronize(g.stream); });
  spoils("query", unsupported, [&] { return cuStreamQuery(g.stream); });
  spoils("context", unsupported, [&] { return cuCtxSynchronize(); });
  // An event of before the capture.
  REQUIRE_OK(cuEventRecord(g.fork, g.other));
  spoils("outside", CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
         [&] { return cuStreamWaitEvent(g.stream, g.fork, 0); });
  CHECK_RESULT(g.add(1, g.other), CUDA_SUCCESS);
  CHECK(g.value() == 1);

  // The default stream waits for a stream that does not ignore it, and only for such.
  CUstream blocking = nullptr;
  REQUIRE_OK(cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK_RESULT(g.add(1, nullptr), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  REQUIRE_OK(cuStreamEndCapture(g.stream, &graph));
  REQUIRE_OK(cuStreamBeginCapture(blocking, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK_RESULT(g.add(1, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  CHECK_RESULT(cuStreamEndCapture(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CHECK_RESULT(cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL), unsupported);
  CHECK_RESULT(cuStreamEndCapture(g.stream, &graph), CUDA_ERROR_ILLEGAL_STATE);
}

TEST_CASE("the mode of a capture says which threads it binds") {
  Graphs g;
  const auto elsewhere = [&](auto&& call) {
    CUresult result = CUDA_SUCCESS;
    std::thread([&] {
      cuCtxSetCurrent(g.context);
      result = call();
    }).join();
    return result;
  };
  CUdeviceptr more = 0;
  CUgraph graph = nullptr;
  const auto allocate = [&] { return cuMemAlloc(&more, 64); };
  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  CHECK_RESULT(allocate(), CUDA_SUCCESS);
  CHECK_RESULT(elsewhere([&] { return cuStreamEndCapture(g.stream, &graph); }), CUDA_SUCCESS);

  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  CHECK_RESULT(elsewhere(allocate), CUDA_SUCCESS);
  CHECK_RESULT(elsewhere([&] { return cuStreamEndCapture(g.stream, &graph); }),
               CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  REQUIRE_OK(cuStreamEndCapture(g.stream, &graph));

  REQUIRE_OK(cuStreamBeginCapture(g.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  REQUIRE_OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK(mode == CU_STREAM_CAPTURE_MODE_GLOBAL);
  CHECK_RESULT(allocate(), CUDA_SUCCESS);
  REQUIRE_OK(cuThreadExchangeStreamCaptureMode(&mode));
  CHECK_RESULT(elsewhere(allocate), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  g.ends_spoilt();
}
