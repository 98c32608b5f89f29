// Lesson 4: causal attention in one pass over the keys, the kernel of the README.
//
// Lesson 2's softmax, with two products around it: scores are queries times keys, and what is
// summed is the exponentials times the values. `OnlineSoftmax` is lesson 2's loop body, written
// once. `dot` contracts the dimension it names; which tensor cores that takes shows --cuda. The
// mask is a sentence about positions: from it follows which tiles of keys are never read, which
// need no mask, and which do.
//
// Next: 05_mask.cpp, a mask of your own; what OnlineSoftmax is stands in
// dsl/tilewright/dsl/online_softmax.hpp.
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"batch"> B;
constexpr Dim<"q_head"> HQ;
constexpr Dim<"kv_head"> HK;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;  // of queries and keys
constexpr Dim<"e"> E;  // of values

// clang-format off
auto flash = kernel("flash",
    [](In<"q", bf16, B, HQ, M, D> Q, In<"k", bf16, B, HK, N, D> K, In<"v", bf16, B, HK, N, E> V,
       Out<"out", bf16, B, HQ, M, E> O, Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
      auto b = each(B);  auto hq = each(HQ);  auto m = blocks(M);
      auto hk = hq / (extent(HQ) / extent(HK));                    // several query heads share a kv head

      auto q = let("q", load(Q(b, hq, m, D)));
      OnlineSoftmax<M, E> softmax;
      for_blocks(N, causal(M, N), [&](auto n) {
        auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);  // [q, kv]
        softmax.update(s, load(V(b, hk, n, E)), N);
      });
      store(O(b, hq, m, E), softmax.result());
      store(LSE(b, hq, m), softmax.logsumexp());
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const int batch = 2, heads = 4, kv_heads = 2, rows = 77, keys = 333, d = 64, e = 48;
  const Plan plan = compile(device, flash, {.extents = {{D, d}, {E, e}}});  // used whole: known now
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const lesson::Tensor q(device, bf16, {batch, heads, rows, d}, 1);
  const lesson::Tensor k(device, bf16, {batch, kv_heads, keys, d}, 2);
  const lesson::Tensor v(device, bf16, {batch, kv_heads, keys, e}, 3);
  lesson::Tensor out(device, bf16, {batch, heads, rows, e}), lse(device, f32, {batch, heads, rows});
  plan.launch(Stream::default_stream(device),
              {{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse}, {"softmax_scale", 0.125}});
  out.download();
  lse.download();

  double error = 0;
  for (int b = 0; b < batch; ++b)
    for (int h = 0; h < heads; ++h)
      for (int i = 0; i < rows; ++i) {
        const int visible = i + keys - rows + 1,
                  hk = h / (heads / kv_heads);  // the last row sees all
        std::vector<double> value(e), weight(visible);
        double sum = 0;
        for (int j = 0; j < visible; ++j) {
          double s = 0;
          for (int c = 0; c < d; ++c) s += q(b, h, i, c) * k(b, hk, j, c);
          sum += weight[j] = std::exp(s * 0.125);
          for (int c = 0; c < e; ++c) value[c] += weight[j] * v(b, hk, j, c);
        }
        for (int c = 0; c < e; ++c)
          error = lesson::worse(error, std::fabs(out(b, h, i, c) - value[c] / sum));
        error = lesson::worse(error, std::fabs(lse(b, h, i) - std::log(sum)));
      }
  return lesson::verdict(plan, error,
                         0.01);  // bf16 has 8 bits: out below 2 is rounded by up to 0.004
} catch (const Error& error) {
  return lesson::failed(error);
}
