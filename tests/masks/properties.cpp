// Thirteen thousand random masks against brute force, at lengths up to 160 and any tile sizes, and
// a hundred at lengths up to 2000. No visible pair lies in a skipped tile and no hidden one in a
// full tile; the loop's walk visits each tile once; and where the analysis calls itself exact, each
// tile has the class that its pairs give it. How many masks are exact is printed, and may not fall.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "ir/print.hpp"
#include "passes/analyze_masks.hpp"
#include "written_mask.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

struct Totals {
  std::atomic<int> masks = 0, exact = 0, full_exact = 0;
  std::atomic<std::int64_t> skipped = 0, full = 0, cut = 0;
  std::mutex guard;
  std::vector<std::string> wrong;

  void report(const std::string& what) {
    const std::lock_guard<std::mutex> lock(guard);
    wrong.push_back(what);
  }
};

ir::Kernel kernel_of(const Written& mask, int row_tile, int key_tile) {
  KernelBuilder builder("masked");
  builder.tensor(Argument::Kind::in, "first", DType::i32, {"q"});
  builder.tensor(Argument::Kind::in, "last", DType::i32, {"q"});
  builder.tensor(Argument::Kind::in, "any", DType::i32, {"kv"});
  const ir::AxisId rows = builder.blocks("q", row_tile);
  const ir::AxisId keys = builder.loop_axis("kv", key_tile);
  builder.for_blocks(
      keys, {}, [&] { return mask.build(builder, rows, keys); },
      [](const KernelBuilder::Values&) { return KernelBuilder::Values{}; });
  passes::analyze_masks(builder.kernel);
  verify(builder.kernel, "analyze_masks");
  return std::move(builder.kernel);
}

ir::HostTensor tensor_of(const std::vector<std::int64_t>& numbers) {
  auto tensor = ir::HostTensor::zeros(DType::i32, {static_cast<std::int64_t>(numbers.size())});
  for (std::size_t i = 0; i < numbers.size(); ++i)
    tensor.set(static_cast<std::int64_t>(i), static_cast<double>(numbers[i]));
  return tensor;
}

/// The tiles in the order the loop takes them: from each the least one after it.
std::vector<std::int64_t> walk(const ir::Domain& domain, std::int64_t tiles,
                               const std::map<std::string, std::int64_t>& numbers) {
  std::vector<std::int64_t> order;
  for (std::int64_t n = -1; n < tiles;) {
    std::int64_t next = tiles;
    for (const ir::TileInterval& interval : domain.visited) {
      std::int64_t at = 0;
      const auto symbol = [&](const std::string& name) {
        return name.starts_with("block(") ? at : numbers.at(name);
      };
      const std::int64_t last = std::min(interval.last.evaluate(symbol), next - 1);
      at = std::max(n + 1, interval.first.evaluate(symbol));
      while (at <= last && interval.condition.evaluate(symbol) < 0) ++at;
      if (at <= last) next = at;
    }
    if (next < tiles) order.push_back(next);
    n = next;
  }
  return order;
}

std::string judge(const Written& mask, const ir::Kernel& kernel, const Given& given, bool walks,
                  Totals& totals) {
  const ir::Operation& loop = *kernel.body.operations.back();
  const std::int64_t row_tile = kernel.axes[0].tile, key_tile = kernel.axes[1].tile;
  const std::int64_t tiles = (given.keys + key_tile - 1) / key_tile;
  ir::Inputs inputs;
  inputs.tensors["first"] = tensor_of(given.first);
  inputs.tensors["last"] = tensor_of(given.last);
  inputs.tensors["any"] = tensor_of(given.any);
  inputs.extents = {{"q", given.rows}, {"kv", given.keys}};
  inputs.scalars = {{"a", static_cast<double>(given.a)},
                    {"b", static_cast<double>(given.b)},
                    {"t", static_cast<double>(given.t)}};
  const auto classes = passes::tile_classes(kernel, loop, inputs, {});
  std::size_t at = 0;
  std::int64_t counted[3] = {0, 0, 0};
  for (std::int64_t first = 0; first < given.rows; first += row_tile) {
    const std::int64_t last = std::min(first + row_tile, given.rows) - 1;
    std::vector<bool> any(static_cast<std::size_t>(tiles), false), all(any.size(), true);
    for (std::int64_t q = first; q <= last; ++q) {
      const auto shown = mask.row(given, q);
      for (std::size_t k = 0; k < shown.size(); ++k) {
        const std::size_t tile = k / static_cast<std::size_t>(key_tile);
        if (shown[k]) any[tile] = true;
        if (!shown[k]) all[tile] = false;
      }
    }
    std::vector<std::int64_t> visited;
    for (std::size_t tile = 0; tile < any.size(); ++tile, ++at) {
      const ir::TileClass is = classes[at];
      const ir::TileClass ideal = !any[tile]  ? ir::TileClass::skipped
                                  : all[tile] ? ir::TileClass::full
                                              : ir::TileClass::cut;
      ++counted[static_cast<int>(is)];
      if (is != ir::TileClass::skipped) visited.push_back(static_cast<std::int64_t>(tile));
      bool right =
          (is != ir::TileClass::skipped || !any[tile]) && (is != ir::TileClass::full || all[tile]);
      if (loop.domain->exact) right = is == ideal;
      if (loop.domain->full_exact && ideal == ir::TileClass::full) right = right && is == ideal;
      if (!right)
        return "rows from " + std::to_string(first) + ", tile " + std::to_string(tile) + " is " +
               std::to_string(static_cast<int>(is)) + " instead of " +
               std::to_string(static_cast<int>(ideal));
    }
    if (!walks) continue;
    std::map<std::string, std::int64_t> numbers = {
        {"first(q)", first},        {"last(q)", last},      {"extent(q)", given.rows},
        {"extent(kv)", given.keys}, {"scalar(a)", given.a}, {"scalar(b)", given.b},
        {"scalar(t)", given.t}};
    ir::ProgramValues values(kernel, inputs);
    values.start({{kernel.axes[0].block, first / row_tile}});
    for (const ValueId value : ir::values_named(*loop.domain))
      numbers["value(" + std::to_string(value) + ")"] = values(value);
    if (walk(*loop.domain, tiles, numbers) != visited) return "the loop's walk is another";
  }
  const auto counts = passes::count_blocks(kernel, loop, inputs);
  if (counts.skipped != counted[0] || counts.full != counted[1] || counts.cut != counted[2])
    return "the counts are others";
  totals.skipped += counts.skipped, totals.full += counts.full, totals.cut += counts.cut;
  return "";
}

