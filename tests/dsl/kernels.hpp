// The two kernels that DESIGN shows, as written there: tests trace them, and compile them as a user
// would. They keep the layout that they have there.
#pragma once

#include <tilewright/dsl.hpp>

namespace kernels {

using namespace tilewright;

inline constexpr Dim<"batch"> B;
inline constexpr Dim<"q_head"> HQ;
inline constexpr Dim<"kv_head"> HK;
inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"e"> E;

// clang-format off
inline auto flash = kernel("flash",
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

template <DType T>
inline auto spelled_out = kernel("spelled_out",
    [](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K, In<"v", T, B, HK, N, E> V,
       Out<"out", T, B, HQ, M, E> O, Scalar<"scale_log2", f32> scale_log2) {
      auto b = each(B);  auto hq = each(HQ);  auto m = blocks(M, 64);
      auto hk = hq / (extent(HQ) / extent(HK));
      auto q = let("q", load(Q(b, hq, m, D)));
      auto visible = index(N) <= position(M) && index(N) > position(M) - 128;

      Var<f32, M>    row_max{"row_max", -infinity};
      Var<f32, M>    row_sum{"row_sum", 0.f};
      Var<f32, M, E> acc{"acc", 0.f};
      for_blocks(N, visible, [&](auto n) {
        auto s     = let("s", dot(q, load(K(b, hk, n, D)), D) * scale_log2);
        auto m_new = let("m_new", max(row_max, reduce_max(s, N)));
        auto p     = let("p", exp2_safe(s, m_new));
        auto alpha = let("alpha", exp2_safe(row_max, m_new));
        row_sum = row_sum * alpha + reduce_sum(p, N);
        acc     = acc * alpha + dot(cast<T>(p), load(V(b, hk, n, E)), N);
        row_max = m_new;
      });
      store(O(b, hq, m, E), acc / where(row_sum == 0, 1, row_sum));
    });
// clang-format on

}  // namespace kernels
