// Masks that attention uses: their bounds as a person would write them, and their counts by the
// closed forms known from the literature (window predicates p - left <= k <= p + right, p = q +
// off).
#include <doctest/doctest.h>

#include <random>

#include "ir/print.hpp"
#include "passes/analyze_masks.hpp"
#include "random_mask.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

ir::Kernel kernel_of(const PredicatePtr& mask, int row_tile = 64, int key_tile = 64) {
  KernelBuilder builder("masked");
  const ir::AxisId rows = builder.blocks("q", row_tile);
  const ir::AxisId keys = builder.loop_axis("kv", key_tile);
  std::function<ValueId()> region;
  if (mask) region = [&] { return mask->build({&builder, rows, keys}); };
  builder.for_blocks(keys, {}, region,
                     [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
  verify(builder.kernel, "the test's builder");
  passes::analyze_masks(builder.kernel);
  verify(builder.kernel, "analyze_masks");
  return std::move(builder.kernel);
}

std::string domain_text(const PredicatePtr& mask) {
  return print_domain(*kernel_of(mask).body.operations.back()->domain);
}

PredicatePtr causal(NumberPtr p) { return compare(Op::ge, std::move(p), key_index()); }
PredicatePtr window(const NumberPtr& p, const NumberPtr& width) {  // width keys up to p
  return logic(Op::logical_and, causal(p),
               compare(Op::gt, key_index(), combine(Op::sub, p, width)));
}
PredicatePtr same_chunk(const NumberPtr& p, const NumberPtr& size) {
  return compare(Op::eq, combine(Op::div, key_index(), size), combine(Op::div, p, size));
}

}  // namespace

TEST_CASE("bounds as a person would write them") {
  CHECK(domain_text(nullptr) == "visited [0, floor_div(extent(kv) - 1, 64)]; hidden none");
  CHECK(domain_text(causal(position()))
            .starts_with("visited [0, floor_div(last(q) + extent(kv) - extent(q), 64)]; hidden ["));
  CHECK(domain_text(causal(row_index()))
            .starts_with("visited [0, floor_div(min(extent(kv) - 1, last(q)), 64)]; hidden ["));
  CHECK(domain_text(window(position(), number(4096)))
            .starts_with("visited [max(0, first(q) + extent(kv) - extent(q) - 4095) / 64, "
                         "floor_div(last(q) + extent(kv) - extent(q), 64)]; hidden ["));
  CHECK(domain_text(same_chunk(row_index(), leaf(Leaf::Kind::chunk))).find("not exact") ==
        std::string::npos);
  CHECK(domain_text(compare(Op::lt, number(1), number(0))) ==
        "visited [0, -1]; hidden "
        "[0, floor_div(extent(kv) - 1, 64)]");
}

TEST_CASE("the same mask in other words gives the same domain") {
  const std::string expected = domain_text(causal(position()));
  const NumberPtr off = combine(Op::sub, leaf(Leaf::Kind::keys), leaf(Leaf::Kind::rows));
  const NumberPtr q = row_index(), k = key_index();
  CHECK(domain_text(compare(Op::le, k, combine(Op::add, q, off))) == expected);
  CHECK(domain_text(compare(Op::gt, combine(Op::add, combine(Op::add, q, number(1)), off), k)) ==
        expected);
  CHECK(domain_text(logic(Op::logical_not, compare(Op::lt, position(), k))) == expected);
  CHECK(domain_text(compare(Op::ge, combine(Op::sub, q, k), combine(Op::sub, number(0), off))) ==
        expected);
}

TEST_CASE("the loop's own bounds of the hidden tiles are short") {
  const ir::Kernel kernel = kernel_of(causal(position()));
  const ir::Domain& domain = *kernel.body.operations.back()->domain;
  REQUIRE(domain.hidden_in_loop.size() == 1);
  const auto same = [](const std::string& symbol) { return symbol; };
  CHECK(domain.hidden_in_loop[0].first.print(same) ==
        "max(0, first(q) + extent(kv) - extent(q) + 1) / 64");
  CHECK(domain.hidden_in_loop[0].last.print(same) == "floor_div(extent(kv) - 1, 64)");
}

TEST_CASE("divisors from scalars are reported, and what falls back is named") {
  const ir::Kernel chunks = kernel_of(same_chunk(position(), leaf(Leaf::Kind::chunk)));
  CHECK(chunks.body.operations.back()->domain->positive ==
        std::vector<std::string>{"scalar(chunk)"});
  const ir::Kernel hyperbola =
      kernel_of(compare(Op::lt, combine(Op::mul, row_index(), key_index()), number(100)));
  const ir::Domain& domain = *hyperbola.body.operations.back()->domain;
  CHECK(!domain.exact);
  CHECK(domain.note.find("(index(q) * index(kv)) < 100") != std::string::npos);
}

TEST_CASE("counts of windows and triangles by the known closed forms") {
  std::mt19937 random(5);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const auto mask = [](const NumberPtr& p) {  // p - a <= k <= p + b
    return logic(Op::logical_and,
                 compare(Op::ge, key_index(), combine(Op::sub, p, leaf(Leaf::Kind::a))),
                 compare(Op::le, key_index(), combine(Op::add, p, leaf(Leaf::Kind::b))));
  };
  for (int i = 0; i < 300; ++i) {
    const std::int64_t bm = between(1, 40), bn = between(1, 40);
    const std::int64_t sq = between(1, 200), skv = between(1, 200);
    const std::int64_t wl = between(0, 120), wr = between(0, 60);
    const bool bottom = between(0, 1) == 1;
    const ir::Kernel kernel = kernel_of(mask(bottom ? position() : row_index()),
                                        static_cast<int>(bm), static_cast<int>(bn));
    const auto counts =
        passes::count_blocks(kernel, *kernel.body.operations.back(), [&](const std::string& name) {
          return name == "extent(q)"    ? sq
                 : name == "extent(kv)" ? skv
                 : name == "scalar(a)"  ? wl
                                        : wr;
        });
    const std::int64_t off = bottom ? skv - sq : 0;
    const std::int64_t nq = (sq + bm - 1) / bm, nkv = (skv + bn - 1) / bn;
    std::int64_t visited = 0, full = 0;
    for (std::int64_t n = 0; n < nq; ++n) {
      const std::int64_t r0 = n * bm, r1 = std::min(r0 + bm, sq) - 1;
      const std::int64_t a = std::max<std::int64_t>(0, r0 + off - wl);
      const std::int64_t b = std::min(skv - 1, r1 + off + wr);
      if (b >= a) visited += b / bn - a / bn + 1;
      const std::int64_t a2 = std::max<std::int64_t>(0, r1 + off - wl);
      const std::int64_t b2 = std::min(skv - 1, r0 + off + wr);
      if (b2 < 0 || a2 > skv - 1) continue;
      const std::int64_t low = (a2 + bn - 1) / bn;
      const std::int64_t high = b2 == skv - 1 ? nkv - 1 : (b2 + 1) / bn - 1;
      full += std::max<std::int64_t>(0, high - low + 1);
    }
    CHECK(counts.full == full);
    CHECK(counts.cut == visited - full);
    CHECK(counts.skipped == nq * nkv - visited);
  }
}

TEST_CASE("a square lower triangle of n blocks: n (n + 1) / 2 visited, n cut, per program") {
  KernelBuilder b("triangle");
  b.each("batch");
  b.each("head");
  const ir::AxisId rows = b.blocks("q", 64), keys = b.loop_axis("kv", 64);
  b.for_blocks(
      keys, {},
      [&] {
        return b.apply(Op::ge, {b.index(rows), b.index(keys)});
      },
      [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
  passes::analyze_masks(b.kernel);
  const auto counts =
      passes::count_blocks(b.kernel, *b.kernel.body.operations.back(), [](const std::string& n) {
        return n == "extent(batch)" ? 2 : n == "extent(head)" ? 3 : 64 * 10;
      });
  CHECK(counts.cut == 6 * 10);
  CHECK(counts.full == 6 * 45);
  CHECK(counts.skipped == 6 * 45);
}

TEST_CASE("one row per program: the row is a run-time number") {
  KernelBuilder b("decode");
  b.tensor(Argument::Kind::in, "lengths", DType::i32, {"batch"});
  const ValueId batch = b.each("batch");
  const ValueId row = b.each("q");
  const ir::AxisId keys = b.loop_axis("kv", 16);
  ValueId length = no_value;
  b.for_blocks(
      keys, {},
      [&] {
        length = b.load("lengths", {b.at(batch)});  // made in the mask, needed by the bounds
        const ValueId before = b.apply(Op::lt, {b.index(keys), length});
        return b.apply(Op::logical_and, {before, b.apply(Op::le, {b.index(keys), row})});
      },
      [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
  passes::analyze_masks(b.kernel);
  verify(b.kernel, "analyze_masks");
  const ir::Operation& loop = *b.kernel.body.operations.back();
  CHECK(loop.domain->exact);
  const std::string text = print_domain(*loop.domain);
  CHECK(text.find("value(" + std::to_string(length) + ")") != std::string::npos);
  const auto load = std::find_if(b.kernel.body.operations.begin(), b.kernel.body.operations.end(),
                                 [](const auto& op) { return op->op == Op::load; });
  CHECK(load != b.kernel.body.operations.end());  // moved in front of the loop
  for (const std::int64_t q : {0, 7, 16, 40})
    for (const std::int64_t n : {0, 1, 16, 17, 50}) {
      const auto classes = classify(*loop.domain, 4, [&](const std::string& name) {
        if (name == "extent(kv)") return std::int64_t{50};
        return name == "value(" + std::to_string(length) + ")" ? n : q;
      });
      const std::int64_t seen = std::min(n, q + 1);
      for (std::int64_t t = 0; t < 4; ++t) {
        const std::int64_t here = std::clamp<std::int64_t>(seen - 16 * t, 0, t == 3 ? 2 : 16);
        const ir::TileClass ideal = here == 0                   ? ir::TileClass::skipped
                                    : here == (t == 3 ? 2 : 16) ? ir::TileClass::full
                                                                : ir::TileClass::cut;
        CHECK(static_cast<int>(classes[static_cast<std::size_t>(t)]) == static_cast<int>(ideal));
      }
    }
}

TEST_CASE("rows of one phase are counted alike, but for those that a bound cuts off") {
  const auto far = [](const NumberPtr& t, std::int64_t from, bool at_or_after) {
    const PredicatePtr strides =
        compare(Op::eq, combine(Op::mod, combine(Op::sub, row_index(), key_index()), t), number(0));
    return logic(Op::logical_and, strides,
                 compare(at_or_after ? Op::ge : Op::le, row_index(), number(from)));
  };
  const PredicatePtr masks[] = {
      far(number(64), 40, true), far(leaf(Leaf::Kind::chunk), 297, false),
      logic(Op::logical_or, far(number(48), 7, true), compare(Op::lt, key_index(), row_index())),
      logic(Op::logical_not, far(number(48), 90, false))};
  for (const PredicatePtr& mask : masks)
    for (const auto& [bm, bn] : {std::pair{16, 16}, {8, 4}, {24, 5}, {16, 1}}) {
      const Launch launch{.rows = 500, .keys = 450, .chunk = 96};
      const ir::Kernel kernel = kernel_of(mask, bm, bn);
      const auto counts = passes::count_blocks(kernel, *kernel.body.operations.back(),
                                               [&](const std::string& name) {
                                                 return name == "extent(q)"    ? launch.rows
                                                        : name == "extent(kv)" ? launch.keys
                                                                               : launch.chunk;
                                               });
      std::int64_t seen = 0, cut = 0, all = 0;
      for (std::int64_t q = 0; q < launch.rows; q += bm)
        for (std::int64_t k = 0; k < launch.keys; k += bn, ++all) {
          bool some = false, whole = true;
          for (std::int64_t i = q; i < std::min(q + bm, launch.rows); ++i)
            for (std::int64_t j = k; j < std::min(k + bn, launch.keys); ++j)
              (mask->at(launch, {i, j}) ? some : whole) = mask->at(launch, {i, j});
          seen += some, cut += some && !whole;
        }
      CHECK(counts.full == seen - cut);
      CHECK(counts.cut == cut);
      CHECK(counts.skipped == all - seen);
    }
}
