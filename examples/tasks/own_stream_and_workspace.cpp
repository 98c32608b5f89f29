// Task: inside an engine that has its own stream, its own memory and its own CUDA graph. A launch
// takes the caller's CUstream, and the caller's workspace where a plan needs one; it never
// compiles, allocates or waits, so a graph can capture it and replay it on new numbers.
//
//   build/examples/tasks/own_stream_and_workspace
//
// The calls are the CUDA Driver API's (libcuda.so.1). Without a GPU the emulator has them too:
//   LD_LIBRARY_PATH=build/emulator build/examples/tasks/own_stream_and_workspace
//
// Next: strided_views.cpp.
#include <cuda.h>

#include <stdexcept>

#include "task.hpp"
using namespace task;

namespace {

void call(CUresult result, const char* what) {
  if (result == CUDA_SUCCESS) return;
  throw std::runtime_error(std::string(what) + " failed");
}
#define CALL(function, ...) call(function(__VA_ARGS__), #function)

}  // namespace

int main() try {
  const Device device = Device::open();
  const Problem p{.batch = 2, .heads = 4, .kv_heads = 2, .rows = 40, .keys = 40, .dim = 64};
  const auto plan = Attention{}.mask(causal()).compile(device, {.dtype = bf16, .head_dim = p.dim});
  CALL(cuCtxSetCurrent, device.context());  // an engine has one current already

  // Asked before a launch, given with it. The bundled attention of today takes none.
  const std::size_t bytes = plan.workspace_bytes({.batch = p.batch,
                                                  .heads = p.heads,
                                                  .kv_heads = p.kv_heads,
                                                  .seqlen_q = p.rows,
                                                  .seqlen_kv = p.keys});
  CUdeviceptr memory = 0;
  CALL(cuMemAlloc, &memory, bytes + 256);
  std::printf("workspace: %zu bytes\n", bytes);

  const std::vector<std::int64_t> q_shape{p.batch, p.heads, p.rows, p.dim},
      k_shape{p.batch, p.kv_heads, p.keys, p.dim};
  const Tensor q(device, bf16, q_shape, 1), k(device, bf16, k_shape, 2),
      v(device, bf16, k_shape, 3);
  const Tensor next(device, bf16, q_shape, 4);
  Tensor out(device, bf16, q_shape), lse(device, f32, {p.batch, p.heads, p.rows});

  CUstream stream = nullptr;
  CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
  CALL(cuStreamBeginCapture, stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
  plan.launch(Stream::wrap(device, stream), {.q = q, .k = k, .v = v, .out = out, .lse = lse},
              Workspace(memory, bytes));
  CUgraph graph = nullptr;
  CALL(cuStreamEndCapture, stream, &graph);
  CUgraphExec replay = nullptr;
  CALL(cuGraphInstantiate, &replay, graph, 0);

  double error = 0;
  const auto sees = [](int row, int key) { return key <= row; };
  for (const Tensor* queries : {&q, &next}) {
    const TensorView to = q, from = *queries;
    if (queries != &q) CALL(cuMemcpyDtoDAsync, to.data, from.data, 2 * 2 * 4 * 40 * 64, stream);
    CALL(cuGraphLaunch, replay, stream);
    CALL(cuStreamSynchronize, stream);
    out.download();
    lse.download();
    const double now = largest_error(p, *queries, k, v, sees, out, lse);
    std::printf("replayed: max error %.2g\n", now);
    error = example::worse(error, now);
  }
  CALL(cuGraphExecDestroy, replay);
  CALL(cuGraphDestroy, graph);
  CALL(cuStreamDestroy, stream);
  CALL(cuMemFree, memory);
  return verdict("own_stream_and_workspace", device, error);
} catch (const std::exception& error) {
  return failed(error);
}
