// The rotation of rotary positions (Su et al. 2021, arXiv 2104.09864, equation 34) in both
// pairings.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// Turns pair p of each row by the angle whose cosine and sine are given: element p of the first
/// half with element p of the second ("half"), or elements 2p and 2p + 1 ("interleaved").
template <DType T, bool interleaved>
auto rope() {
  constexpr Dim<"batch"> B;
  constexpr Dim<"head"> H;
  constexpr Dim<"row"> M;
  constexpr Dim<"d"> D;
  constexpr Dim<"pair"> P;
  return kernel("rope", [=](In<"x", T, B, H, M, D> X, In<"cosine", f32, M, P> Cosine,
                            In<"sine", f32, M, P> Sine, Out<"y", T, B, H, M, D> Y) {
    auto b = each(B);
    auto h = each(H);
    auto m = blocks(M);
    const auto member = [&](int i) {  // C++ chooses while the kernel is traced
      if constexpr (interleaved)
        return split(D, P, 2)[i];
      else
        return split(D, 2, P)[i];
    };
    auto one = let("one", cast<f32>(load(X(b, h, m, member(0)))));
    auto two = let("two", cast<f32>(load(X(b, h, m, member(1)))));
    auto c = let("c", load(Cosine(m, P)));
    auto s = let("s", load(Sine(m, P)));
    store(Y(b, h, m, member(0)), one * c - two * s);
    store(Y(b, h, m, member(1)), two * c + one * s);
  });
}

}  // namespace tilewright::test
