// Attention over graphs of tokens, by the public headers: alone and with a mask, scores, sinks and
// packed sequences on top, against the formula; refusals.
#include <set>

#include "calls/calls.hpp"

using namespace calls;

namespace {

/// For each list and row, the keys that are drawn for it.
using Drawn = std::vector<std::vector<std::set<std::int32_t>>>;

/// Up to `most` keys a row; the first row and every fifth have none.
Drawn drawn(const TokenGraphShape& shape, int most, unsigned seed) {
  std::mt19937 generator(seed);
  Drawn all(static_cast<std::size_t>(shape.batch * shape.heads));
  for (auto& rows : all)
    for (std::int64_t q = 0; q < shape.seqlen_q; ++q) {
      rows.emplace_back();
      for (int i = 0; q % 5 != 0 && i < most; ++i)
        rows.back().insert(
            static_cast<std::int32_t>(generator() % static_cast<unsigned>(shape.seqlen_kv)));
    }
  return all;
}

TokenGraph graph_of(const TokenGraphShape& shape, const Drawn& all) {
  std::vector<std::int32_t> indptr, indices;
  for (const auto& rows : all) {
    indptr.push_back(static_cast<std::int32_t>(indices.size()));
    for (const auto& keys : rows) {
      indices.insert(indices.end(), keys.rbegin(), keys.rend());  // in any order
      indptr.push_back(static_cast<std::int32_t>(indices.size()));
    }
  }
  return TokenGraph::from_csr(shape, indptr, indices);
}

std::function<bool(long, long, long, long)> visible(const TokenGraphShape& shape,
                                                    const Drawn& all) {
  return [&](long b, long h, long q, long k) {
    const long list = (shape.batch == 1 ? 0 : b) * shape.heads + (shape.heads == 1 ? 0 : h);
    return all[static_cast<std::size_t>(list)][static_cast<std::size_t>(q)].count(
               static_cast<std::int32_t>(k)) > 0;
  };
}

oracle::Problem sized(DType dtype, long seqlen_q, long seqlen_kv) {
  return problem(dtype, {.batch = 2,
                         .heads = 4,
                         .kv_heads = 2,
                         .seqlen_q = seqlen_q,
                         .seqlen_kv = seqlen_kv,
                         .head_dim = 32,
                         .value_dim = 48});
}

void check_launch(const AttentionPlan& plan, const oracle::Problem& p, DType dtype,
                  const TokenGraph& graph,
                  std::vector<std::pair<std::string, TensorView>> tables = {}) {
  const TokenGraphMemory memory(emulator(), graph);
  Tensors tensors(p, dtype);
  tensors.views.graph = memory.tensors(p.batch, p.heads);
  tensors.views.tables = std::move(tables);
  plan.launch(Stream::default_stream(emulator()), tensors.views);
  check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}

AttentionRequest request(DType dtype) { return {.dtype = dtype, .head_dim = 32, .value_dim = 48}; }

}  // namespace

TEST_CASE("graphs of every type and several sizes, shared, per sequence and per head") {
  for (const DType dtype : {bf16, f16, f32})
    for (const auto& [tile_q, tile_kv, rows, keys] :
         {std::array{64, 64, 150, 200}, {32, 128, 65, 300}, {128, 32, 7, 1}}) {
      CAPTURE(static_cast<int>(dtype));
      CAPTURE(tile_q);
      const auto plan = Attention{}.graph(tile_q, tile_kv).compile(emulator(), request(dtype));
      CHECK(plan.program().tile_q() == tile_q);
      CHECK(plan.program().tile_kv() == tile_kv);
      for (const auto& [batch, heads] : {std::array{1, 1}, {2, 1}, {1, 4}, {2, 4}}) {
        const TokenGraphShape shape{batch, heads, rows, keys, tile_q, tile_kv};
        const Drawn all = drawn(shape, 9, 7);
        auto p = sized(dtype, rows, keys);
        p.visible = visible(shape, all);
        check_launch(plan, p, dtype, graph_of(shape, all));
      }
    }
}

