// Random masks against brute force: a skipped tile has no visible pair, a full one no hidden pair
// (sound); and where the analysis calls itself exact, every visited tile has a visible pair and
// every cut tile a hidden one (tight). The same for each mask as normalize_masks writes it, whose
// elements are compared one by one as well. Kernels, extents, tiles and scalars are drawn from a
// fixed seed.
#include <doctest/doctest.h>

#include <sstream>

#include "ir/interpret.hpp"
#include "ir/print.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/passes.hpp"
#include "random_mask.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool one_in(int n) { return between(1, n) == 1; }

  NumberPtr constant() {
    switch (between(0, 4)) {
      case 0: return leaf(Leaf::Kind::a);
      case 1: return leaf(Leaf::Kind::b);
      default: return ::number(between(-20, 60));
    }
  }
  NumberPtr row() { return one_in(2) ? position() : row_index(); }
  NumberPtr divisor() { return one_in(3) ? leaf(Leaf::Kind::chunk) : ::number(between(1, 12)); }
  Op order() {
    const Op all[] = {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne};
    return all[between(0, one_in(4) ? 5 : 3)];
  }

  PredicatePtr atom() {
    switch (between(0, 14)) {
      case 10: {  // rows and keys at different paces
        const NumberPtr steps = combine(Op::mul, key_index(), ::number(between(2, 4)));
        return compare(order(), combine(Op::add, steps, constant()), row());
      }
      case 11:
        return compare(
            order(), key_index(),
            combine(Op::sub, combine(Op::mul, row(), ::number(between(2, 3))), constant()));
      case 12: {  // a quotient of a quotient
        const NumberPtr inner = combine(Op::div, key_index(), ::number(between(2, 5)));
        const NumberPtr outer = combine(Op::div, combine(Op::add, inner, ::number(between(-4, 4))),
                                        ::number(between(2, 5)));
        return compare(order(), outer, constant());
      }
      case 13: {  // steps that start elsewhere
        const NumberPtr c = divisor();
        const NumberPtr moved = combine(Op::add, row(), constant());
        const NumberPtr step = combine(Op::mul, combine(Op::div, moved, c), c);
        const PredicatePtr from = compare(Op::ge, key_index(), step);
        return logic(Op::logical_and, from,
                     compare(Op::le, key_index(), combine(Op::add, row(), constant())));
      }
      case 14: {  // powers of two
        const std::int64_t bits = between(0, 4);
        const NumberPtr ones = ::number((std::int64_t{1} << bits) - (bits ? 1 : 0));
        switch (between(0, 2)) {
          case 0:
            return compare(order(), combine(Op::shr, key_index(), ::number(bits)),
                           combine(Op::shr, row(), ::number(bits)));
          case 1:
            return compare(order(), combine(Op::shl, key_index(), ::number(bits)), constant());
          default:
            return compare(order(),
                           combine(Op::sub, key_index(), combine(Op::bit_and, key_index(), ones)),
                           row());
        }
      }
      case 0:
        if (one_in(2)) return compare(order(), key_index(), constant());
        return compare(order(), one_in(2) ? key_index() : row_index(),  // near the ends
                       combine(Op::add, ::number(between(-2, 1)),
                               leaf(one_in(3) ? Leaf::Kind::rows : Leaf::Kind::keys)));
      case 1: return compare(order(), row(), constant());
      case 2:
      case 3: return compare(order(), key_index(), row());
      case 4: return compare(order(), combine(Op::sub, row(), key_index()), constant());
      case 5: {
        const NumberPtr c = divisor();
        const NumberPtr q = row();
        return compare(one_in(2) ? Op::eq : order(), combine(Op::div, key_index(), c),
                       combine(Op::div, q, c));
      }
      case 6: {
        const NumberPtr c = divisor();
        const NumberPtr block = combine(Op::sub, row_index(), combine(Op::mod, row_index(), c));
        return compare(order(), key_index(), combine(Op::add, block, constant()));
      }
      case 7:
        return compare(one_in(2) ? Op::le : Op::gt,
                       std::make_shared<Absolute>(combine(Op::sub, row(), key_index())),
                       constant());
      case 8:
        return compare(order(), key_index(),
                       combine(one_in(2) ? Op::minimum : Op::maximum, row(), constant()));
      default:
        if (one_in(3))
          return compare(Op::eq, combine(Op::mod, key_index(), divisor()), ::number(0));
        return compare(order(), combine(Op::div, key_index(), divisor()), constant());
    }
  }

  PredicatePtr predicate(int depth) {
    if (depth == 0 || one_in(4)) return atom();
    switch (between(0, 4)) {
      case 0: {
        if (one_in(2)) return logic(Op::logical_not, predicate(depth - 1));
        const PredicatePtr first = predicate(depth - 1);  // where one ends the other goes on
        return logic(Op::logical_or, first,
                     logic(Op::logical_and, logic(Op::logical_not, first), predicate(depth - 1)));
      }
      case 1:
      case 2: return logic(Op::logical_and, predicate(depth - 1), predicate(depth - 1));
      default: return logic(Op::logical_or, predicate(depth - 1), predicate(depth - 1));
    }
  }

  Launch launch() {
    Launch l;
    l.rows = between(1, 80);
    l.keys = one_in(12) ? 0 : between(1, 80);
    if (one_in(3)) l.keys = l.rows;
    l.a = between(-10, 90);
    l.b = between(-10, 30);
    l.chunk = between(1, 20);
    return l;
  }

 private:
  std::mt19937 random_;
};

