// Loops over the tiles that a list names: rows in any order, empty ones, lists of their own for
// each head and shared ones, marks, and tiles past the end, against plain loops over all pairs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"batch"> B;
constexpr Dim<"head"> H;
constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;
constexpr Dim<"d"> D;
constexpr Dim<"e"> E;

struct Sizes {
  std::int64_t batch = 2, heads = 2, rows = 100, keys = 150, d = 32, e = 24;
  int tile_q = 32, tile_kv = 32;
  std::int64_t list_rows() const { return (rows + tile_q - 1) / tile_q; }
  std::int64_t columns() const { return (keys + tile_kv - 1) / tile_kv; }
};

/// Attention over a list; `masked`: where the keys of a row are those of its own document, or
/// before it.
template <DType T, bool masked>
auto listed_attention(Sizes sizes) {
  return kernel("listed", [=](In<"q", T, B, H, M, D> Q, In<"k", T, B, H, N, D> K,
                              In<"v", T, B, H, N, E> V, In<"document", i32, B, N> Document,
                              BlockList<"blocks", B, H, M, N> list, Out<"out", T, B, H, M, E> O,
                              Out<"lse", f32, B, H, M> LSE) {
    auto b = each(B);
    auto h = each(H);
    auto m = blocks(M, sizes.tile_q);
    auto q = let("q", load(Q(b, h, m, D)));
    OnlineSoftmax<M, E> softmax;
    const auto body = [&](auto n) {
      auto s = let("s", dot(q, load(K(b, h, n, D)), D) * 0.25f);
      softmax.update(s, load(V(b, h, n, E)), N);
    };
    const auto row = list(b, h, m).tile(sizes.tile_kv);
    if constexpr (masked)
      for_blocks(N, row, index(N) % 7 != load(Document(b, index(N))) || index(N) < index(M), body);
    else
      for_blocks(N, row, body);
    store(O(b, h, m, E), softmax.result());
    store(LSE(b, h, m), softmax.logsumexp());
  });
}

