// Sinusoidal positions (Vaswani et al. 2017, arXiv 1706.03762, section 3.5) added to embeddings.
#pragma once

#include "loops/flash_rope.hpp"

namespace tilewright::library {

template <typename X, typename Table, typename Result, typename Grid, typename At>
void add_rows(const X& x, const Table& table, const Result& out, const Grid& grid, const At& at) {
  const auto& [b, m, d] = grid;
  auto position = let("position", at);
  auto added = let("added", row_at(table, position, d));
  store(out(b, m, d), cast<f32>(load(x(b, m, d))) + added);
}

/// out[b, q, d] = x[b, q, d] + table[first_position + q, d], the sum in f32.
template <DType T>
auto add_sinusoidal() {
  return kernel("add_sinusoidal",
                [](In<"x", T, B, M, D> X, In<"table", f32, S, D> Table, Out<"out", T, B, M, D> O,
                   Scalar<"first_position", i32> first) {
                  auto b = each(B);
                  auto m = blocks(M);
                  auto d = blocks(D);
                  add_rows(X, Table, O, std::tuple(b, m, d), index(M) + first);
                });
}

/// The same with a row's position from positions[b, q].
template <DType T>
auto add_sinusoidal_at() {
  return kernel("add_sinusoidal",
                [](In<"x", T, B, M, D> X, In<"table", f32, S, D> Table,
                   In<"positions", i32, B, M> Positions, Out<"out", T, B, M, D> O) {
                  auto b = each(B);
                  auto m = blocks(M);
                  auto d = blocks(D);
                  add_rows(X, Table, O, std::tuple(b, m, d), load(Positions(b, m)));
                });
}

}  // namespace tilewright::library
