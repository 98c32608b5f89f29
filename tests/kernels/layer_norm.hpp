// Layer norm of rows of any width (Ba, Kiros and Hinton 2016, arXiv 1607.06450, equation 4).
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::test {

/// y = (x - mean) / sqrt(variance + epsilon) * gain + bias, row by row, a tile at a time: one pass
/// for the mean, one for the squares around it, one to write.
template <DType T>
auto layer_norm() {
  constexpr Dim<"row"> M;
  constexpr Dim<"column"> N;
  return kernel("layer_norm",
                [=](In<"x", T, M, N> X, In<"gain", f32, N> Gain, In<"bias", f32, N> Bias,
                    Out<"y", T, M, N> Y, Scalar<"epsilon", f32> epsilon) {
                  auto m = blocks(M);
                  auto x = [&](auto n) { return cast<f32>(load(X(m, n))); };
                  Var<f32, M> sum{"sum", 0.f};
                  for_blocks(N, [&](auto n) { sum = sum + reduce_sum(x(n), N); });
                  auto mean = let("mean", sum / cast<f32>(extent(N)));
                  Var<f32, M> squares{"squares", 0.f};
                  for_blocks(N, [&](auto n) {
                    auto apart = let("apart", x(n) - mean);
                    squares = squares + reduce_sum(apart * apart, N);
                  });
                  auto scale = let("scale", rsqrt(squares / cast<f32>(extent(N)) + epsilon));
                  for_blocks(N, [&](auto n) {
                    auto y = let("normalized", (x(n) - mean) * scale);
                    store(Y(m, n), y * load(Gain(n)) + load(Bias(n)));
                  });
                });
}

}  // namespace tilewright::test