using Visible = std::function<bool(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>;

/// A list drawn at random: rows unsorted, every fifth one empty. A tile is marked as cut where
/// `visible` hides a pair inside of it.
struct DrawnList {
  std::vector<double> begin, end, tiles;
  std::vector<std::vector<bool>> named;  ///< by row of the list and tile
};
DrawnList drawn(const Sizes& s, const Visible& visible, unsigned seed) {
  DrawnList list;
  list.tiles.assign(3, 1e6);  // entries of no row
  const auto noise = integers(4096, 0, 1 << 20, seed);
  std::size_t next = 0;
  const auto random = [&](std::int64_t below) {
    return static_cast<std::int64_t>(noise[next++ % noise.size()]) % below;
  };
  for (std::int64_t row = 0; row < s.batch * s.heads * s.list_rows(); ++row) {
    std::vector<std::int64_t> columns;
    for (std::int64_t c = 0; c < s.columns(); ++c)
      if (row % 5 != 3 && random(10) < 6) columns.push_back(c);
    for (std::size_t i = columns.size(); i > 1; --i)
      std::swap(columns[i - 1],
                columns[static_cast<std::size_t>(random(static_cast<std::int64_t>(i)))]);
    list.begin.push_back(static_cast<double>(list.tiles.size()));
    list.named.emplace_back(at(s.columns()), false);
    const std::int64_t b = row / s.list_rows() / s.heads, h = row / s.list_rows() % s.heads,
                       r = row % s.list_rows();
    for (const std::int64_t c : columns) {
      bool full = true;
      for (std::int64_t i = r * s.tile_q; i < std::min<std::int64_t>(s.rows, (r + 1) * s.tile_q);
           ++i)
        for (std::int64_t j = c * s.tile_kv;
             j < std::min<std::int64_t>(s.keys, (c + 1) * s.tile_kv); ++j)
          full = full && visible(b, h, i, j);
      list.tiles.push_back(static_cast<double>(full ? c : ~c));
      list.named.back()[at(c)] = true;
    }
    list.end.push_back(static_cast<double>(list.tiles.size()));
  }
  return list;
}

template <DType T>
Problem problem(const Sizes& s, bool masked, unsigned seed = 11) {
  Data q{T, {s.batch, s.heads, s.rows, s.d}}, k{T, {s.batch, s.heads, s.keys, s.d}},
      v{T, {s.batch, s.heads, s.keys, s.e}}, out{T, {s.batch, s.heads, s.rows, s.e}},
      lse{f32, {s.batch, s.heads, s.rows}}, document{i32, {s.batch, s.keys}};
  q.numbers = noise(q.size(), seed), k.numbers = noise(k.size(), seed + 1);
  v.numbers = noise(v.size(), seed + 2),
  document.numbers = integers(document.size(), 0, 20, seed + 3);
  const Visible visible = [&](std::int64_t b, std::int64_t, std::int64_t i, std::int64_t j) {
    return !masked || static_cast<double>(j % 7) != document.numbers[at(b * s.keys + j)] || j < i;
  };
  const DrawnList list = drawn(s, visible, seed + 4);
  for (std::int64_t bh = 0; bh < s.batch * s.heads; ++bh)
    for (std::int64_t i = 0; i < s.rows; ++i) {
      const auto& named = list.named[at(bh * s.list_rows() + i / s.tile_q)];
      std::vector<double> weight(at(s.keys), 0);
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int turn = 0; turn < 2; ++turn)
        for (std::int64_t j = 0; j < s.keys; ++j) {
          if (!named[at(j / s.tile_kv)] || !visible(bh / s.heads, bh % s.heads, i, j)) continue;
          double score = 0;
          for (std::int64_t c = 0; c < s.d; ++c)
            score += q.numbers[at((bh * s.rows + i) * s.d + c)] *
                     k.numbers[at((bh * s.keys + j) * s.d + c)];
          score *= 0.25;
          if (turn == 0) top = std::max(top, score);
          if (turn == 1) sum += weight[at(j)] = std::exp(score - top);
        }
      for (std::int64_t c = 0; c < s.e; ++c) {
        double o = 0;
        for (std::int64_t j = 0; j < s.keys; ++j)
          o += weight[at(j)] * v.numbers[at((bh * s.keys + j) * s.e + c)];
        out.expected.push_back(sum == 0 ? 0 : o / sum);
      }
      lse.expected.push_back(top + std::log(sum));
    }
  out.tolerance = T == f32 ? 1e-5 : 8e-3;
  lse.tolerance = 1e-5;
  const std::vector<std::int64_t> rows = {s.batch, s.heads, s.list_rows()};
  return {{{"q", q},
           {"k", k},
           {"v", v},
           {"document", document},
           {"blocks_begin", {i32, rows, list.begin}},
           {"blocks_end", {i32, rows, list.end}},
           {"blocks_tiles", {i32, {static_cast<std::int64_t>(list.tiles.size())}, list.tiles}},
           {"out", out},
           {"lse", lse}},
          {},
          {{"d", s.d}, {"e", s.e}}};
}

std::string id_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.id();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("tiles in the order of a list, with ragged ends and empty rows") {
  for (const std::int64_t keys : {1, 15, 64, 150}) {
    CAPTURE(keys);
    Sizes s;
    s.keys = keys;
    check(listed_attention<bf16, true>(s), problem<bf16>(s, true));
    check(listed_attention<f16, false>(s), problem<f16>(s, false));
  }
  Sizes wide;
  wide.tile_q = 16, wide.tile_kv = 64, wide.rows = 33, wide.keys = 333;
  check(listed_attention<bf16, true>(wide), problem<bf16>(wide, true));
  check(listed_attention<f32, true>(wide), problem<f32>(wide, true, 5));
}

TEST_CASE("a list runs ahead of its copies, one to three tiles") {
  for (const int stages : {1, 2, 3, 4}) {
    CAPTURE(stages);
    Sizes s;
    s.keys = 270;
    Problem p = problem<bf16>(s, true);
    p.schedule.stages = stages;
    check(listed_attention<bf16, true>(s), p);
  }
}

