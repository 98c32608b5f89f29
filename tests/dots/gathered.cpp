// Products whose operands are picked by number: rows of a table times a matrix
// (kernels/gather_matmul.hpp); and linear attention in chunks, one tile under two names and a state
// [d, e] carried on (kernels/linear_attention.hpp, variants.md A22).
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "dots/device.hpp"
#include "kernels/gather_matmul.hpp"
#include "kernels/linear_attention.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

double elu1(double x) { return x > 0 ? x + 1 : std::exp(x); }

}  // namespace

TEST_CASE("rows of a table, picked by number, times a matrix") {
  for (const auto& [m, n, k, table] :
       {std::tuple{1, 1, 1, 1}, {65, 40, 33, 17}, {130, 17, 72, 300}}) {
    CAPTURE(m);
    const Plan plan = compile(emulator(), gather_matmul());
    std::vector<std::int32_t> pick(static_cast<std::size_t>(m));
    for (int i = 0; i < m; ++i) pick[static_cast<std::size_t>(i)] = (i * 37 + 11) % table;
    Buffer numbers(emulator(), pick.size() * 4);
    numbers.upload(pick.data(), pick.size() * 4);
    const Numbers a(bf16, {table, k}, 1), b(bf16, {k, n}, 2);
    Numbers c(f32, {m, n});
    run(plan, {{"pick", TensorView::contiguous(numbers.address(), i32, {m})},
               {"a", a},
               {"b", b},
               {"c", c}});
    c.download();
    double worst = 0;
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double want = 0, size = 0;
        for (int l = 0; l < k; ++l) {
          const double term = a.at({pick[static_cast<std::size_t>(i)], l}) * b.at({l, j});
          want += term;
          size += std::abs(term);
        }
        worst = std::max(worst, std::abs(c.at({i, j}) - want) / (size * 1e-6 + 1e-7));
      }
    CHECK(worst <= 1);
  }
}

TEST_CASE("linear attention in chunks, with the state carried on") {
  for (const auto& [length, d, e, chunk] : {std::tuple{1, 1, 1, 16},
                                            {64, 64, 64, 64},
                                            {150, 40, 24, 64},
                                            {100, 64, 16, 64},
                                            {33, 16, 72, 16}}) {
    CAPTURE(length);
    CAPTURE(d);
    CAPTURE(e);
    const Plan plan =
        compile(emulator(), linear_attention(),
                {.extents = {{"d", d}, {"e", e}}, .schedule = {.tile = {{"n", chunk}}}});
    const Numbers q(f32, {2, 2, length, d}, 1), k(f32, {2, 2, length, d}, 2),
        v(f32, {2, 2, length, e}, 3);
    Numbers out(f32, {2, 2, length, e});
    run(plan, {{"q", q}, {"k", k}, {"v", v}, {"out", out}});
    out.download();
    double worst = 0;
    for (int b = 0; b < 2; ++b)
      for (int h = 0; h < 2; ++h)
        for (int i = 0; i < length; ++i)
          for (int f = 0; f < e; ++f) {
            double want = 0, size = 0;
            for (int j = 0; j <= i; ++j) {
              double s = 0;
              for (int c = 0; c < d; ++c) s += elu1(q.at({b, h, i, c})) * elu1(k.at({b, h, j, c}));
              want += s * v.at({b, h, j, f});
              size += std::abs(s * v.at({b, h, j, f}));
            }
            worst = std::max(worst, std::abs(out.at({b, h, i, f}) - want) / (size * 2e-6 + 1e-6));
          }
    CHECK(worst <= 1);
  }
}
