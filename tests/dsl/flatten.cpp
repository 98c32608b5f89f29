// Flattened dimensions while they are traced: what they become, and which mistakes are refused with
// what words. What C++ refuses is in refuse/.
#include <doctest/doctest.h>

#include "build.hpp"
#include "dimensions.hpp"
#include "ir/flattened.hpp"
#include "kernel_view.hpp"
#include "tracing.hpp"

using namespace tilewright::test;

namespace {

constexpr auto MH = flatten(M, H);
static_assert(MH.name == "q*head");
static_assert(std::is_same_v<decltype(flatten(flatten(M, H), D)), decltype(flatten(M, H, D))>);
static_assert(std::is_same_v<decltype(flatten(M, flatten(H, D))), decltype(flatten(M, H, D))>);
using Rows = Dim<"q*head">;
static_assert(std::is_same_v<shape_of<decltype(index(MH))>, Tile<i32, Rows>>);
static_assert(std::is_same_v<shape_of<decltype(index(MH[M]))>, Tile<i32, Rows>>);
static_assert(std::is_same_v<shape_of<decltype(position(MH[M]))>, Tile<i32, Rows>>);
static_assert(std::is_same_v<shape_of<decltype(causal(MH[M], N))>, Tile<b1, Rows, Dim<"kv">>>);
static_assert(std::is_same_v<shape_of<decltype(extent(MH))>, Tile<i32>>);

using X = In<"x", f32, H, M, D>;
using K = In<"k", f32, N>;
using Y = Out<"y", f32, H, M>;

std::string here(int line) { return "dsl/flatten.cpp:" + std::to_string(line); }

}  // namespace

TEST_CASE("a tile of rows has the flattened dimension, its tensors have their own") {
  const ir::Kernel made = build(kernel("packed",
                                       [](X x, Y y) {
                                         auto rows = blocks(MH, 32);
                                         auto t = let("t", load(x(rows[H], rows[M], D)));
                                         store(y(rows[H], rows[M]), reduce_sum(t, D));
                                       }),
                                {{D, 8}});
  const KernelView traced(made);
  CHECK(made.grid == std::vector<std::string>{"q*head"});
  CHECK(traced.type_of("t") == "f32[q*head, d:8]");
  CHECK(traced.type_of("q_head_block") == "i32");
  CHECK(traced.all(Op::index).size() == 1);
  CHECK(traced.all(Op::div).size() == 1);
  CHECK(traced.all(Op::mod).size() == 1);
  CHECK(made.axes[0].requested_tile == 32);
  const auto table = ir::definitions(made);
  const auto definition = [&](ValueId id) { return table[static_cast<std::size_t>(id)]; };
  const auto& indices = traced.only(Op::load).indices;
  CHECK(ir::coordinate_of(made, definition, indices[0].value)->part == "head");
  CHECK(ir::coordinate_of(made, definition, indices[1].value)->part == "q");
  CHECK(ir::picks_each_once(made, definition, traced.only(Op::store)));
}

TEST_CASE("extents are products, and numbers where they are bound") {
  const auto sizes = kernel("sizes", [](X, Y) { let("n", extent(MH) + extent(flatten(H, M, D))); });
  CHECK(KernelView(build(sizes)).all(Op::mul).size() == 3);
  const ir::Kernel bound = build(sizes, {{M, 6}, {H, 7}, {D, 2}});
  CHECK(*ir::bound_extent(bound, "q*head") == 42);
  CHECK(*ir::bound_extent(bound, "head*q*d") == 84);
  CHECK(!ir::bound_extent(build(sizes, {{M, 6}}), "q*head"));
  CHECK(KernelView(bound).all(Op::extent).empty());
}

TEST_CASE("gm[M] is of its block, index(GM[M]) of the innermost") {
  const ir::Kernel made = build(kernel("nested", [](X, Y) {
    auto rows = blocks(MH);
    for_blocks(MH, [&](auto inner) {
      let("outer_q", rows[M] + 0);
      let("inner_q", inner[M] + 0);
      let("innermost_q", index(MH[M]) + 0);
    });
  }));
  const KernelView traced(made);
  std::string kinds;
  for (const ir::Operation* op : traced.all(Op::index))
    kinds += traced.axis(op->axis).kind == ir::Axis::Kind::grid ? "grid " : "loop ";
  CHECK(kinds == "grid loop ");
}

TEST_CASE("what is packed has no tile and no place in the grid of its own") {
  int line = 0;
  const Error index_of_part = error_of(kernel("part", [&](X, K, Y) {
    blocks(MH);
    line = __LINE__ + 1;
    for_blocks(N, causal(M, N), [](auto) {});
  }));
  CHECK(index_of_part.kind() == ErrorKind::invalid_program);
  CHECK(index_of_part.argument() == "q");
  CHECK(says(index_of_part, "index(q): dimension 'q' is packed in 'q*head' here"));
  CHECK(says(index_of_part, "index(GM[M])", "dimension-packed"));
  CHECK(index_of_part.where() == here(line));
  CHECK(says(
      error_of(kernel("bound", [](X, K, Y) { for_blocks(MH, [](auto) { let("i", index(H)); }); }),
               {{H, 4}}),
      "is packed in 'q*head'"));
  CHECK(says(error_of(kernel("twice",
                             [](X, Y) {
                               blocks(MH);
                               each(H);
                             })),
             "dimension 'head' is in the grid twice"));
  CHECK(says(error_of(kernel("twice",
                             [](X, Y) {
                               blocks(M);
                               blocks(MH);
                             })),
             "dimension 'q' is in the grid twice"));
  const Error number = error_of(kernel("each", [](X, Y) { each(MH); }));
  CHECK(says(number, "each: the flattened dimension 'q*head' indexes no tensor",
             "each-of-flattened"));
}

TEST_CASE("parts need extents like any dimension") {
  const Error unknown = error_of(kernel("unknown", [](K, Y) { blocks(flatten(M, E)); }));
  CHECK(says(unknown, "no tensor of kernel 'unknown' has a dimension 'e'"));
  CHECK(unknown.allowed() == "head, kv, q");
  const Error var = error_of(kernel("var", [](X, Y) { Var<f32, MH>("v", 0); }), {{M, 3}});
  CHECK(var.kind() == ErrorKind::shape_mismatch);
  CHECK(says(var, "uses dimension 'q*head' whole, and its extent is not bound"));
  CHECK(says(error_of(kernel("outside", [](X, Y) { let("i", index(MH[M])); })),
             "index(q*head) stands outside a loop over 'q*head'"));
  CHECK(says(error_of(kernel("tensor", [](In<"x", f32, MH>) {})), "must be an identifier"));
  const Error large =
      error_of(kernel("large", [](X, Y) { blocks(MH); }), {{M, 1 << 20}, {H, 4096}});
  CHECK(large.kind() == ErrorKind::unsupported);
  CHECK(large.value() == "4294967296");
  CHECK(std::string(large.id()) == "flattened-too-large");
}
