// Attention in f32: both products through three TF32 parts, within 1e-5 of double precision
// (variants.md C9), at sizes that fill no tile, for aligned tensors and any strides.
#include <doctest/doctest.h>

#include <cmath>

#include "dots/device.hpp"
#include "loops/flash_forward.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

struct Sizes {
  int heads, kv_heads, q, kv, d, e;
};

void check(const Sizes& s, bool causal) {
  CAPTURE(s.q);
  CAPTURE(s.kv);
  CAPTURE(s.d);
  CAPTURE(s.e);
  const CompileRequest request{.extents = {{"d", s.d}, {"e", s.e}}, .schedule = {}};
  const Plan plan =
      causal
          ? compile(emulator(), library::flash_forward<f32>(library::causal_bottom_right), request)
          : compile(emulator(), library::flash_forward<f32>(library::everything), request);
  const Numbers q(f32, {1, s.heads, s.q, s.d}, 1), k(f32, {1, s.kv_heads, s.kv, s.d}, 2),
      v(f32, {1, s.kv_heads, s.kv, s.e}, 3);
  Numbers out(f32, {1, s.heads, s.q, s.e}), lse(f32, {1, s.heads, s.q});
  const double scale = 1 / std::sqrt(s.d);
  run(plan, {{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse}, {"softmax_scale", scale}});
  out.download();
  lse.download();
  double worst = 0, worst_lse = 0;
  for (int h = 0; h < s.heads; ++h)
    for (int i = 0; i < s.q; ++i) {
      const int hk = h / (s.heads / s.kv_heads), seen = causal ? i + s.kv - s.q + 1 : s.kv;
      double most = -INFINITY, sum = 0;
      std::vector<double> score(std::max(seen, 0)), want(s.e);
      for (int j = 0; j < seen; ++j) {
        for (int c = 0; c < s.d; ++c) score[j] += q.at({0, h, i, c}) * k.at({0, hk, j, c});
        most = std::max(most, score[j] *= scale);
      }
      for (double& x : score) sum += x = std::exp(x - most);
      for (int j = 0; j < seen; ++j)
        for (int c = 0; c < s.e; ++c) want[c] += score[j] / sum * v.at({0, hk, j, c});
      for (int c = 0; c < s.e; ++c)
        worst = std::max(worst, std::abs(out.at({0, h, i, c}) - want[c]));
      if (seen > 0)
        worst_lse = std::max(worst_lse, std::abs(lse.at({0, h, i}) - most - std::log(sum)));
      else
        CHECK(lse.at({0, h, i}) == -INFINITY);
    }
  CHECK(worst <= 1e-5);
  CHECK(worst_lse <= 1e-5);
}

}  // namespace

TEST_CASE("attention in f32") {
  for (const bool causal : {false, true})
    for (const Sizes& sizes : {Sizes{6, 2, 70, 133, 80, 48}, Sizes{1, 1, 1, 1, 1, 1},
                               Sizes{2, 1, 130, 65, 64, 64}, Sizes{1, 1, 65, 200, 128, 128},
                               Sizes{1, 1, 33, 40, 250, 256}, Sizes{2, 2, 17, 19, 33, 7}})
      check(sizes, causal);
}
