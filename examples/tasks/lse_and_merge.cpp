// Task: attention over keys that are not in one place. Each part gives its result and the logarithm
// of its sum of exponentials (lse); two such pairs merge into what one attention over all the keys
// gives. So work keys split over launches, a prefix shared by many sequences, and a ring of GPUs.
//
//   build/examples/tasks/lse_and_merge
//
// Next: own_stream_and_workspace.cpp.
#include "task.hpp"
using namespace task;

int main() try {
  const Device device = Device::open();
  const Stream stream = Stream::default_stream(device);
  const Problem p{.batch = 1, .heads = 4, .kv_heads = 4, .rows = 33, .keys = 200, .dim = 64};
  const auto attention = Attention{}.compile(device, {.dtype = bf16, .head_dim = p.dim});
  const auto merge = compile_merge(device, {.dtype = bf16, .value_dim = p.dim});

  const Tensor q(device, bf16, {1, p.heads, p.rows, p.dim}, 1);
  const Tensor k(device, bf16, {1, p.heads, p.keys, p.dim}, 2);
  const Tensor v(device, bf16, {1, p.heads, p.keys, p.dim}, 3);
  const auto rows = [&] { return Tensor(device, bf16, {1, p.heads, p.rows, p.dim}); };
  const auto numbers = [&] { return Tensor(device, f32, {1, p.heads, p.rows}); };
  Tensor whole = rows(), merged = rows(), lse = numbers(), merged_lse = numbers();
  Tensor first = rows(), second = rows(), first_lse = numbers(), second_lse = numbers();

  attention.launch(stream, {.q = q, .k = k, .v = v, .out = whole, .lse = lse});

  // The same keys in two launches: views of the same memory, split along the length.
  const TensorView keys = k, values = v;
  const int split = 70;
  attention.launch(stream, {.q = q,
                            .k = keys.slice(2, 0, split),
                            .v = values.slice(2, 0, split),
                            .out = first,
                            .lse = first_lse});
  attention.launch(stream, {.q = q,
                            .k = keys.slice(2, split, p.keys - split),
                            .v = values.slice(2, split, p.keys - split),
                            .out = second,
                            .lse = second_lse});
  merge.launch(stream, {.out_a = first,
                        .lse_a = first_lse,
                        .out_b = second,
                        .lse_b = second_lse,
                        .out = merged,
                        .lse = merged_lse});
  for (Tensor* tensor : {&whole, &lse, &merged, &merged_lse, &first_lse, &second_lse})
    tensor->download();

  std::printf("row   lse of keys 0..%d   of %d..%d   merged   of all at once\n", split - 1, split,
              p.keys - 1);
  for (int i = 0; i < p.rows; i += 8)
    std::printf("%3d   %17.4f   %10.4f   %6.4f   %14.4f\n", i, first_lse(0, 0, i),
                second_lse(0, 0, i), merged_lse(0, 0, i), lse(0, 0, i));
  const auto all = [](int, int) { return true; };
  const double error = largest_error(p, q, k, v, all, merged, merged_lse);
  return verdict("lse_and_merge", device,
                 example::worse(error, largest_error(p, q, k, v, all, whole, lse)));
} catch (const Error& error) {
  return failed(error);
}
