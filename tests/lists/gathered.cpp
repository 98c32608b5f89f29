// Graphs of tokens: how many tiles the gathered keys of a tile of rows take, what is refused, and
// attention over them against plain loops over the pairs of the graph.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <tilewright/error.hpp>
#include <tilewright/library/token_graph.hpp>

#include "attention/recorded.hpp"
#include "language/language_device.hpp"
#include "loops/flash_gathered.hpp"

using namespace tilewright;
using namespace tilewright::test;
using namespace tilewright::library;

namespace {

struct Csr {
  std::vector<std::int32_t> indptr, indices;
};

/// About `per_row` keys for each row, in any order; every seventh row has none.
Csr random_graph(const TokenGraphShape& graph, std::int64_t per_row, unsigned seed) {
  Csr made;
  const auto drawn = integers(8192, 0, 1 << 20, seed);
  std::size_t next = 0;
  for (std::int64_t list = 0; list < graph.batch * graph.heads; ++list) {
    made.indptr.push_back(static_cast<std::int32_t>(made.indices.size()));
    for (std::int64_t row = 0; row < graph.seqlen_q; ++row) {
      std::set<std::int32_t> seen;
      for (std::int64_t i = 0; i < per_row && row % 7 != 3 && graph.seqlen_kv > 0; ++i) {
        const auto key = static_cast<std::int32_t>(drawn[next++ % drawn.size()]) % graph.seqlen_kv;
        if (seen.insert(static_cast<std::int32_t>(key)).second)
          made.indices.push_back(static_cast<std::int32_t>(key));
      }
      made.indptr.push_back(static_cast<std::int32_t>(made.indices.size()));
    }
  }
  return made;
}

Csr every_pair(const TokenGraphShape& graph) {
  Csr made{{0}, {}};
  for (std::int64_t row = 0; row < graph.seqlen_q; ++row) {
    for (std::int64_t key = graph.seqlen_kv; key-- > 0;)
      made.indices.push_back(static_cast<std::int32_t>(key));
    made.indptr.push_back(static_cast<std::int32_t>(made.indices.size()));
  }
  return made;
}

/// Which list the rows of a sequence and head have.
std::int64_t list_of(const TokenGraphShape& graph, std::int64_t b, std::int64_t h) {
  return (graph.batch == 1 ? 0 : b) * graph.heads + (graph.heads == 1 ? 0 : h);
}

Data of(DType type, std::vector<std::int64_t> extents, std::vector<double> numbers) {
  return {type, std::move(extents), std::move(numbers)};
}
std::vector<double> doubles(const std::vector<std::int32_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

template <DType T>
Problem problem(const TokenGraphShape& graph, const Csr& csr, std::int64_t batch,
                std::int64_t heads) {
  const std::int64_t d = 32, e = 40, rows = graph.seqlen_q, keys = graph.seqlen_kv;
  const std::int64_t kv_heads = heads / 2;
  Data q{T, {batch, heads, rows, d}}, k{T, {batch, kv_heads, keys, d}},
      v{T, {batch, kv_heads, keys, e}}, out{T, {batch, heads, rows, e}},
      lse{f32, {batch, heads, rows}};
  q.numbers = noise(q.size(), 3), k.numbers = noise(k.size(), 4), v.numbers = noise(v.size(), 5);
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t i = 0; i < rows; ++i) {
        const auto row = at(list_of(graph, b, h) * (rows + 1) + i);
        const std::int64_t kv = b * kv_heads + h / 2;
        std::vector<double> weight;
        double top = -std::numeric_limits<double>::infinity(), sum = 0;
        for (std::int32_t j = csr.indptr[row]; j < csr.indptr[row + 1]; ++j) {
          double score = 0;
          for (std::int64_t c = 0; c < d; ++c)
            score += q.numbers[at(((b * heads + h) * rows + i) * d + c)] *
                     k.numbers[at((kv * keys + csr.indices[at(j)]) * d + c)];
          weight.push_back(score * 0.5);
          top = std::max(top, weight.back());
        }
        for (double& w : weight) sum += w = std::exp(w - top);
        for (std::int64_t c = 0; c < e; ++c) {
          double o = 0;
          for (std::size_t j = 0; j < weight.size(); ++j)
            o += weight[j] *
                 v.numbers[at((kv * keys + csr.indices[at(csr.indptr[row]) + j]) * e + c)];
          out.expected.push_back(weight.empty() ? 0 : o / sum);
        }
        lse.expected.push_back(top + std::log(sum));
      }
  out.tolerance = T == f32 ? 1e-5 : 8e-3;
  lse.tolerance = 1e-5;
  const TokenGraph gathered = TokenGraph::from_csr(graph, csr.indptr, csr.indices);
  const auto filled = [](std::vector<std::int32_t> numbers) {  // no tensor is empty
    if (numbers.empty()) numbers.push_back(0);
    return doubles(numbers);
  };
  const std::int64_t groups = (rows + graph.tile_q - 1) / graph.tile_q;
  std::vector<double> begin, end;  // the test's tensors have no stride of 0
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t group = 0; group < groups; ++group) {
        const std::size_t from = at(list_of(graph, b, h) * groups + group);
        begin.push_back(gathered.begin()[from]);
        end.push_back(gathered.end()[from]);
      }
  const auto length = [](const std::vector<double>& x) {
    return std::vector<std::int64_t>{static_cast<std::int64_t>(x.size())};
  };
  const auto slots = filled(gathered.keys()), bits = filled(gathered.bits()),
             tiles = filled(gathered.tiles());
  return {{{"q", q},
           {"k", k},
           {"v", v},
           {"graph_keys", of(i32, length(slots), slots)},
           {"graph_bits", of(i32, length(bits), bits)},
           {"graph_begin", of(i32, {batch, heads, groups}, begin)},
           {"graph_end", of(i32, {batch, heads, groups}, end)},
           {"graph_tiles", of(i32, length(tiles), tiles)},
           {"out", out},
           {"lse", lse}},
          {{"softmax_scale", 0.5}},
          {{"d", d}, {"e", e}}};
}

}  // namespace