TEST_CASE("the tiles of a list are not the schedule's to choose") {
  const Sizes s;
  const auto compiled = [&](const char* dim, int tile) {
    CompileRequest request{{{"d", 32}, {"e", 24}}, {}};
    request.schedule.tile[dim] = tile;
    return make_program(listed_attention<bf16, true>(s), "sm_80", request);
  };
  CHECK(compiled("kv", 32).aligned.schedule.tile.at("kv") == 32);
  try {
    compiled("kv", 64);
    FAIL("another tile was taken");
  } catch (const Error& error) {
    CHECK(error.id() == std::string("tile-fixed-by-kernel"));
    CHECK(error.argument() == "tile kv");
    CHECK(error.value() == "64");
    CHECK(error.allowed() == "32");
  }
  CHECK(id_of([&] { compiled("q", 128); }) == "tile-fixed-by-kernel");
  // Two loops whose rows run over warps have one tile, and so one list at most.
  const auto both = kernel(
      "both", [](In<"k", f32, N, D> K, BlockList<"blocks", M, N> list, Out<"sum", f32, M> Sum) {
        auto m = blocks(M, 32);
        Var<f32> sum{"sum", 0.f};
        for (const int tile : {16, 32})
          for_blocks(N, list(m).tile(tile),
                     [&](auto n) { sum = sum + reduce_max(reduce_sum(load(K(n, D)), D), N); });
        store(Sum(m), where(index(M) >= 0, sum, 0.f));
      });
  CHECK(id_of([&] { make_program(both, "sm_80", {{{"d", 32}}, {}}); }) == "tile-fixed-by-kernel");
  const auto open = kernel(
      "open", [](In<"k", f32, N, D> K, BlockList<"blocks", M, N> list, Out<"sum", f32, M, D> Sum) {
        auto m = blocks(M);
        Var<f32, D> sum{"sum", 0.f};
        for_blocks(N, list(m), [&](auto n) { sum = sum + reduce_sum(load(K(n, D)), N); });
        store(Sum(m, D), where(index(M) >= 0, sum, 0.f));
      });
  try {
    make_program(open, "sm_80", {{{"d", 32}}, {}});
    FAIL("rows without a size were taken");
  } catch (const Error& error) {
    CHECK(error.id() == std::string("list-rows-without-tile"));
    CHECK(error.argument() == "q");
    CHECK(error.where().find("block_list.cpp:") != std::string::npos);
  }
}

TEST_CASE("a list of another size is refused at launch, a wild entry by the interpreter") {
  const Sizes s;
  const auto listed = listed_attention<bf16, true>(s);
  const Problem p = problem<bf16>(s, true);
  const Plan plan = compile(emulator(), listed, {p.bound, {}});
  std::vector<Binding> bindings;
  std::vector<Buffer> buffers;
  for (const auto& [name, data] : p.tensors) {
    std::vector<std::int64_t> extents = data.extents;
    if (name == "blocks_begin" || name == "blocks_end") extents.back() = 3;
    buffers.emplace_back(emulator(), at(data.size() * size_of(data.dtype)));
    bindings.emplace_back(name,
                          TensorView::contiguous(buffers.back().address(), data.dtype, extents));
  }
  try {
    plan.launch(Stream::default_stream(emulator()), bindings);
    FAIL("a list with a row too few was taken");
  } catch (const Error& error) {
    CHECK(error.id() == std::string("list-rows-disagree"));
    CHECK(error.argument() == "blocks_rows");
    CHECK(error.value() == "3");
    CHECK(error.allowed() == "4");
  }
  for (const double wild : {5.0, -7.0, 1e6}) {
    CAPTURE(wild);
    Problem spoilt = p;
    for (double& entry : spoilt.tensors.at("blocks_tiles").numbers) entry = wild;
    CHECK(id_of([&] { check(listed, spoilt); }) == "list-entry-outside");
  }
  Problem beyond = p;
  for (double& end : beyond.tensors.at("blocks_end").numbers) end += 1000;
  CHECK(id_of([&] { check(listed, beyond); }) == "list-entry-outside");
}

TEST_CASE("the text of a loop over a list") {
  Sizes s;
  const auto text = [&](int stages) {
    CompileRequest request{{{"d", 32}, {"e", 24}}, {}};
    request.schedule.stages = stages;
    return make_program(listed_attention<bf16, true>(s), "sm_80", request).aligned.text.text;
  };
  const std::string two = text(2);
  CHECK(two.find("int kv_entries[3] = {0, 0, kv_begin < kv_end ? ") != std::string::npos);
  CHECK(two.find("if (const int next = tile_of(kv_entries[1]), ") != std::string::npos);
  CHECK(two.find("const bool cut = kv_entries[0] < 0 || kv_block >= extent_kv / 32;") !=
        std::string::npos);
  CHECK(text(1).find("kv_entries[0] = kv_entries[1];") != std::string::npos);
}
