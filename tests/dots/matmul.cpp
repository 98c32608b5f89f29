// Matrix product with a bias and an activation (kernels/matmul.hpp) of any lengths; bf16, f16, and
// f32 through three TF32 products.
#include <doctest/doctest.h>

#include <cmath>

#include "dots/device.hpp"
#include "kernels/matmul.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

double gelu(double x) {
  return 0.5 * x * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x)));
}

template <DType T>
void check_matmul(int m, int n, int k) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const Plan plan = compile(emulator(), matmul<T>());
  const Numbers a(T, {m, k}, 1), b(T, {k, n}, 2), bias(f32, {n}, 3);
  Numbers c(T, {m, n});
  run(plan, {{"a", a}, {"b", b}, {"bias", bias}, {"c", c}});
  c.download();
  double worst = 0;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = bias.at({j}), size = std::abs(sum);
      for (int l = 0; l < k; ++l) {
        sum += a.at({i, l}) * b.at({l, j});
        size += std::abs(a.at({i, l}) * b.at({l, j}));
      }
      // Half a unit of the result's type, and the order of the sum in f32.
      const double want = gelu(sum), allowed = std::abs(want) * unit(T) + size * 4e-7 + 1e-6;
      worst = std::max(worst, std::abs(c.at({i, j}) - want) / allowed);
    }
  CHECK(worst <= 1);
}

}  // namespace

TEST_CASE("matmul with bias and activation") {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1},
                                {16, 16, 16},
                                {65, 17, 33},
                                {200, 136, 72},
                                {128, 256, 64},
                                {30, 130, 0}}) {
    check_matmul<bf16>(m, n, k);
    check_matmul<f16>(m, n, k);
    check_matmul<f32>(m, n, k);
  }
}
