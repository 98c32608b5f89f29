// Flattened dimensions: the query heads of one key head as rows of one tile, and pairs of indices
// in grids, loops and Vars. The test's own loops know the two dimensions only.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <tilewright/dsl.hpp>

#include "build.hpp"
#include "language_device.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"kv_head"> HK;
constexpr Dim<"group"> G;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;
constexpr auto GM = flatten(M, G);

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Softmax attention with the group's heads in the rows of the tile; `visible` makes the mask.
template <DType T, typename Mask>
auto packed_attention(const Mask& visible) {
  return kernel("packed", [=](In<"q", T, B, HK, G, M, D> Q, In<"k", T, B, HK, N, D> K,
                              In<"v", T, B, HK, N, E> V, Out<"out", T, B, HK, G, M, E> O,
                              Out<"lse", f32, B, HK, G, M> LSE, Scalar<"scale", f32> scale) {
    auto b = each(B);
    auto hk = each(HK);
    auto gm = blocks(GM);
    auto q = let("q", load(Q(b, hk, gm[G], gm[M], D)));
    OnlineSoftmax<GM, E> softmax;
    for_blocks(N, visible(), [&](auto n) {
      auto s = let("s", dot(q, load(K(b, hk, n, D)), D) * scale);
      softmax.update(s, load(V(b, hk, n, E)), N);
    });
    store(O(b, hk, gm[G], gm[M], E), softmax.result());
    store(LSE(b, hk, gm[G], gm[M]), softmax.logsumexp());
  });
}

struct Shape {
  std::int64_t batch = 2, heads = 2, group = 1, rows = 1, keys = 70, d = 40, e = 24;
};

/// Attention over all pairs that `visible(row, key, head of the group)` shows.
template <typename Visible>
Problem attention(DType type, const Shape& n, const Visible& visible) {
  const double scale = 0.2;
  Data q{type, {n.batch, n.heads, n.group, n.rows, n.d}}, k{type, {n.batch, n.heads, n.keys, n.d}},
      v{type, {n.batch, n.heads, n.keys, n.e}}, out{type, {n.batch, n.heads, n.group, n.rows, n.e}},
      lse{f32, {n.batch, n.heads, n.group, n.rows}};
  q.numbers = noise(q.size(), 51), k.numbers = noise(k.size(), 52), v.numbers = noise(v.size(), 53);
  for (std::int64_t bh = 0; bh < n.batch * n.heads; ++bh)
    for (std::int64_t g = 0; g < n.group; ++g)
      for (std::int64_t i = 0; i < n.rows; ++i) {
        std::vector<double> p;
        double top = -std::numeric_limits<double>::infinity(), sum = 0;
        for (std::int64_t j = 0; j < n.keys; ++j) {
          double s = 0;
          for (std::int64_t c = 0; c < n.d; ++c)
            s += q.numbers[at(((bh * n.group + g) * n.rows + i) * n.d + c)] *
                 k.numbers[at((bh * n.keys + j) * n.d + c)];
          p.push_back(visible(i, j, g) ? s * scale : -std::numeric_limits<double>::infinity());
          top = std::max(top, p.back());
        }
        for (double& x : p) sum += x = std::isinf(top) ? 0 : std::exp(x - top);
        for (std::int64_t c = 0; c < n.e; ++c) {
          double o = 0;
          for (std::int64_t j = 0; j < n.keys; ++j)
            o += p[at(j)] * v.numbers[at((bh * n.keys + j) * n.e + c)];
          out.expected.push_back(sum == 0 ? 0 : o / sum);
        }
        lse.expected.push_back(top + std::log(sum == 0 ? 1 : sum));
      }
  out.tolerance = type == f32 ? 1e-5 : 6e-3;
  lse.tolerance = 1e-5;
  return {{{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse}},
          {{"scale", scale}},
          {{"d", n.d}, {"e", n.e}}};
}

template <DType T>
void packed_heads() {
  const auto full = packed_attention<T>([] { return index(N) >= 0; });
  const auto lower = packed_attention<T>([] { return causal(GM[M], N); });
  for (const std::int64_t group : {1, 3, 8})
    for (const std::int64_t rows : {1, 5, 16, 65}) {
      CAPTURE(group);
      CAPTURE(rows);
      const Shape n{.group = group, .rows = rows};
      check(full, attention(T, n, [](auto, auto, auto) { return true; }));
      check(lower, attention(T, n, [&](std::int64_t i, std::int64_t j, auto) {
              return j <= i + n.keys - n.rows;
            }));
    }
}

}  // namespace

TEST_CASE("the heads of a group as rows of one tile, bf16") { packed_heads<bf16>(); }
TEST_CASE("the heads of a group as rows of one tile, f32") { packed_heads<f32>(); }
