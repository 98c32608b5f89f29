// Small kernels that meet every shape of text the reference can take: a value per row, whole rows,
// a contraction in a loop, two masks, a counted loop with Vars that read each other, a grid axis
// that is contracted, integers, indices from memory, flattened rows.
#pragma once

#include <tilewright/dsl.hpp>

namespace standalone_kernels {

using namespace tilewright;

inline constexpr Dim<"batch"> B;
inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"page"> P;
inline constexpr Dim<"group"> G;

inline auto sum_of_two =
    kernel("sum_of_two", [](In<"x", f32, M> X, In<"y", f32, M> Y, Out<"out", f32, M> O) {
      auto m = blocks(M);
      store(O(m), load(X(m)) + load(Y(m)));
    });

inline auto row_softmax =
    kernel("row_softmax", [](In<"x", f32, B, M, D> X, Out<"out", f32, B, M, D> O) {
      auto b = each(B);
      auto m = blocks(M);
      auto x = let("x", load(X(b, m, D)));
      auto p = let("p", exp(x - reduce_max(x, D)));
      store(O(b, m, D), p / reduce_sum(p, D));
    });

inline auto product =
    kernel("product", [](In<"a", f32, M, N> A, In<"b", f32, N, D> Bs, Out<"c", f32, M, D> C) {
      auto m = blocks(M);
      Var<f32, M, D> acc{"acc", 0.f};
      for_blocks(N, [&](auto n) { acc = acc + dot(load(A(m, n)), load(Bs(n, D)), N); });
      store(C(m, D), acc);
    });

/// Stores under a mask of two bounds joined by or; what it leaves out stays as it was.
inline auto masked_store = kernel("masked_store", [](In<"x", f32, M, N> X, Out<"out", f32, M, N> O,
                                                     Scalar<"window", i32> window) {
  auto m = blocks(M);
  for_blocks(N, (index(M) - index(N) < window && index(M) >= index(N)) || index(N) < 2,
             [&](auto n) { store(O(m, n), tanh(load(X(m, n))) * -2.f); });
});

/// Fibonacci's numbers: each Var becomes what the other one was.
inline auto exchange = kernel("exchange", [](In<"count", i32, B> Count, Out<"out", f32, B, M> O) {
  auto b = each(B);
  auto m = blocks(M);
  Var<f32, M> a{"a", 0.f};
  Var<f32, M> c{"c", 1.f};
  for_range(load(Count(b)), [&](auto) {
    auto old = let("old", a + c);
    a = c;
    c = old;
  });
  store(O(b, m), a + cast<f32>(index(M)));
});

/// Rows of a table that memory names, and integers that go below zero.
inline auto gathered = kernel("gathered", [](In<"table", i32, B> Table, In<"x", f32, P, D> X,
                                             Out<"out", f32, B, D> O, Out<"key", i32, B, D> Key) {
  auto b = each(B);
  store(O(b, D), load(X(load(Table(b)), D)));
  store(Key(b, D), (index(D) - 5) / 3 + (index(D) - 7) % 4 + max(load(Table(b)) - index(D), -2));
});

/// Sums read back and written again, branches inside a loop and after it, additions that several
/// rows share, rows picked and rows put by number.
inline auto statements =
    kernel("statements",
           [](In<"x", f32, M, N> X, In<"pick", i32, M> Pick, InOut<"total", f32, M> T,
              InOut<"bins", i32, P> Bins, InOut<"place", f32, P, N> Place, Out<"y", f32, M, N> Y) {
             auto m = blocks(M);
             auto pick = let("picked", load(Pick(m)));
             Var<f32, M> sum{"sum", 1.f};
             Var<i32> turns{"turns", 0};
             for_blocks(N, index(M) >= index(N), [&](auto n) {
               auto x = let("x_tile", load(X(pick, n)));
               when(extent(N) > 3, [&] {
                 sum = sum + reduce_sum(x, N);
                 turns = turns + 1;
               });
               store(Y(m, n), x + load(X(m, extent(N) - 1 - index(N))));
               store(Place(pick, n), x * 2.f);
             });
             store(T(m), load(T(m)) + sum);
             when(turns > 0, [&] { store(T(m), load(T(m)) * 2.f); });
             atomic_add(Bins(pick), 3);
             atomic_add(Bins(pick + 1), index(M));
           });

/// Two dimensions as rows of one tile, under a mask of the first.
inline auto packed = kernel("packed", [](In<"x", f32, G, M, D> X, In<"k", f32, N, D> K,
                                         Out<"out", f32, G, M> O, Out<"most", f32, M, G> Most) {
  constexpr auto GM = flatten(M, G);
  auto gm = blocks(GM);
  auto x = let("rows", load(X(gm[G], gm[M], D)));
  Var<f32, GM> sum{"sum", 0.f};
  Var<f32, GM> most{"top", -infinity};
  for_blocks(N, causal(GM[M], N), [&](auto n) {
    auto s = let("s", dot(x, load(K(n, D)), D));
    sum = sum + reduce_sum(s, N);
    most = max(most, reduce_max(s, N));
  });
  store(O(gm[G], gm[M]), sum + cast<f32>(index(GM) + extent(GM)));
  store(Most(gm[M], gm[G]), most);
});

/// Places of largest elements, random bits, shifts by any number, coordinates within a tile.
inline auto integers =
    kernel("integers", [](In<"x", f32, M, N> X, In<"k", i32, M, D> K, Scalar<"seed", i32> seed,
                          Out<"at", i32, M> At, Out<"key", i32, M> Key, Out<"bits", i32, M, D> Bits,
                          Out<"kept", f32, M, D> Kept, Out<"moved", i32, M, D> Moved,
                          Out<"column", i32, D> Column) {
      auto m = blocks(M, 8);
      Var<f32, M> seen{"seen", -infinity};
      Var<i32, M> at{"at_so_far", -1};
      for_blocks(N, index(M) > index(N), [&](auto n) {
        auto x = let("x_tile", load(X(m, n)));
        auto best = let("best", reduce_max(x, N));
        at = where(best > seen, reduce_argmax(x, N), at);
        seen = max(seen, best);
      });
      store(At(m), at);
      auto k = let("k_tile", load(K(m, D)));
      store(Key(m), reduce_argmax(k % 5, D) * 100 + iota(M));
      store(Bits(m, D), random_bits(seed64(seed, 3), index(M) * extent(D) + index(D), iota(D)));
      store(Kept(m, D), random(seed, index(D), index(M)));
      store(Moved(m, D), (k << iota(D)) ^ (k >> (index(D) - 4)) ^ (k << 3) ^ (k / -1) ^ (k % -1));
      store(Column(D), iota(D) * 2);
    });

/// Over the tiles of a list, 16 rows by 8 columns.
template <bool masked>
inline auto listed = kernel("listed", [](In<"x", f32, M, D> X, In<"y", f32, N, D> Y,
                                         BlockList<"blocks", B, M, N> list,
                                         Out<"out", f32, B, M, D> O, Out<"top", f32, B, M> Top) {
  auto b = each(B);
  auto m = blocks(M, 16);
  auto x = let("x", load(X(m, D)));
  Var<f32, M, D> sum{"sum", 0.f};
  Var<f32, M> top{"top", -infinity};
  const auto body = [&](auto n) {
    auto y = let("y", load(Y(n, D)));
    auto s = let("s", dot(x, y, D));
    sum = sum + dot(s, y, N);
    top = max(top, reduce_max(s, N));
  };
  if constexpr (masked)
    for_blocks(N, list(b, m).tile(8), index(M) + index(N) % 3 != index(N), body);
  else
    for_blocks(N, list(b, m).tile(8), body);
  store(O(b, m, D), sum);
  store(Top(b, m), top);
});

/// The rows of the list are reduced.
inline auto listed_columns =
    kernel("listed_columns",
           [](In<"x", f32, M, N> X, BlockList<"blocks", M, N> list, Out<"top", f32, N> Top) {
             auto m = blocks(M, 16);
             for_blocks(N, list(m), [&](auto n) { store(Top(n), reduce_max(load(X(m, n)), M)); });
           });

}  // namespace standalone_kernels
