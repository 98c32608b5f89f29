// Task: tensors as they lie in memory. A view has extents in one fixed order (batch, heads, length,
// dim) and strides that say where things are; nothing is copied or padded. Three ways to make one:
//
//   transposed   [batch, length, heads, dim], the layout of most engines
//   slice        q, k and v packed into one tensor, as one projection leaves them
//   slice        rows with padding behind them
//
//   build/examples/tasks/strided_views
//
// Next: dump_and_ship.cpp.
#include "task.hpp"
using namespace task;

int main() try {
  const Device device = Device::open();
  const Problem p{.batch = 2, .heads = 3, .kv_heads = 3, .rows = 50, .keys = 50, .dim = 40};
  const auto plan = Attention{}.mask(causal()).compile(device, {.dtype = bf16, .head_dim = p.dim});
  const Stream stream = Stream::default_stream(device);
  const auto sees = [](int row, int key) { return key <= row; };

  // [batch, length, q heads | k heads | v heads, padded dim]: everything at once.
  const int pitch = 48;
  const Tensor packed(device, bf16, {p.batch, p.rows, 3 * p.heads, pitch}, 1);
  Tensor out(device, bf16, {p.batch, p.rows, p.heads, p.dim});  // [batch, length, heads, dim]
  Tensor lse(device, f32, {p.batch, p.rows, p.heads});          // [batch, length, heads]

  const TensorView all = packed, out_view = out, lse_view = lse;
  const auto part = [&](int which) {
    return all
        .slice(2, which * p.heads, p.heads)  // the heads of q, of k or of v
        .slice(3, 0, p.dim)                  // without the padding
        .transposed(1, 2);                   // heads before length
  };
  const TensorView q = part(0), k = part(1), v = part(2);
  plan.launch(
      stream,
      {.q = q, .k = k, .v = v, .out = out_view.transposed(1, 2), .lse = lse_view.transposed(1, 2)});
  out.download();
  lse.download();
  for (const auto& [name, view] : {std::pair{"q", q}, {"k", k}, {"v", v}})
    std::printf("%s: extents %ld %ld %ld %ld, strides %ld %ld %ld %ld, %ld bytes in\n", name,
                view.extents[0], view.extents[1], view.extents[2], view.extents[3], view.strides[0],
                view.strides[1], view.strides[2], view.strides[3],
                static_cast<long>(view.data - all.data));

  const auto element = [&](int which) {
    return [&, which](int b, int h, int i, int c) { return packed(b, i, which * p.heads + h, c); };
  };
  const double error = largest_error(
      p, element(0), element(1), element(2), sees,
      [&](int b, int h, int i, int c) { return out(b, i, h, c); },
      [&](int b, int h, int i) { return lse(b, i, h); });

  // An output whose elements share addresses has no right answer: refused.
  try {
    TensorView same = out_view.transposed(1, 2);
    same.strides[0] = 0;
    plan.launch(stream, {.q = q, .k = k, .v = v, .out = same});
    return 1;
  } catch (const Error& refused) {
    std::printf("%s\n", refused.what());
  }
  return verdict("strided_views", device, error);
} catch (const Error& error) {
  return failed(error);
}
