// Products whose operands are picked by number: rows of a table times a matrix (an embedding or an
// expert's tokens), and linear attention in chunks, whose tiles overlap no block of the grid and
// whose state [d, e] is carried from chunk to chunk (variants.md A22; Katharopoulos et al. 2020,
// arXiv 2006.16236, equations 9 to 12, with the feature map elu(x) + 1).
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "dots/device.hpp"
#include "kernels/gather_matmul.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"head"> H;
constexpr Dim<"n"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;
constexpr Dim<"c"> C;  // a chunk's queries
constexpr Dim<"j"> J;  // and its keys

/// elu(x) + 1.
template <typename X>
auto feature(const X& x) {
  return where(x > 0.f, x + 1.f, exp(min(x, 0.f)));
}

/// Causal linear attention, one program per head: within a chunk by scores, before it by the state.
auto linear_attention() {
  return kernel("linear_attention", [](In<"q", f32, B, H, N, D> Q, In<"k", f32, B, H, N, D> Ks,
                                       In<"v", f32, B, H, N, E> V, Out<"out", f32, B, H, N, E> O,
                                       In<"chunk_q", i32, C> Qs, In<"chunk_k", i32, J> Js,
                                       Scalar<"chunk_size", i32> size) {
    auto b = each(B);
    auto h = each(H);
    Var<f32, D, E> state{"state", 0.f};
    for_range((extent(N) + size - 1) / size, [&](auto chunk) {
      auto at = let("at", load(Qs(C)) + chunk * size);
      auto from = let("from", load(Js(J)) + chunk * size);
      auto q = let("q", feature(load(Q(b, h, at, D))));
      // Past the end of the sequence a key is loaded as 0, and its feature would be 1.
      auto k = let("k", where(from < extent(N), feature(load(Ks(b, h, from, D))), 0.f));
      auto v = let("v", load(V(b, h, from, E)));
      auto s = let("s", where(index(C) >= index(J), dot(q, k, D), 0.f));
      auto o = let("o", dot(s, v, J) + dot(q, state, D));
      store(O(b, h, at, E), o);
      state = state + dot(k, v, J);
    });
  });
}

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
                {.extents = {{"d", d}, {"e", e}, {"c", chunk}, {"j", chunk}}, .schedule = {}});
    const Numbers q(f32, {2, 2, length, d}, 1), k(f32, {2, 2, length, d}, 2),
        v(f32, {2, 2, length, e}, 3);
    Numbers out(f32, {2, 2, length, e});
    std::vector<std::int32_t> steps(static_cast<std::size_t>(chunk));
    for (int i = 0; i < chunk; ++i) steps[static_cast<std::size_t>(i)] = i;
    Buffer numbers(emulator(), steps.size() * 4);
    numbers.upload(steps.data(), steps.size() * 4);
    const auto counting = TensorView::contiguous(numbers.address(), i32, {chunk});
    run(plan, {{"q", q},
               {"k", k},
               {"v", v},
               {"out", out},
               {"chunk_q", counting},
               {"chunk_k", counting},
               {"chunk_size", static_cast<double>(chunk)}});
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
