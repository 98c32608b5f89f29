// Exact attention in one pass over rotary positions (Su et al. 2021, arXiv 2104.09864): queries and
// keys are turned on their way from memory, so neither is stored turned. The loop is that of
// flash_forward.hpp.
#pragma once

#include <limits>
#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"

namespace tilewright::library {

inline constexpr Dim<"pair"> P;      // of elements that turn together
inline constexpr Dim<"turning"> H;   // elements of all pairs
inline constexpr Dim<"rest"> Rest;   // elements that stay
inline constexpr Dim<"position"> S;  // rows of the tables of angles

/// Which elements of a head turn: the first `dim` of `head_dim`, element p with p + dim / 2, or
/// interleaved, 2 p with 2 p + 1.
struct Turning {
  bool interleaved = false;
  int dim = 0;  ///< even
  int head_dim = 0;

  /// The first or second elements of all pairs of `tensor` at these indices, as f32.
  template <typename Tensor, typename... At>
  auto member(const char* name, int i, const Tensor& tensor, const At&... at) const {
    const int pairs = dim / 2;
    if (!interleaved)
      return let(name, cast<f32>(load(tensor(at..., as<P>(slice(D, i * pairs, pairs))))));
    if (dim == head_dim) return let(name, cast<f32>(load(tensor(at..., as<P>(split(D, P, 2)[i])))));
    const auto turning = load(tensor(at..., as<H>(slice(D, 0, dim))));
    return let(name, cast<f32>(split(turning, H, P, 2)[i]));
  }
  auto rest() const { return as<Rest>(slice(D, dim, head_dim - dim)); }
};

/// A row of a table for each position; one that the table does not have gives NaN.
template <typename Table, typename Positions, typename Columns>
auto row_at(const Table& table, const Positions& at, const Columns& columns) {
  return where(at >= 0 && at < extent(S), load(table(at, columns)),
               std::numeric_limits<float>::quiet_NaN());
}

/// The body of both kernels below; `position_q` and `position_k` are i32 [q] and [kv], the latter
/// called in the loop with its block.
template <DType T, typename How, typename Queries, typename Keys, typename Values, typename Result,
          typename Logs, typename Scale, typename Tables, typename Grid, typename AtQ, typename AtK>
void attend_turned(const How& how, const Turning& turning, const Queries& q, const Keys& k,
                   const Values& v, const Result& out, const Logs& lse, const Scale& scale,
                   const Tables& tables, const Grid& grid, const AtQ& position_q,
                   const AtK& position_k) {
  const auto& [b, hq, m] = grid;
  auto hk = hq / (extent(HQ) / extent(HK));
  const auto turned = [](const auto& one, const auto& two, const auto& cosine, const auto& sine) {
    return cast<T>(one * cosine + two * sine);
  };

  as<P>(slice(D, 0, turning.dim / 2));  // says how many pairs there are
  auto at_q = let("position_q", position_q);
  auto cos_q = let("cos_q", row_at(tables.first, at_q, P));
  auto sin_q = let("sin_q", row_at(tables.second, at_q, P));
  auto q_one = turning.member("q_one", 0, q, b, hq, m);
  auto q_two = turning.member("q_two", 1, q, b, hq, m);
  auto q_first = let("q_first", turned(q_one, q_two, cos_q, -sin_q));
  auto q_second = let("q_second", turned(q_two, q_one, cos_q, sin_q));
  auto softmax = how.softmax(hq);
  how.visible(b, hq, [&](auto... visible) {
    for_blocks(N, visible..., [&](auto n) {
      auto at_k = let("position_k", position_k(n));
      auto cos_k = let("cos_k", row_at(tables.first, at_k, P));
      auto sin_k = let("sin_k", row_at(tables.second, at_k, P));
      auto k_one = turning.member("k_one", 0, k, b, hk, n);
      auto k_two = turning.member("k_two", 1, k, b, hk, n);
      auto k_first = let("k_first", turned(k_one, k_two, cos_k, -sin_k));
      auto k_second = let("k_second", turned(k_two, k_one, cos_k, sin_k));
      auto qk = dot(q_first, k_first, P) + dot(q_second, k_second, P);
      const auto rest = [&] {
        return dot(load(q(b, hq, m, turning.rest())), load(k(b, hk, n, turning.rest())), Rest);
      };
      auto s = turning.dim == turning.head_dim ? how.score(qk * scale, b, hq)
                                               : how.score((qk + rest()) * scale, b, hq);
      softmax.update(s, load(v(b, hk, n, E)), N);
    });
  });
  store(out(b, hq, m, E), softmax.result());
  store(lse(b, hq, m), softmax.logsumexp());
}

/// flash_forward_of with rows of q and k turned by the angles of their positions: out and lse of
/// softmax_scale * turned(q) . turned(k). Row q stands at q + seqlen_kv - seqlen_q among the keys;
/// where that would be negative, rows and keys move up together, which changes no score.
/// rope_cos, rope_sin: f32 [positions, dim / 2]. Products are of numbers rounded to T.
template <DType T, typename How>
auto flash_rope_of(How how, Turning turning) {
  return kernel("flash_rope",
                [=](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K, In<"v", T, B, HK, N, E> V,
                    In<"rope_cos", f32, S, P> Cosine, In<"rope_sin", f32, S, P> Sine,
                    Out<"out", T, B, HQ, M, E> O, Out<"lse", f32, B, HQ, M> LSE,
                    Scalar<"softmax_scale", f32> scale) {
                  how.arguments();
                  auto b = each(B);
                  auto hq = each(HQ);
                  auto m = blocks(M);
                  attend_turned<T>(how, turning, Q, K, V, O, LSE, scale, std::pair(Cosine, Sine),
                                   std::tuple(b, hq, m), index(M) + max(extent(N) - extent(M), 0),
                                   [&](auto) { return index(N) + max(extent(M) - extent(N), 0); });
                });
}

/// The same at given positions: positions_q i32 [batch, q], positions_k i32 [batch, kv].
template <DType T, typename How>
auto flash_rope_at(How how, Turning turning) {
  return kernel("flash_rope",
                [=](In<"q", T, B, HQ, M, D> Q, In<"k", T, B, HK, N, D> K, In<"v", T, B, HK, N, E> V,
                    In<"rope_cos", f32, S, P> Cosine, In<"rope_sin", f32, S, P> Sine,
                    In<"positions_q", i32, B, M> PositionsQ,
                    In<"positions_k", i32, B, N> PositionsK, Out<"out", T, B, HQ, M, E> O,
                    Out<"lse", f32, B, HQ, M> LSE, Scalar<"softmax_scale", f32> scale) {
                  how.arguments();
                  auto b = each(B);
                  auto hq = each(HQ);
                  auto m = blocks(M);
                  attend_turned<T>(how, turning, Q, K, V, O, LSE, scale, std::pair(Cosine, Sine),
                                   std::tuple(b, hq, m), load(PositionsQ(b, m)),
                                   [&](auto n) { return load(PositionsK(b, n)); });
                });
}

}  // namespace tilewright::library
