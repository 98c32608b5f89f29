// Task: queries and keys of different lengths. Without a mask every row sees every key. A causal
// mask has to say which ends meet: bottom-right (the default; the last row sees the last key, as in
// decoding a few new tokens against a cache) or top-left (row 0 sees key 0 only).
//
//   build/examples/tasks/cross_attention
//
// Next: lse_and_merge.cpp.
#include "task.hpp"
using namespace task;

namespace {

/// Prints which of the first keys the rows see, as a reader of the mask would draw it.
template <typename Sees>
void draw(const char* title, const Problem& p, const Sees& sees) {
  std::printf("%s: %d rows, %d keys\n", title, p.rows, p.keys);
  for (int i = 0; i < p.rows; ++i) {
    for (int j = 0; j < p.keys; ++j) std::putchar(sees(i, j) ? 'x' : '.');
    std::putchar('\n');
  }
}

template <typename Sees>
double run(const Attention& attention, const Device& device, const Problem& p, const Sees& sees) {
  const auto plan = attention.compile(device, {.dtype = f16, .head_dim = p.dim});
  const Tensor q(device, f16, {p.batch, p.heads, p.rows, p.dim}, 1);
  const Tensor k(device, f16, {p.batch, p.heads, p.keys, p.dim}, 2);
  const Tensor v(device, f16, {p.batch, p.heads, p.keys, p.dim}, 3);
  Tensor out(device, f16, {p.batch, p.heads, p.rows, p.dim});
  Tensor lse(device, f32, {p.batch, p.heads, p.rows});
  plan.launch(Stream::default_stream(device), {.q = q, .k = k, .v = v, .out = out, .lse = lse});
  out.download();
  lse.download();
  return largest_error(p, q, k, v, sees, out, lse);
}

}  // namespace

int main() try {
  const Device device = Device::open();
  const Problem few{.heads = 2, .kv_heads = 2, .rows = 5, .keys = 40, .dim = 64};
  const Problem many{.heads = 2, .kv_heads = 2, .rows = 9, .keys = 6, .dim = 64};

  double error = run(Attention{}, device, few, [](int, int) { return true; });
  for (const Problem& p : {few, many}) {
    const auto at_the_end = [&](int row, int key) { return key <= row + p.keys - p.rows; };
    draw("bottom-right", p, at_the_end);
    error = example::worse(error, run(Attention{}.mask(causal()), device, p, at_the_end));
    const auto at_the_start = [](int row, int key) { return key <= row; };
    draw("top-left", p, at_the_start);
    error = example::worse(error, run(Attention{}.mask(causal(top_left)), device, p, at_the_start));
  }
  std::printf("a row without a key gives 0, and -inf as its lse\n");
  return verdict("cross_attention", device, error);
} catch (const Error& error) {
  return failed(error);
}
