// Masks over the coordinates of a flattened dimension, against brute force over the dimensions it
// packs: a mask of the first coordinate alone has exact bounds, the same tiles that looking at
// every pair gives; one that asks the others falls back, and hides nothing that shows.
#include <doctest/doctest.h>

#include <random>

#include "../ir/kernel_builder.hpp"
#include "ir/flattened.hpp"
#include "ir/interpret.hpp"
#include "ir/print.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/passes.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// What one kernel and one launch are: rows pack q and the others, the last one fastest.
struct Case {
  std::int64_t q = 1, group = 1, third = 0;  ///< third 0: two parts
  std::int64_t keys = 1, a = 0, b = 0;
  int row_tile = 16, key_tile = 16;
  bool bound = false;
  bool bottom_right = true;
  int mask = 0;

  std::int64_t faster() const { return group * (third ? third : 1); }
  std::int64_t rows() const { return q * faster(); }
};

constexpr int masks = 7, exact_masks = 5;

/// By the definition, of row number `row` and key `k`.
bool visible(const Case& c, std::int64_t row, std::int64_t k) {
  const std::int64_t i = row / c.faster(), g = row / (c.third ? c.third : 1) % c.group;
  const std::int64_t p = i + (c.bottom_right ? c.keys - c.q : 0);
  switch (c.mask) {
    case 0: return p >= k;
    case 1: return p >= k && k > p - 7;
    case 2: return k >= p - c.a && k <= p + c.b;
    case 3: return i >= c.a || p >= k;
    case 4: return !(k >= p - 2 && k <= p + 3);
    case 5: return p >= k || g == 1;
    default: return p - g >= k;
  }
}

