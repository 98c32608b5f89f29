// Exact attention the plain way, by three kernels that pass the scores S and the weights P through
// memory ("Algorithm 0" of FlashAttention, Dao et al. 2022, arXiv 2205.14135): what every other
// variant is compared with. S and P take [batch, q_head, q, kv] elements of type W each.
#pragma once

#include <numbers>
#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

/// S = softmax_scale * q . k, every pair, visible or not. Query head h reads kv head h / (q_head /
/// kv_head).
template <DType T, DType W>
auto standard_scores() {
  return kernel("scores", [](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K,
                             Temp<"s", W, B, HQ, M, N> S, Scalar<"softmax_scale", f32> scale) {
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto n = blocks(N);
    auto hk = hq / (extent(HQ) / extent(HK));
    store(S(b, hq, m, n), dot(load(Q(b, hq, m, D)), load(K(b, hk, n, D)), D) * scale);
  });
}

/// P = softmax of each row of S over the keys `mask` shows, 0 elsewhere, in two walks over the row;
/// lse is its natural logarithm of the sum of exponentials. A row without a key has 0 and -inf.
template <DType W, auto Keys = N, typename Mask>
auto standard_weights(Mask mask) {
  return kernel("weights", [mask](Temp<"s", W, B, HQ, M, Keys> S, Temp<"p", W, B, HQ, M, Keys> P,
                                  Out<"lse", f32, B, HQ, M> LSE) {
    constexpr auto log2_e = std::numbers::log2e_v<float>, ln_2 = std::numbers::ln2_v<float>;
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto score = [&](auto n) { return cast<f32>(load(S(b, hq, m, n))) * log2_e; };
    Var<f32, M> row_max{"row_max", -infinity};
    Var<f32, M> row_sum{"row_sum", 0.f};
    mask([&](auto... visible) {
      for_blocks(Keys, visible..., [&](auto n) {
        auto s = let("score", score(n));
        auto m_new = let("m_new", max(row_max, reduce_max(s, Keys)));
        row_sum = row_sum * exp2_safe(row_max, m_new) + reduce_sum(exp2_safe(s, m_new), Keys);
        row_max = m_new;
      });
      auto sum = let("sum", where(row_sum == 0.f, 1.f, row_sum));
      for_blocks(Keys, [&](auto n) {
        auto p = let("weight", exp2_safe(score(n), row_max) / sum);
        if constexpr (sizeof...(visible) == 0)
          store(P(b, hq, m, n), p);
        else
          store(P(b, hq, m, n), where((... && visible), p, 0.f));
      });
    });
    store(LSE(b, hq, m), row_max * ln_2 + log(row_sum));
  });
}

/// out = P v. Every key takes part, hidden ones with weight 0.
template <DType T, DType W>
auto standard_values() {
  return kernel("values", [](Temp<"p", W, B, HQ, M, N> P, In<"v", T, B, HK, N, E> V,
                             Out<"out", T, B, HQ, M, E> O) {
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto hk = hq / (extent(HQ) / extent(HK));
    Var<f32, M, E> acc{"acc", 0.f};
    for_blocks(N, [&](auto n) {
      acc = acc + dot(cast<T>(load(P(b, hq, m, n))), load(V(b, hk, n, E)), N);
    });
    store(O(b, hq, m, E), acc);
  });
}

}  // namespace tilewright::library
