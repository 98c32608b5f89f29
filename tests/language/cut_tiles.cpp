// What only a mask's condition needs is loaded and computed in the tiles that the mask cuts:
// counted by the emulator for every operation that asks a condition. And results of loops whose
// tiles are full and cut by turns, against plain loops.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <tilewright/dsl.hpp>

#include "kernels/form_launch.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;

constexpr int tile = 32, wide = 128;  // rows and columns of one

/// What a loop visits: the tiles of a list, those under a mask that reads a table, or all of which
/// a mask shows something, a band beside what the table shows.
enum class Visits { listed, listed_and_masked, banded };

template <Visits visits, typename Table, typename List, typename Rows, typename Body>
void loop(const Table& table, const List& list, const Rows& m, const Body& body) {
  auto shown = load(table(index(M), index(N))) > 0;
  if constexpr (visits == Visits::listed)
    for_blocks(N, list(m).tile(wide), body);
  else if constexpr (visits == Visits::listed_and_masked)
    for_blocks(N, list(m).tile(wide), shown, body);
  else
    for_blocks(N, index(N) + 20 < index(M) || shown, body);
}

using X = In<"x", f32, M, N>;
using Table = In<"table", i32, M, N>;
using List = BlockList<"list", M, N>;

using Kernels = std::vector<std::shared_ptr<const KernelSource>>;

template <typename Kernel>
std::shared_ptr<const KernelSource> shared(Kernel kernel) {
  return std::make_shared<Kernel>(std::move(kernel));
}

/// One kernel for each operation that asks a mask's condition.
template <Visits visits>
Kernels readers() {
  return {shared(kernel("largest",
                        [](X x, Table table, List list, Out<"y", f32, M> Y) {
                          auto m = blocks(M, tile);
                          Var<f32, M> top{"top", -infinity};
                          loop<visits>(table, list, m, [&](auto n) {
                            top = max(top, reduce_max(let("s", load(x(m, n)) * 2.f), N));
                          });
                          store(Y(m), top);
                        })),
          shared(kernel("sum",
                        [](X x, Table table, List list, Out<"y", f32, M> Y) {
                          auto m = blocks(M, tile);
                          Var<f32, M> sum{"sum", 0.f};
                          loop<visits>(table, list, m, [&](auto n) {
                            sum = sum + reduce_sum(load(x(m, n)) + 1.f, N);
                          });
                          store(Y(m), sum);
                        })),
          shared(kernel("place",
                        [](X x, Table table, List list, Out<"y", i32, M> Y) {
                          auto m = blocks(M, tile);
                          Var<i32, M> sum{"sum", 0};
                          loop<visits>(table, list, m, [&](auto n) {
                            sum = sum + max(reduce_argmax(load(x(m, n)), N), 0);
                          });
                          store(Y(m), sum);
                        })),
          shared(kernel("integers",
                        [](X x, Table table, List list, Out<"y", i32, M> Y) {
                          auto m = blocks(M, tile);
                          Var<i32, M> sum{"sum", 0};
                          loop<visits>(table, list, m, [&](auto n) {
                            sum = sum + reduce_sum(cast<i32>(load(x(m, n)) * 64.f) + 3, N);
                          });
                          store(Y(m), sum);
                        })),
          shared(kernel("written",
                        [](X x, Table table, List list, Out<"y", f32, M, N> Y) {
                          auto m = blocks(M, tile);
                          loop<visits>(table, list, m,
                                       [&](auto n) { store(Y(m, n), load(x(m, n)) + 1.f); });
                        })),
          shared(kernel("branch", [](X x, Table table, List list, Out<"y", f32, M, N> Y) {
            auto m = blocks(M, tile);
            loop<visits>(table, list, m, [&](auto n) {
              when(extent(M) > 0, [&] { store(Y(m, n), load(x(m, n)) + 1.f); });
            });
          }))};
}

/// What readers()[which] puts into y; shown(i, j): whether the loop shows the pair.
Data result(std::size_t which, const Data& x, const std::function<bool(long, long)>& shown) {
  const std::int64_t rows = x.extents[0], columns = x.extents[1];
  const bool whole = which >= 4;
  Data y{which == 2 || which == 3 ? i32 : f32, {rows}};
  if (whole) y.extents.push_back(columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    double top = -INFINITY, sum = 0, integers = 0, places = 0;
    for (std::int64_t first = 0; first < columns; first += wide) {
      std::int64_t place = -1;
      for (std::int64_t j = first; j < std::min(columns, first + wide); ++j) {
        const double value = x.numbers[at(i * columns + j)];
        if (whole) y.expected.push_back(shown(i, j) ? value + 1 : NAN);
        if (!shown(i, j)) continue;
        top = std::max(top, 2 * value);
        sum += value + 1;
        integers += std::trunc(value * 64) + 3;
        if (place < 0 || value > x.numbers[at(i * columns + place)]) place = j;
      }
      places += static_cast<double>(std::max<std::int64_t>(place, 0));
    }
    const double by_kernel[] = {top, sum, places, integers};
    if (!whole) y.expected.push_back(by_kernel[which]);
  }
  y.tolerance = 1e-5;
  return y;
}