struct Totals {
  int cases = 0, exact = 0, visited = 0, skipped = 0, full = 0;
};

ir::Kernel kernel_of(const Predicate& mask, int row_tile, int key_tile) {
  KernelBuilder builder("masked");
  builder.tensor(Argument::Kind::out, "shown", DType::i32, {"q", "kv"});
  const ir::AxisId rows = builder.blocks("q", row_tile);
  const ir::AxisId keys = builder.loop_axis("kv", key_tile);
  builder.for_blocks(
      keys, {},
      [&] {
        return mask.build({&builder, rows, keys});
      },
      [&](const KernelBuilder::Values&) {
        builder.store("shown", {builder.over(rows), builder.over(keys)},
                      builder.filled(DType::i32, 1, {rows, keys}));
        return KernelBuilder::Values{};
      });
  return std::move(builder.kernel);
}

/// Element by element: what a store under the mask writes is what the mask says of that pair.
void check_elements(const Predicate& mask, const ir::Kernel& kernel, const Launch& l) {
  ir::Inputs inputs;
  inputs.tensors["shown"] = ir::HostTensor::zeros(DType::i32, {l.rows, l.keys});
  inputs.scalars = {{"a", static_cast<double>(l.a)},
                    {"b", static_cast<double>(l.b)},
                    {"chunk", static_cast<double>(l.chunk)}};
  ir::interpret(kernel, inputs);
  int wrong = 0;
  for (std::int64_t q = 0; q < l.rows; ++q)
    for (std::int64_t k = 0; k < l.keys; ++k)
      wrong += (inputs.tensors["shown"].get(q * l.keys + k) != 0) != mask.at(l, {q, k});
  if (wrong != 0) INFO(print(kernel));
  CHECK(wrong == 0);
}

std::int64_t value_of(const Launch& l, const std::string& name) {
  if (name == "extent(q)") return l.rows;
  if (name == "extent(kv)") return l.keys;
  if (name == "scalar(a)") return l.a;
  if (name == "scalar(b)") return l.b;
  if (name == "scalar(chunk)") return l.chunk;
  FAIL("unknown symbol " << name);
  return 0;
}