ir::Kernel kernel_of(const Case& c) {
  KernelBuilder builder("masked");
  const std::string dim = c.third ? "q*group*third" : "q*group";
  const ir::AxisId rows = builder.blocks(dim, c.row_tile);
  const ir::AxisId keys = builder.loop_axis("kv", c.key_tile);
  if (c.bound) {
    builder.kernel.bound["group"] = static_cast<int>(c.group);
    if (c.third) builder.kernel.bound["third"] = static_cast<int>(c.third);
  }
  const auto make = [&](Op op, ValueId x, ValueId y) { return builder.apply(op, {x, y}); };
  const auto extent = [&](const std::string& of, std::int64_t value) {
    return c.bound ? builder.number(value) : builder.extent(of);
  };
  const auto region = [&] {
    const ValueId group = extent("group", c.group);
    const ValueId third = c.third ? extent("third", c.third) : no_value;
    const ValueId faster = c.third ? make(Op::mul, group, third) : group;
    const ValueId row = builder.index(rows), k = builder.index(keys);
    const ValueId i = make(Op::div, row, faster);
    const ValueId g = make(Op::mod, c.third ? make(Op::div, row, third) : row, group);
    ValueId p = i;
    if (c.bottom_right)
      p = make(Op::add, i, make(Op::sub, builder.extent("kv"), builder.extent("q")));
    const auto number = [&](std::int64_t value) { return builder.number(value); };
    const ValueId lower = make(Op::ge, p, k);
    switch (c.mask) {
      case 0: return lower;
      case 1: return make(Op::logical_and, lower, make(Op::gt, k, make(Op::sub, p, number(7))));
      case 2:
        return make(Op::logical_and,
                    make(Op::ge, k, make(Op::sub, p, builder.scalar("a", DType::i32))),
                    make(Op::le, k, make(Op::add, p, builder.scalar("b", DType::i32))));
      case 3: return make(Op::logical_or, make(Op::ge, i, builder.scalar("a", DType::i32)), lower);
      case 4:
        return builder.apply(Op::logical_not,
                             {make(Op::logical_and, make(Op::ge, k, make(Op::sub, p, number(2))),
                                   make(Op::le, k, make(Op::add, p, number(3))))});
      case 5: return make(Op::logical_or, lower, make(Op::eq, g, number(1)));
      default: return make(Op::ge, make(Op::sub, p, g), k);
    }
  };
  builder.for_blocks(keys, {}, region,
                     [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
  verify(builder.kernel, "the test's builder");
  return std::move(builder.kernel);
}

/// Every tile of every block of rows, pair by pair.
void judge(const Case& c, const ir::Domain& domain) {
  const std::int64_t tiles = (c.keys + c.key_tile - 1) / c.key_tile;
  for (std::int64_t first = 0; first < c.rows(); first += c.row_tile) {
    const std::int64_t last = std::min(first + c.row_tile, c.rows()) - 1;
    const auto symbol = [&](const std::string& name) -> std::int64_t {
      if (name.starts_with("first(")) return first;
      if (name.starts_with("last(")) return last;
      if (name == "extent(q)") return c.q;
      if (name == "extent(group)") return c.group;
      if (name == "extent(third)") return c.third;
      if (name == "extent(kv)") return c.keys;
      return name == "scalar(a)" ? c.a : c.b;
    };
    const auto given = classify(domain, tiles, symbol);
    for (std::int64_t n = 0; n < tiles; ++n) {
      bool any = false, all = true;
      for (std::int64_t row = first; row <= last; ++row)
        for (std::int64_t k = n * c.key_tile; k < std::min((n + 1) * c.key_tile, c.keys); ++k)
          (visible(c, row, k) ? any : all) = visible(c, row, k);
      const ir::TileClass is = !any  ? ir::TileClass::skipped
                               : all ? ir::TileClass::full
                                     : ir::TileClass::cut;
      const auto found = given[static_cast<std::size_t>(n)];
      const bool sound =
          (found != ir::TileClass::skipped || !any) && (found != ir::TileClass::full || all);
      REQUIRE_MESSAGE(sound, "tile " << n << " of rows " << first << ": " << print_domain(domain));
      if (domain.exact)
        REQUIRE_MESSAGE(found == is,
                        "tile " << n << " of rows " << first << ": " << print_domain(domain));
    }
  }
}

}  // namespace

TEST_CASE("masks over coordinates against brute force") {
  std::mt19937 random(11);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  int exact = 0;
  for (int i = 0; i < 1400; ++i) {
    Case c{.q = between(1, 40), .group = between(1, 9), .keys = between(1, 80)};
    if (i % 3 == 0) c.third = between(1, 4);
    c.a = between(0, 20), c.b = between(0, 10);
    c.row_tile = between(1, 40), c.key_tile = between(1, 24);
    c.bound = between(0, 1) == 1, c.bottom_right = between(0, 1) == 1;
    c.mask = i % masks;
    CAPTURE(i);
    CAPTURE(c.mask);
    ir::Kernel kernel = kernel_of(c);
    ir::Kernel written = kernel.clone();
    passes::analyze_masks(kernel);
    verify(kernel, "analyze_masks");
    const ir::Domain& domain = *kernel.body.operations.back()->domain;
    if (c.mask < exact_masks) REQUIRE_MESSAGE(domain.exact, print_domain(domain));
    exact += domain.exact;
    judge(c, domain);
    passes::normalize_masks(written);
    passes::analyze_masks(written);
    verify(written, "analyze_masks");
    judge(c, *written.body.operations.back()->domain);
  }
  CHECK(exact >= 1000);
}

TEST_CASE("bounds of coordinates as a person would write them") {
  Case c{.row_tile = 64, .key_tile = 64};
  const auto text = [&] {
    ir::Kernel kernel = kernel_of(c);
    passes::analyze_masks(kernel);
    return print_domain(*kernel.body.operations.back()->domain);
  };
  CHECK(text().starts_with(
      "visited [0, floor_div(extent(kv) + floor_div(last(q*group), extent(group)) - extent(q), "
      "64)]; hidden ["));
  CHECK(text().find("positive") == std::string::npos);
  c.third = 1;
  CHECK(text().starts_with(
      "visited [0, floor_div(extent(kv) + floor_div(last(q*group*third), extent(group) * "
      "extent(third)) - extent(q), 64)]; hidden ["));
  c.third = 0, c.bound = true, c.group = 8;
  CHECK(text().starts_with(
      "visited [0, floor_div(extent(kv) + last(q*group) / 8 - extent(q), 64)]; hidden ["));
}

TEST_CASE("a flattened loop axis under a mask of the rows") {
  for (const auto& [q, x, y] : {std::tuple{5, 4, 3}, {33, 12, 7}, {1, 1, 1}, {20, 9, 16}}) {
    KernelBuilder builder("pairs");
    const ir::AxisId rows = builder.blocks("q", 8);
    const ir::AxisId keys = builder.loop_axis("x*y", 10);
    const auto region = [&] {
      const ValueId i = builder.apply(Op::div, {builder.index(keys), builder.extent("y")});
      return builder.apply(Op::ge, {builder.index(rows), i});
    };
    builder.for_blocks(keys, {}, region,
                       [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
    passes::analyze_masks(builder.kernel);
    const ir::Domain& domain = *builder.kernel.body.operations.back()->domain;
    REQUIRE_MESSAGE(domain.exact, print_domain(domain));
    const std::int64_t tiles = (x * y + 9) / 10;
    for (std::int64_t first = 0; first < q; first += 8) {
      const std::int64_t last = std::min<std::int64_t>(first + 8, q) - 1;
      const auto given = classify(domain, tiles, [&](const std::string& name) -> std::int64_t {
        if (name == "first(q)") return first;
        if (name == "last(q)") return last;
        return name == "extent(q)" ? q : name == "extent(x)" ? x : y;
      });
      for (std::int64_t n = 0; n < tiles; ++n) {
        bool any = false, all = true;
        for (std::int64_t row = first; row <= last; ++row)
          for (std::int64_t k = n * 10; k < std::min<std::int64_t>(n * 10 + 10, x * y); ++k)
            (row >= k / y ? any : all) = row >= k / y;
        const auto want = !any  ? ir::TileClass::skipped
                          : all ? ir::TileClass::full
                                : ir::TileClass::cut;
        CHECK(given[static_cast<std::size_t>(n)] == want);
      }
    }
  }
}
