// Causal linear attention in chunks, with its state [d, e] carried from chunk to chunk
// (Katharopoulos et al. 2020, arXiv 2006.16236, equations 9 to 12, with the feature map elu(x) + 1;
// not normalised).
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// elu(x) + 1.
template <typename X>
auto feature(const X& x) {
  return where(x > 0.f, x + 1.f, exp(min(x, 0.f)));
}

/// out[i] = sum over j <= i of (f(q[i]) . f(k[j])) v[j], one program per head. A tile of rows is a
/// chunk: as queries it is C, as keys N. Within it the scores are formed, what came before it is in
/// the state.
inline auto linear_attention() {
  constexpr Dim<"batch"> B;
  constexpr Dim<"head"> H;
  constexpr Dim<"n"> N;
  constexpr Dim<"c"> C;
  constexpr Dim<"d"> D;
  constexpr Dim<"e"> E;
  return kernel("linear_attention", [=](In<"q", f32, B, H, N, D> Q, In<"k", f32, B, H, N, D> K,
                                        In<"v", f32, B, H, N, E> V, Out<"out", f32, B, H, N, E> O) {
    auto b = each(B);
    auto h = each(H);
    Var<f32, D, E> state{"state", 0.f};
    for_blocks(N, [&](auto n) {
      auto c = as<C>(n);
      auto q = let("q", feature(load(Q(b, h, c, D))));
      auto k = let("k", feature(load(K(b, h, n, D))));
      auto v = let("v", load(V(b, h, n, E)));
      auto s = let("s", where(index(C) >= index(N), dot(q, k, D), 0.f));
      store(O(b, h, c, E), dot(s, v, N) + dot(q, state, D));
      state = state + dot(k, v, N);
    });
  });
}

}  // namespace tilewright::test
