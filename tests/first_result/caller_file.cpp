// The file of a caller: a bundled attention, compiled and launched. compile_time.sh measures its
// compile; it is never linked.
#include <cstdio>
#include <tilewright/library.hpp>
using namespace tilewright;

void attend(const Stream& stream, CUdeviceptr q, CUdeviceptr k, CUdeviceptr v, CUdeviceptr out,
            std::int64_t batch, std::int64_t length) try {
  static const AttentionPlan plan =
      Attention{}.mask(causal()).compile(Device::open(), {.dtype = bf16, .head_dim = 128});
  const auto tensor = [&](CUdeviceptr data, std::int64_t heads) {
    return TensorView::contiguous(data, bf16, {batch, length, heads, 128}).transposed(1, 2);
  };
  plan.launch(stream,
              {.q = tensor(q, 32), .k = tensor(k, 8), .v = tensor(v, 8), .out = tensor(out, 32)});
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
}