/// `masks` of them on all cores; at least `exact` percent must be claimed exact.
void sweep(const char* name, Family family, unsigned seed, int masks, int depth,
           std::int64_t longest, int exact) {
  Totals totals;
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int i = next++; i < masks; i = next++) {
      WrittenMasks random(seed + static_cast<unsigned>(i) * 7919u, family);
      const WrittenPtr mask = random.mask(depth);
      const auto tile = [&](std::int64_t most) {
        const int usual[] = {16, 32, 64};
        return static_cast<int>(random.one_in(3) ? usual[random.between(0, 2)]
                                                 : random.between(1, most));
      };
      const int row_tile = tile(40), key_tile = tile(70);
      const ir::Kernel kernel = kernel_of(*mask, longest > 160 ? row_tile + 16 : row_tile,
                                          longest > 160 ? key_tile + 16 : key_tile);
      const ir::Domain& domain = *kernel.body.operations.back()->domain;
      ++totals.masks;
      totals.exact += domain.exact;
      totals.full_exact += domain.full_exact;
      if (domain.exact != domain.note.empty())
        totals.report("a note without need: " + mask->text());
      for (int launch = 0; launch < 2; ++launch) {
        const Given given = random.launch(longest);
        const std::string wrong = judge(*mask, kernel, given, i % 8 == 0, totals);
        if (wrong.empty()) continue;
        totals.report(wrong + "\n" + mask->text() + "\n" + print_domain(domain) + "\nrows " +
                      std::to_string(given.rows) + " keys " + std::to_string(given.keys) + " a " +
                      std::to_string(given.a) + " b " + std::to_string(given.b) + " t " +
                      std::to_string(given.t) + " tiles " + std::to_string(kernel.axes[0].tile) +
                      " x " + std::to_string(kernel.axes[1].tile));
        break;
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < std::min<std::size_t>(totals.wrong.size(), 5); ++i)
    MESSAGE(totals.wrong[i]);
  CHECK(totals.wrong.size() == 0);
  const auto number = [](const auto& count) { return std::to_string(count.load()); };
  const std::string summary = std::string(name) + ": " + number(totals.exact) + " of " +
                              number(totals.masks) + " exact (" + number(totals.full_exact) +
                              " in what is full); tiles " + number(totals.skipped) + " skipped, " +
                              number(totals.full) + " full, " + number(totals.cut) + " cut";
  MESSAGE(summary);
  CHECK(totals.exact * 100 >= totals.masks * exact);
  CHECK(totals.skipped > 0);
  CHECK(totals.full > 0);
}

}  // namespace

TEST_CASE("comparisons of sums of the indices") {
  sweep("lines", Family::lines, 51, 1500, 3, 160, 100);
  sweep("lines, long", Family::lines, 52, 40, 2, 2000, 100);
  sweep("slopes", Family::slopes, 61, 500, 3, 160, 80);
}
TEST_CASE("grids: rows and keys in periods of one length") {
  sweep("grids", Family::grids, 71, 800, 2, 160, 60);
  sweep("grids, long", Family::grids, 72, 20, 2, 2000, 45);
}
TEST_CASE("bounds: windows, triangles, prefixes, chunks") {
  sweep("bounds", Family::affine, 101, 3000, 3, 160, 92);
  sweep("bounds, long", Family::affine, 102, 40, 2, 2000, 97);
}
TEST_CASE("congruences") {
  sweep("congruences", Family::modular, 201, 3000, 2, 160, 72);
  sweep("congruences, long", Family::modular, 202, 30, 2, 2000, 83);
}
TEST_CASE("tables read at the row") {
  sweep("tables", Family::tables, 301, 2000, 2, 160, 39);
  sweep("tables, long", Family::tables, 302, 15, 2, 2000, 53);
}
TEST_CASE("everything") {
  sweep("everything", Family::all, 401, 2000, 3, 160, 17);
  sweep("everything, long", Family::all, 402, 15, 2, 2000, 20);
}
