// Operands of products that are computed: elementwise work on either side, transposed or not, a
// product of products, and a state that is the left rows of one product and the right operand of
// the next.
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "dots/device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"m"> M;
constexpr Dim<"n"> N;
constexpr Dim<"k"> K;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;

double relu(double x) { return std::max(x, 0.0); }

/// c = relu(a) relu(b), with a [m, k] or [k, m] and b [k, n] or [n, k].
template <DType T, bool a_transposed, bool b_transposed>
auto product_of_relus() {
  using A = std::conditional_t<a_transposed, In<"a", T, K, M>, In<"a", T, M, K>>;
  using Right = std::conditional_t<b_transposed, In<"b", T, N, K>, In<"b", T, K, N>>;
  return kernel("product_of_relus", [](A a, Right b, Out<"c", f32, M, N> c) {
    auto m = blocks(M);
    auto n = blocks(N);
    Var<f32, M, N> acc{"acc", 0.f};
    for_blocks(K, [&](auto k) {
      auto x = [&] {
        if constexpr (a_transposed)
          return let("x", load(a(k, m)));
        else
          return let("x", load(a(m, k)));
      }();
      auto y = [&] {
        if constexpr (b_transposed)
          return let("y", load(b(n, k)));
        else
          return let("y", load(b(k, n)));
      }();
      acc = acc + dot(cast<T>(max(x, 0.f)), cast<T>(max(y, 0.f)), K);
    });
    store(c(m, n), acc);
  });
}

template <DType T, bool at, bool bt>
void check(int m, int n, int k) {
  CAPTURE(name(T));
  CAPTURE(at);
  CAPTURE(bt);
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const Plan plan = compile(emulator(), product_of_relus<T, at, bt>());
  const Numbers a(T, at ? std::vector<std::int64_t>{k, m} : std::vector<std::int64_t>{m, k}, 1),
      b(T, bt ? std::vector<std::int64_t>{n, k} : std::vector<std::int64_t>{k, n}, 2);
  Numbers c(f32, {m, n});
  run(plan, {{"a", a}, {"b", b}, {"c", c}});
  c.download();
  double worst = 0;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double want = 0;
      for (int l = 0; l < k; ++l)
        want += relu(at ? a.at({l, i}) : a.at({i, l})) * relu(bt ? b.at({j, l}) : b.at({l, j}));
      // All terms are positive: one rounding to f32 for every product of 8 terms, three of them
      // each.
      const double allowed = want * (3.0 * k / 8 + 4) * unit(f32) + 1e-7;
      worst = std::max(worst, std::abs(c.at({i, j}) - want) / allowed);
    }
  CHECK(worst <= 1);
}

template <DType T>
void check_all(int m, int n, int k) {
  check<T, false, false>(m, n, k);
  check<T, false, true>(m, n, k);
  check<T, true, false>(m, n, k);
  check<T, true, true>(m, n, k);
}

/// out = q (k^T v): what linear attention does without its feature map (variants.md A22).
template <DType T>
auto through_a_state() {
  return kernel("through_a_state", [](In<"q", T, B, M, D> Q, In<"k", T, B, N, D> Ks,
                                      In<"v", T, B, N, E> V, Out<"out", f32, B, M, E> O) {
    auto b = each(B);
    Var<f32, D, E> state{"state", 0.f};
    for_blocks(N, [&](auto n) { state = state + dot(load(Ks(b, n, D)), load(V(b, n, E)), N); });
    for_blocks(M, [&](auto m) {
      auto o = let("o", dot(load(Q(b, m, D)), cast<T>(state), D));
      store(O(b, m, E), o);
    });
  });
}

template <DType T>
void check_state(int m, int n, int d, int e) {
  CAPTURE(name(T));
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(d);
  CAPTURE(e);
  const Plan plan =
      compile(emulator(), through_a_state<T>(), {.extents = {{"d", d}, {"e", e}}, .schedule = {}});
  const Numbers q(T, {2, m, d}, 1), k(T, {2, n, d}, 2), v(T, {2, n, e}, 3);
  Numbers out(f32, {2, m, e});
  run(plan, {{"q", q}, {"k", k}, {"v", v}, {"out", out}});
  out.download();
  double worst = 0;
  for (int b = 0; b < 2; ++b)
    for (int f = 0; f < e; ++f) {
      std::vector<double> state(d), size(d);
      for (int c = 0; c < d; ++c)
        for (int j = 0; j < n; ++j) {
          state[c] += k.at({b, j, c}) * v.at({b, j, f});
          size[c] += std::abs(k.at({b, j, c}) * v.at({b, j, f}));
        }
      for (int i = 0; i < m; ++i) {
        double want = 0, allowed = 1e-6;
        for (int c = 0; c < d; ++c) {
          want += q.at({b, i, c}) * state[c];
          allowed += std::abs(q.at({b, i, c})) * (std::abs(state[c]) * unit(T) + size[c] * 8e-7);
        }
        worst = std::max(worst, std::abs(out.at({b, i, f}) - want) / allowed);
      }
    }
  CHECK(worst <= 1);
}

}  // namespace

TEST_CASE("elementwise work on both operands, in every orientation") {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {65, 17, 33}, {100, 136, 72}}) {
    check_all<bf16>(m, n, k);
    check_all<f32>(m, n, k);
  }
}

TEST_CASE("a state that is the result of one product and the operand of another") {
  for (const auto& [m, n, d, e] :
       {std::tuple{70, 133, 64, 64}, {1, 1, 1, 1}, {65, 17, 40, 72}, {17, 200, 128, 16}}) {
    check_state<bf16>(m, n, d, e);
    check_state<f32>(m, n, d, e);
  }
}