TEST_CASE("a tile of rows takes as many tiles of slots as its distinct keys fill") {
  for (const auto& [rows, keys, tile_q, tile_kv, per_row] : {std::array{200, 500, 64, 64, 3},
                                                             {65, 90, 16, 32, 20},
                                                             {100, 1000, 32, 128, 1},
                                                             {1, 1, 64, 64, 1}}) {
    CAPTURE(rows);
    const TokenGraphShape graph{2, 1, rows, keys, tile_q, tile_kv};
    const Csr csr = random_graph(graph, per_row, 9);
    const TokenGraph gathered = TokenGraph::from_csr(graph, csr.indptr, csr.indices);
    std::int64_t wanted = 0;
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t first = 0; first < rows; first += tile_q) {
        std::set<std::int32_t> distinct;
        for (std::int64_t row = first; row < std::min<std::int64_t>(rows, first + tile_q); ++row)
          for (std::int32_t i = csr.indptr[at(b * (rows + 1) + row)];
               i < csr.indptr[at(b * (rows + 1) + row + 1)]; ++i)
            distinct.insert(csr.indices[at(i)]);
        wanted += (static_cast<std::int64_t>(distinct.size()) + tile_kv - 1) / tile_kv;
      }
    CHECK(gathered.visited() == wanted);
    CHECK(gathered.keys().size() == gathered.tiles().size() * static_cast<std::size_t>(tile_kv));
    CHECK(std::count_if(gathered.bits().begin(), gathered.bits().end(),
                        [](std::int32_t word) { return word != 0; }) > 0);
  }
  // Every pair: only a tile that is not filled is cut.
  const TokenGraphShape full{1, 1, 70, 100, 64, 64};
  const Csr csr = every_pair(full);
  CHECK(TokenGraph::from_csr(full, csr.indptr, csr.indices).tiles() ==
        std::vector<std::int32_t>{0, ~1, 2, ~3});
}

TEST_CASE("attention over a graph is what its pairs give") {
  for (const auto& [rows, keys, per_row] :
       {std::array{100, 300, 12}, {33, 40, 30}, {64, 64, 1}, {5, 1, 1}}) {
    CAPTURE(rows);
    const TokenGraphShape own{2, 1, rows, keys, 32, 64}, shared{1, 1, rows, keys, 64, 32},
        of_heads{1, 4, rows, keys, 32, 32};
    check(flash_gathered_of<bf16>(ComposedScores{}, 32, 64),
          problem<bf16>(own, random_graph(own, per_row, 1), 2, 2));
    check(flash_gathered_of<f16>(ComposedScores{}, 64, 32),
          problem<f16>(shared, random_graph(shared, per_row, 2), 2, 2));
    check(flash_gathered_of<f32>(ComposedScores{}, 32, 64),
          problem<f32>(own, random_graph(own, per_row, 3), 2, 2));
    check(flash_gathered_of<bf16>(ComposedScores{}, 64, 32),
          problem<bf16>(shared, every_pair(shared), 1, 4));
    check(flash_gathered_of<f16>(ComposedScores{}, 32, 32),
          problem<f16>(of_heads, random_graph(of_heads, per_row, 4), 2, 4));
  }
}

TEST_CASE("what is no graph is refused by name") {
  const auto refuses = [](const char* id, const char* argument, const TokenGraphShape& graph,
                          const Csr& csr) {
    CAPTURE(id);
    try {
      (void)TokenGraph::from_csr(graph, csr.indptr, csr.indices);
      FAIL_CHECK("accepted");
    } catch (const Error& error) {
      CHECK(std::string(error.id()) == id);
      CHECK(error.argument() == argument);
    }
  };
  const TokenGraphShape graph{1, 1, 2, 5};
  refuses("block-list-size-wrong", "indptr", graph, {{0, 1}, {0}});
  refuses("block-list-descends", "indptr", graph, {{0, 2, 1}, {0, 1}});
  refuses("block-list-descends", "indptr", graph, {{0, 1, 4}, {0, 1}});
  refuses("block-index-out-of-range", "indices", graph, {{0, 1, 2}, {0, 5}});
  refuses("block-index-out-of-range", "indices", graph, {{0, 1, 2}, {-1, 0}});
  refuses("block-index-twice", "indices", graph, {{0, 3, 3}, {1, 0, 1}});
  refuses("block-size-invalid", "tile_q", {1, 1, 2, 5, 20, 64}, {{0, 0, 0}, {}});
  refuses("block-size-invalid", "tile_kv", {1, 1, 2, 5, 64, 48}, {{0, 0, 0}, {}});
  refuses("block-list-size-wrong", "heads", {1, -1, 2, 5}, {{}, {}});
  refuses("block-list-size-wrong", "seqlen_q", {1, 1, -2, 5}, {{}, {}});
}