/// Every tile of every row, of which `cut` are marked, from the first on.
std::map<std::string, Data> listed(std::int64_t rows, std::int64_t columns, int cut) {
  const std::int64_t list_rows = (rows + tile - 1) / tile, tiles = (columns + wide - 1) / wide;
  Data begin{i32, {list_rows}}, end{i32, {list_rows}}, entries{i32, {list_rows * tiles}};
  for (std::int64_t row = 0; row < list_rows; ++row) {
    begin.numbers.push_back(static_cast<double>(row * tiles));
    end.numbers.push_back(static_cast<double>((row + 1) * tiles));
    for (std::int64_t n = 0; n < tiles; ++n)
      entries.numbers.push_back(static_cast<double>(row * tiles + n < cut ? ~n : n));
  }
  return {{"list_begin", begin}, {"list_end", end}, {"list_tiles", entries}};
}

/// A table of 0 to 2 for each pair, without 0 where listed(rows, columns, cut) marks no tile as
/// cut.
Data table_of(std::int64_t rows, std::int64_t columns, int cut, unsigned seed) {
  Data table{i32, {rows, columns}};
  table.numbers = integers(table.size(), 0, 2, seed);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      if (double& entry = table.numbers[at(i * columns + j)];
          i / tile * ((columns + wide - 1) / wide) + j / wide >= cut)
        entry = std::max(entry, 1.0);
  return table;
}

/// Bytes that `kernel` loads from global memory.
double loaded(const KernelSource& kernel, const std::map<std::string, Data>& tensors) {
  std::map<std::string, ir::HostTensor> given;
  for (const auto& [name, data] : tensors) {
    ir::HostTensor& tensor = given[name] = ir::HostTensor::zeros(data.dtype, data.extents);
    for (std::int64_t i = 0; i < data.size() && !data.numbers.empty(); ++i)
      tensor.set(i, data.numbers[at(i)]);
  }
  const DeviceTensors device(emulator(), given);
  const Plan plan = compile(emulator(), kernel, {});
  emulator().emulator()->reset();
  plan.launch(Stream::default_stream(emulator()), device.bindings());
  const auto counters = nlohmann::json::parse(emulator().emulator()->counters());
  CHECK(std::string(emulator().emulator()->faults()) == "[]");
  emulator().emulator()->reset();
  return counters.at("global_load_bytes").get<double>();
}

}  // namespace

TEST_CASE("a mask's table is read in cut tiles, and in no other") {
  const std::int64_t rows = 64, columns = 512;
  const auto masked = readers<Visits::listed_and_masked>(), plain = readers<Visits::listed>();
  for (std::size_t which = 0; which < masked.size(); ++which) {
    CAPTURE(masked[which]->name());
    Data x{f32, {rows, columns}}, table{i32, {rows, columns}};
    x.numbers = noise(x.size(), 3);
    table.numbers = integers(table.size(), 0, 1, 5);
    const auto bytes = [&](const KernelSource& kernel, int cut) {
      auto tensors = listed(rows, columns, cut);
      tensors["x"] = x, tensors["table"] = table;
      tensors["y"] = result(which, x, [](long, long) { return true; });
      return loaded(kernel, tensors);
    };
    // The list's word holds: in a full tile nobody asks the table, which hides half of them.
    const double without = bytes(*plain[which], 0);
    for (const int cut : {0, 1, 3, 8})
      CHECK(bytes(*masked[which], cut) == without + cut * tile * wide * 4.0);
  }
}

