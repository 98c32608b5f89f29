// Lesson 5: a mask of your own is one condition, and the compiler reads it.
//
// A window of `window` keys that ends at the row's own position, and besides the first `sinks` keys
// of the sequence, which everybody sees (StreamingLLM: Xiao et al. 2023, arXiv 2309.17453). Nothing
// else changes from lesson 4. From the condition the compiler derives, for every tile of queries,
// two ranges of key tiles, walks nothing between them, and tests elements only in tiles that the
// mask cuts; both numbers are arguments of the launch, so one plan serves every window.
//
// A mask restricts what the loop runs over and changes no value: inside it a reduction or a product
// over N takes visible keys only. `a && b`, not `if (a && b)`: the condition is an expression that
// is recorded, and C++'s own `if` on it is refused by the C++ compiler.
//
// The end of this file counts what was read, from the emulator's own counters.
//
// Next: 06_reading_the_cuda.cpp.
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"batch"> B;
constexpr Dim<"head"> H;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;

// clang-format off
auto streaming = kernel("streaming",
    [](In<"q", bf16, B, H, M, D> Q, In<"k", bf16, B, H, N, D> K, In<"v", bf16, B, H, N, E> V,
       Out<"out", bf16, B, H, M, E> O, Scalar<"softmax_scale", f32> scale,
       Scalar<"window", i32> window, Scalar<"sinks", i32> sinks) {
      auto b = each(B);  auto h = each(H);  auto m = blocks(M);
      auto q = let("q", load(Q(b, h, m, D)));
      auto visible = causal(M, N) && (position(M) - index(N) < window || index(N) < sinks);

      OnlineSoftmax<M, E> softmax;
      for_blocks(N, visible, [&](auto n) {
        auto s = let("s", dot(q, load(K(b, h, n, D)), D) * scale);
        softmax.update(s, load(V(b, h, n, E)), N);
      });
      store(O(b, h, m, E), softmax.result());
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const int heads = 2, length = 2000, d = 64;
  const Plan plan = compile(device, streaming, {.extents = {{D, d}, {E, d}}});
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const lesson::Tensor q(device, bf16, {1, heads, length, d}, 1);
  const lesson::Tensor k(device, bf16, {1, heads, length, d}, 2);
  const lesson::Tensor v(device, bf16, {1, heads, length, d}, 3);
  lesson::Tensor out(device, bf16, {1, heads, length, d});

  double error = 0;
  for (const auto& [window, sinks] : {std::pair{length, 0}, {300, 4}, {1, 0}}) {
    if (device.is_emulator()) device.emulator()->reset();
    plan.launch(Stream::default_stream(device), {{"q", q},
                                                 {"k", k},
                                                 {"v", v},
                                                 {"out", out},
                                                 {"softmax_scale", 0.125},
                                                 {"window", window},
                                                 {"sinks", sinks}});
    out.download();
    for (const int i : {0, 1, 299, 300, 301, 1024, length - 1}) {  // a row of each sort
      std::vector<double> weight(static_cast<std::size_t>(i) + 1);
      double sum = 0;
      for (int j = 0; j <= i; ++j) {
        if (i - j >= window && j >= sinks) continue;
        double s = 0;
        for (int c = 0; c < d; ++c) s += q(0, 1, i, c) * k(0, 1, j, c);
        sum += weight[static_cast<std::size_t>(j)] = std::exp(s * 0.125);
      }
      for (int c = 0; c < d; ++c) {
        double want = 0;
        for (int j = 0; j <= i; ++j)
          want += weight[static_cast<std::size_t>(j)] * v(0, 1, j, c) / sum;
        error = lesson::worse(error, std::fabs(out(0, 1, i, c) - want) / (1 + std::fabs(want)));
      }
    }
    if (device.is_emulator())
      std::printf("window %4d, sinks %d: %5.1f MB read\n", window, sinks,
                  nlohmann::json::parse(device.emulator()->counters())
                          .at("global_load_bytes")
                          .get<double>() /
                      1e6);
  }
  return lesson::verdict(plan, error, 1e-2);
} catch (const Error& error) {
  return lesson::failed(error);
}