TEST_CASE("a mask, biases by position and by key, a softcap and sinks on top of a graph") {
  const TokenGraphShape shape{.heads = 4, .seqlen_q = 100, .seqlen_kv = 170};
  const Drawn all = drawn(shape, 60, 3);
  auto p = sized(bf16, 100, 170);
  p.visible = [seen = visible(shape, all)](long b, long h, long q, long k) {
    return seen(b, h, q, k) && k <= q + 70 && k > q + 70 - 90;
  };
  p.score = [](double s, long, long h, long q, long k) {
    return 5 * std::tanh(s / 5) - 0.125 * static_cast<double>(h) * std::abs(double(q + 70 - k)) +
           0.01 * static_cast<double>(k);
  };
  const ScoreTable by_key("by_key", {TableExtent::seqlen_kv}),
      slopes("slopes", {TableExtent::heads});
  const ScoreMod bias(
      [&](const Score& s, const Index&, const Index& h, const Index& q, const Index& k) {
        return s - slopes(h) * Score(abs(position(q) - k)) + by_key(k);
      });
  const auto plan = Attention{}
                        .mask(sliding_window(90))
                        .score(softcap(5) | bias)
                        .graph()
                        .compile(emulator(), request(bf16));
  std::vector<double> keys(170), heads(4);
  for (std::size_t k = 0; k < keys.size(); ++k) keys[k] = 0.01 * static_cast<double>(k);
  for (std::size_t h = 0; h < heads.size(); ++h) heads[h] = 0.125 * static_cast<double>(h);
  const Memory key_table(f32, keys), head_table(f32, heads);
  check_launch(plan, p, bf16, graph_of(shape, all),
               {{"by_key", key_table.view({170})}, {"slopes", head_table.view({4})}});
  CHECK(plan.program().explain().find("those of a graph, 64 rows by 64 gathered keys") !=
        std::string::npos);
}

TEST_CASE("every pair in a graph is attention without one; what a mask hides in full tiles too") {
  const TokenGraphShape shape{.seqlen_q = 64, .seqlen_kv = 128};
  Drawn all(1, std::vector<std::set<std::int32_t>>(64));
  for (auto& row : all[0])
    for (std::int32_t k = 0; k < 128; ++k) row.insert(k);
  const TokenGraph graph = graph_of(shape, all);
  CHECK(graph.tiles() == std::vector<std::int32_t>{0, 1});
  auto p = sized(f16, 64, 128);
  check_launch(Attention{}.graph().compile(emulator(), request(f16)), p, f16, graph);
  p.visible = [](long, long, long q, long k) { return k < 100 && q % 3 != 0; };
  const Mask some([](const Index& q, const Index& k) { return k < 100 && q % 3 != 0; });
  check_launch(Attention{}.mask(some).graph().compile(emulator(), request(f16)), p, f16, graph);
}

TEST_CASE("a graph that does not fit the launch is refused by name") {
  const TokenGraphShape shape{.seqlen_q = 100, .seqlen_kv = 170, .tile_q = 64, .tile_kv = 32};
  const TokenGraphMemory memory(emulator(), graph_of(shape, drawn(shape, 9, 1)));
  const auto p = sized(bf16, 100, 170);
  const auto plan = Attention{}.graph(64, 32).compile(emulator(), request(bf16));
  const Tensors tensors(p, bf16);
  const auto refuses = [&](ErrorKind kind, const char* id, const char* name, auto change) {
    AttentionTensors wrong = tensors.views;
    wrong.graph = memory.tensors(2, 4);
    change(wrong.graph);
    const Error error =
        refused(kind, name, [&] { plan.launch(Stream::default_stream(emulator()), wrong); });
    CHECK(std::string(error.id()) == id);
  };
  using G = TokenGraphTensors;
  const char *missing = "block-list-missing", *disagrees = "block-list-disagrees";
  const auto invalid = ErrorKind::invalid_argument, shapes = ErrorKind::shape_mismatch;
  refuses(invalid, missing, "graph.begin", [](G& g) { g = {}; });
  refuses(invalid, missing, "graph.keys", [](G& g) { g.keys = {}; });
  refuses(invalid, missing, "graph.bits", [](G& g) { g.bits = g.slots.begin; });
  refuses(shapes, disagrees, "graph.bits", [](G& g) { --g.bits.extents[0]; });
  refuses(shapes, disagrees, "graph.begin", [](G& g) { ++g.slots.begin.extents[2]; });
  refuses(shapes, disagrees, "graph.end", [](G& g) { g.slots.end.extents[1] = 1; });
  refuses(shapes, disagrees, "block_q", [](G& g) { g.slots.block_q = 32; });
  refuses(shapes, disagrees, "graph.seqlen_kv", [](G& g) { g.seqlen_kv = 171; });
  refused(shapes, "batch", [&] {
    (void)TokenGraphMemory(emulator(), graph_of({.batch = 3}, drawn({.batch = 3}, 0, 1)))
        .tensors(2, 4);
  });
  refused(invalid, "graph", [&] {
    AttentionTensors given = tensors.views;
    given.graph = memory.tensors(2, 4);
    Attention{}
        .compile(emulator(), request(bf16))
        .launch(Stream::default_stream(emulator()), given);
  });
  refused(invalid, "tile_kv", [] { (void)Attention{}.graph(64, 48); });
  const auto compiles = [](const Attention& attention) {
    return [&] { (void)attention.compile(emulator(), request(bf16)); };
  };
  CHECK(std::string(
            refused(ErrorKind::unsupported, "graph", compiles(Attention{}.graph().blocks(64, 64)))
                .id()) == "graph-over-list");
  CHECK(std::string(
            refused(ErrorKind::unsupported, "rope", compiles(Attention{}.graph().rope())).id()) ==
        "rope-over-list");
}
