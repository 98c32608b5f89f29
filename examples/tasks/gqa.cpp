// Task: grouped-query attention. 12 query heads share 4, 2 or 1 kv heads (the last is multi-query
// attention); any ratio works, and one plan serves them all: head counts are the launch's.
//
//   build/examples/tasks/gqa
//
// Next: cross_attention.cpp.
#include "task.hpp"
using namespace task;

int main() try {
  const Device device = Device::open();
  const auto plan = Attention{}.mask(causal()).compile(device, {.dtype = bf16, .head_dim = 64});
  const Stream stream = Stream::default_stream(device);

  double error = 0;
  for (const int kv_heads : {12, 4, 2, 1}) {
    const Problem p{
        .batch = 2, .heads = 12, .kv_heads = kv_heads, .rows = 60, .keys = 60, .dim = 64};
    const Tensor q(device, bf16, {p.batch, p.heads, p.rows, p.dim}, 1);
    const Tensor k(device, bf16, {p.batch, p.kv_heads, p.keys, p.dim}, 2);
    const Tensor v(device, bf16, {p.batch, p.kv_heads, p.keys, p.dim}, 3);
    Tensor out(device, bf16, {p.batch, p.heads, p.rows, p.dim}),
        lse(device, f32, {p.batch, p.heads, p.rows});
    plan.launch(stream, {.q = q, .k = k, .v = v, .out = out, .lse = lse});
    out.download();
    lse.download();
    const auto sees = [](int row, int key) { return key <= row; };
    const double now = largest_error(p, q, k, v, sees, out, lse);
    std::printf("%2d query heads, %2d kv heads: k and v take %3d KiB, max error %.2g\n", p.heads,
                kv_heads, 2 * p.batch * kv_heads * p.keys * p.dim * 2 / 1024, now);
    error = example::worse(error, now);
  }

  // A ratio that is none is refused before anything runs, in words that say what would do.
  try {
    const Tensor q(device, bf16, {1, 12, 60, 64}, 1), kv(device, bf16, {1, 5, 60, 64}, 2);
    plan.launch(stream, {.q = q, .k = kv, .v = kv, .out = q});
    return 1;
  } catch (const Error& refused) {
    std::printf("%s\n", refused.what());
  }
  return verdict("gqa", device, error);
} catch (const Error& error) {
  return failed(error);
}
