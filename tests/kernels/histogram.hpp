// A histogram: programs that meet in one counter add by atomics.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// count[x[n]] += 1 for every n; a number outside the bins counts nowhere. i32 sums are the same in
/// any order, so the result is bit-stable.
inline auto histogram() {
  constexpr Dim<"element"> N;
  constexpr Dim<"bin"> K;
  return kernel("histogram", [=](In<"x", i32, N> X, InOut<"count", i32, K> Count) {
    auto n = blocks(N);
    atomic_add(Count(load(X(n))), 1);
  });
}

}  // namespace tilewright::test
