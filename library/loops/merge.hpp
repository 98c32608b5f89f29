// The merge of two partial results of one softmax by their logsumexp (section 2.3 of
// FlashAttention-2, Dao 2023, arXiv 2307.08691; tree and ring attention use the same rule).
#pragma once

#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

/// out and lse of the softmax over what `a` and `b` have seen together, row by row. A row that saw
/// nothing (0, -inf) on one side takes the other's; on both, 0 and -inf.
template <DType T>
auto merge_partials() {
  return kernel("merge", [](In<"out_a", T, B, HQ, M, E> OutA, In<"lse_a", f32, B, HQ, M> LseA,
                            In<"out_b", T, B, HQ, M, E> OutB, In<"lse_b", f32, B, HQ, M> LseB,
                            Out<"out", T, B, HQ, M, E> O, Out<"lse", f32, B, HQ, M> LSE) {
    auto b = each(B);
    auto hq = each(HQ);
    auto m = blocks(M);
    auto lse_a = let("lse_a", load(LseA(b, hq, m)));
    auto lse_b = let("lse_b", load(LseB(b, hq, m)));
    auto most = let("most", max(lse_a, lse_b));
    // What a row that saw nothing holds is not looked at, be it NaN.
    auto weight = [&](auto lse) { return where(lse == -infinity, 0.f, exp(lse - most)); };
    auto weight_a = let("weight_a", weight(lse_a));
    auto weight_b = let("weight_b", weight(lse_b));
    auto part = [](auto value, auto by) { return where(by == 0.f, 0.f, cast<f32>(value) * by); };
    auto sum = let("sum", weight_a + weight_b);
    auto part_a = let("part_a", part(load(OutA(b, hq, m, E)), weight_a));
    auto part_b = let("part_b", part(load(OutB(b, hq, m, E)), weight_b));
    store(O(b, hq, m, E), (part_a + part_b) / where(sum == 0.f, 1.f, sum));
    store(LSE(b, hq, m), most + log(sum));
  });
}

}  // namespace tilewright::library