void check(const Predicate& mask, const ir::Kernel& kernel, const Launch& l, Totals& totals) {
  const ir::Operation& loop = *kernel.body.operations.back();
  const std::int64_t row_tile = kernel.axes[0].tile, key_tile = kernel.axes[1].tile;
  const std::int64_t tiles = (l.keys + key_tile - 1) / key_tile;
  passes::BlockCounts sum;
  for (std::int64_t first = 0; first < l.rows; first += row_tile) {
    const std::int64_t last = std::min(first + row_tile, l.rows) - 1;
    const auto classes = classify(*loop.domain, tiles, [&](const std::string& name) {
      if (name == "first(q)") return first;
      if (name == "last(q)") return last;
      return value_of(l, name);
    });
    ir::Domain in_loop = *loop.domain;
    in_loop.hidden = in_loop.hidden_in_loop;
    const auto run_as = classify(in_loop, tiles, [&](const std::string& name) {
      if (name == "first(q)") return first;
      if (name == "last(q)") return last;
      return value_of(l, name);
    });
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      bool visible = false, hidden = false;
      for (std::int64_t q = first; q <= last; ++q)
        for (std::int64_t k = tile * key_tile; k < std::min((tile + 1) * key_tile, l.keys); ++k)
          (mask.at(l, {q, k}) ? visible : hidden) = true;
      const ir::TileClass ideal = !visible ? ir::TileClass::skipped
                                  : hidden ? ir::TileClass::cut
                                           : ir::TileClass::full;
      const ir::TileClass given = classes[static_cast<std::size_t>(tile)];
      (ideal == ir::TileClass::skipped ? totals.skipped : totals.visited) += 1;
      totals.full += ideal == ir::TileClass::full;
      bool right = given == ideal;
      // The loop's own bounds may only add a last tile that runs past the extent.
      const ir::TileClass runs = run_as[static_cast<std::size_t>(tile)];
      const bool ragged = (tile + 1) * key_tile > l.keys;
      CHECK((runs == given || (ragged && runs == ir::TileClass::cut)));
      if (!loop.domain->exact)
        right = given == ir::TileClass::skipped ? !visible
                : given == ir::TileClass::full  ? !hidden
                                                : true;
      if (!right) {
        INFO(print(kernel));
        INFO("rows " << l.rows << " keys " << l.keys << " a " << l.a << " b " << l.b << " chunk "
                     << l.chunk << " rows from " << first << " tile " << tile);
        CHECK(static_cast<int>(given) == static_cast<int>(ideal));
        return;
      }
      sum.skipped += given == ir::TileClass::skipped;
      sum.full += given == ir::TileClass::full;
      sum.cut += given == ir::TileClass::cut;
    }
  }
  const auto counts = passes::count_blocks(
      kernel, loop, [&](const std::string& name) { return value_of(l, name); });
  CHECK(counts.skipped == sum.skipped);
  CHECK(counts.full == sum.full);
  CHECK(counts.cut == sum.cut);
}

void sweep(unsigned seed, int cases, int depth, int at_least_exact) {
  Generator generate(seed);
  Totals totals;
  const int tiles[] = {1, 3, 8, 16};
  for (int i = 0; i < cases; ++i) {
    const PredicatePtr mask = generate.predicate(depth);
    ir::Kernel kernel =
        kernel_of(*mask, tiles[generate.between(0, 3)], tiles[generate.between(0, 3)]);
    verify(kernel, "the test's builder");
    passes::analyze_masks(kernel);
    verify(kernel, "analyze_masks");
    const ir::Domain& domain = *kernel.body.operations.back()->domain;
    ++totals.cases;
    totals.exact += domain.exact;
    CHECK(domain.exact == domain.note.empty());
    ir::Kernel written_anew = kernel_of(*mask, static_cast<int>(kernel.axes[0].tile),
                                        static_cast<int>(kernel.axes[1].tile));
    passes::normalize_masks(written_anew);
    verify(written_anew, "normalize_masks");
    passes::analyze_masks(written_anew);
    const ir::Domain& anew = *written_anew.body.operations.back()->domain;
    CHECK((anew.exact || !domain.exact));  // nothing that was seen is lost
    Totals again;
    for (int launch = 0; launch < 3; ++launch) {
      const Launch numbers = generate.launch();
      check(*mask, kernel, numbers, totals);
      check(*mask, written_anew, numbers, again);
      if (launch == 0) check_elements(*mask, written_anew, numbers);
    }
  }
  MESSAGE("depth " << depth << ": " << totals.exact << " of " << totals.cases << " exact, tiles "
                   << totals.visited << " visited (" << totals.full << " full), " << totals.skipped
                   << " skipped");
  CHECK(totals.exact * 100 >= totals.cases * at_least_exact);
  CHECK(totals.full > 0);
  CHECK(totals.skipped > 0);
}

}  // namespace

TEST_CASE("one atom") { sweep(11, 1400, 0, 100); }
TEST_CASE("pairs of atoms") { sweep(12, 1100, 1, 93); }
TEST_CASE("nested") { sweep(13, 600, 3, 62); }
