// The file of a user: one kernel, compiled and launched. compile_time.sh measures its compile; it
// is never linked.
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>
using namespace tilewright;

inline constexpr Dim<"batch"> B;
inline constexpr Dim<"q_head"> HQ;
inline constexpr Dim<"kv_head"> HK;
inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"e"> E;

// clang-format off
auto flash = kernel("flash",
    [](In<"q", bf16, B, HQ, M, D> Q, In<"k", bf16, B, HK, N, D> K, In<"v", bf16, B, HK, N, E> V,
       Out<"out", bf16, B, HQ, M, E> O, Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
      auto b = each(B);  auto hq = each(HQ);  auto m = blocks(M);
      auto hk = hq / (extent(HQ) / extent(HK));
      auto q = let("q", load(Q(b, hq, m, D)));
      OnlineSoftmax<M, E> softmax;
      for_blocks(N, causal(M, N), [&](auto n) {
        auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);
        softmax.update(s, load(V(b, hk, n, E)), N);
      });
      store(O(b, hq, m, E), softmax.result());
      store(LSE(b, hq, m), softmax.logsumexp());
    });
// clang-format on

void attend(const Stream& stream, const TensorView& q, const TensorView& k, const TensorView& v,
            const TensorView& out, const TensorView& lse) {
  static const Plan plan = compile(Device::open(), flash, {.extents = {{D, 128}, {E, 128}}});
  plan.launch(
      stream,
      {{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse}, {"softmax_scale", 0.088f}});
}