TEST_CASE("loops over full and cut tiles by turns") {
  for (const auto& [rows, columns] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{64, 256}, {65, 333}, {100, 31}, {1, 1}})
    for (const int cut : {0, 3, 1000}) {
      CAPTURE(rows);
      CAPTURE(columns);
      Data x{f32, {rows, columns}};
      x.numbers = noise(x.size(), 7);
      const Data table = table_of(rows, columns, cut, 9);
      const auto by_table = [&](long i, long j) { return table.numbers[at(i * columns + j)] > 0; };
      const auto in_band = [&](long i, long j) { return j + 20 < i || by_table(i, j); };
      const auto problem = [&](const Data& y) {
        Problem made{listed(rows, columns, cut)};
        made.tensors["x"] = x, made.tensors["table"] = table, made.tensors["y"] = y;
        made.schedule.tile["column"] = wide;
        return made;
      };
      const auto masked = readers<Visits::listed_and_masked>(), band = readers<Visits::banded>();
      for (std::size_t which = 0; which < masked.size(); ++which) {
        Problem of_list = problem(result(which, x, by_table));
        of_list.schedule = {};
        check(*masked[which], of_list);
        if (which == 2) continue;  // a place per tile: only a list fixes what a tile is
        check(*band[which], problem(result(which, x, in_band)));
      }
    }
}

TEST_CASE("a table that the scores read as well is there in full tiles") {
  const auto both = kernel("both", [](X x, Table table, List list, Out<"y", f32, M> Y) {
    auto m = blocks(M, tile);
    Var<f32, M> sum{"sum", 0.f};
    auto kind = load(table(index(M), index(N)));
    for_blocks(N, list(m).tile(wide), kind != 0, [&](auto n) {
      auto own = let("own", load(table(m, n)));
      sum = sum + reduce_sum(where(own == 1, load(x(m, n)), 2.f), N);
    });
    store(Y(m), sum);
  });
  const std::int64_t rows = 65, columns = 300;
  for (const int cut : {0, 4, 9}) {
    Data x{f32, {rows, columns}}, y{f32, {rows}};
    x.numbers = noise(x.size(), 7);
    const Data table = table_of(rows, columns, cut, 9);
    for (std::int64_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < columns; ++j) {
        const double kind = table.numbers[at(i * columns + j)];
        sum += kind == 0 ? 0 : kind == 1 ? x.numbers[at(i * columns + j)] : 2;
      }
      y.expected.push_back(sum);
    }
    y.tolerance = 1e-5;
    Problem problem{listed(rows, columns, cut)};
    problem.tensors["x"] = x, problem.tensors["table"] = table, problem.tensors["y"] = y;
    check(both, problem);
  }
}

TEST_CASE("conditions of rows, of numbers and of a reduction, computed in cut tiles") {
  const auto mixed =
      kernel("mixed", [](X x, Table table, In<"first", i32, M> First, In<"kinds", i32, M, D> Kinds,
                         In<"number", i32> Number, Out<"y", f32, M, N> Y, Out<"sum", f32, M> Sum) {
        auto m = blocks(M, tile);
        Var<f32, M> sum{"sum_of", 0.f};
        auto kind = load(table(index(M), index(N))) + load(First(index(M))) * 3;
        auto most = reduce_max(load(Kinds(m, D)), D);
        for_blocks(N, index(N) + 20 < index(M) || kind % (load(Number()) + 3) <= most, [&](auto n) {
          sum = sum + reduce_sum(load(x(m, n)), N);
          store(Y(m, n), load(x(m, n)));
        });
        store(Sum(m), sum);
      });
  const std::int64_t rows = 170, columns = 300, d = 3;
  Data x{f32, {rows, columns}}, table{i32, {rows, columns}}, first{i32, {rows}},
      kinds{i32, {rows, d}}, number{i32, {}, {2}}, y{f32, {rows, columns}}, sum{f32, {rows}};
  x.numbers = noise(x.size(), 7), table.numbers = integers(table.size(), 0, 40, 8);
  first.numbers = integers(rows, 0, 40, 9), kinds.numbers = integers(rows * d, -3, 3, 11);
  for (std::int64_t i = 0; i < rows; ++i) {
    double total = 0;
    int most = -3;
    for (std::int64_t j = 0; j < d; ++j)
      most = std::max(most, static_cast<int>(kinds.numbers[at(i * d + j)]));
    for (std::int64_t j = 0; j < columns; ++j) {
      const int kind =
          static_cast<int>(table.numbers[at(i * columns + j)] + first.numbers[at(i)] * 3);
      const bool shown = j + 20 < i || kind % 5 <= most;
      y.expected.push_back(shown ? x.numbers[at(i * columns + j)] : NAN);
      total += shown ? x.numbers[at(i * columns + j)] : 0;
    }
    sum.expected.push_back(total);
  }
  sum.tolerance = 1e-5;
  Problem problem{{{"x", x},
                   {"table", table},
                   {"first", first},
                   {"kinds", kinds},
                   {"number", number},
                   {"y", y},
                   {"sum", sum}},
                  {},
                  {{"d", d}}};
  problem.schedule.tile["column"] = wide;
  check(mixed, problem);
}
