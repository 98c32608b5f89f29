// Classes and counts of tiles on the host, for masks that read numbers and tables of the launch:
// what the compiled loop visits, against the mask asked pair by pair.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>
#include <tilewright/library/mask.hpp>

#include "attention/kernel.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

struct Case {
  AttentionShape shape;
  std::map<std::string, double> numbers = {};
  std::map<std::string, HostTable> tables = {};
};

Program program_of(const Mask& mask, int tile_q, int tile_kv) {
  const auto kernel = attention_kernel({.mask = mask}, bf16);
  ir::Schedule schedule;
  schedule.tile = {{"q", tile_q}, {"kv", tile_kv}};
  return make_program(*kernel, "sm_80", {.extents = {{"d", 64}, {"e", 64}}, .schedule = schedule});
}

/// Every tile of every head by its elements; what the host says must be the same, or in a mask that
/// falls back err on the side of more.
void judge(const Mask& mask, const Case& c, int tile_q, int tile_kv, bool exact = true) {
  const Program program = program_of(mask, tile_q, tile_kv);
  const Extents extents = kernel_extents(c.shape);
  const auto counted = count_blocks(program, mask, extents, c.numbers, c.tables);
  REQUIRE(counted.has_value());
  const AttentionShape& s = c.shape;
  const std::int64_t rows = (s.seqlen_q + tile_q - 1) / tile_q;
  const std::int64_t columns = (s.seqlen_kv + tile_kv - 1) / tile_kv;
  const ScoreSetting setting{s.seqlen_q, s.seqlen_kv, s.heads, c.numbers, c.tables};
  BlockCounts sum;
  int wrong = 0;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h) {
      const auto classes =
          tile_classes(program, mask, extents, c.numbers, c.tables, {{"batch", b}, {"q_head", h}});
      REQUIRE(classes.size() == static_cast<std::size_t>(rows * columns));
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) {
          bool any = false, all = true;
          for (std::int64_t q = i * tile_q; q < std::min((i + 1) * tile_q, s.seqlen_q); ++q)
            for (std::int64_t k = j * tile_kv; k < std::min((j + 1) * tile_kv, s.seqlen_kv); ++k)
              (evaluate(mask.tree(), setting, {b, h, q, k}) != 0 ? any : all) =
                  evaluate(mask.tree(), setting, {b, h, q, k}) != 0;
          const auto given = classes[static_cast<std::size_t>(i * columns + j)];
          const auto ideal = !any  ? ir::TileClass::skipped
                             : all ? ir::TileClass::full
                                   : ir::TileClass::cut;
          const bool sound =
              (given != ir::TileClass::skipped || !any) && (given != ir::TileClass::full || all);
          wrong += exact ? given != ideal : !sound;
          (given == ir::TileClass::skipped ? sum.skipped
           : given == ir::TileClass::full  ? sum.full
                                           : sum.cut) += 1;
        }
    }
  CHECK(wrong == 0);
  CHECK(counted->skipped == sum.skipped);
  CHECK(counted->full == sum.full);
  CHECK(counted->cut == sum.cut);
}

}  // namespace

TEST_CASE("numbers of the launch") {
  const Case c{{.batch = 2, .heads = 3, .kv_heads = 1, .seqlen_q = 131, .seqlen_kv = 203},
               {{"window_left", 40}, {"window_right", 3}}};
  judge(window(17, 5), c, 32, 16);
  judge(window(17, 5), {c.shape}, 16, 32);
  judge(causal(), c, 64, 64);
}

TEST_CASE("lengths and prefixes of each sequence") {
  const IndexTable lengths("lengths", {TableExtent::batch});
  const IndexTable first("first", {TableExtent::batch, TableExtent::heads});
  const Case c{{.batch = 3, .heads = 2, .kv_heads = 2, .seqlen_q = 90, .seqlen_kv = 150},
               {},
               {{"lengths", {{3}, {150, 0, 77}}}, {"first", {{3, 2}, {0, 5, 64, 10, 90, 149}}}}};
  const Mask padded([&](Index b, Index, Index, Index k) { return k < lengths(b); });
  judge(padded, c, 16, 16);
  judge(padded && causal(), c, 32, 16);
  judge(Mask([&](Index b, Index h, Index q, Index k) {
          return k >= first(b, h) && k < lengths(b) && k <= q + 40;
        }),
        c, 16, 32);
  CHECK_FALSE(count_blocks(program_of(padded, 16, 16), padded, kernel_extents(c.shape)));
  std::string argument;
  try {
    (void)tile_classes(program_of(padded, 16, 16), padded, kernel_extents(c.shape), {}, {},
                       {{"batch", 0}, {"q_head", 0}});
  } catch (const Error& error) {
    argument = error.argument();
  }
  CHECK(argument == "lengths");
}

TEST_CASE("a table that bounds each row") {
  const IndexTable start("start", {TableExtent::seqlen_q});
  const IndexTable end("end", {TableExtent::batch, TableExtent::seqlen_q});
  const AttentionShape shape{
      .batch = 2, .heads = 2, .kv_heads = 1, .seqlen_q = 150, .seqlen_kv = 150};
  Case c{shape};
  std::mt19937 random(3);
  for (HostTable* table : {&c.tables["start"], &c.tables["end"]}) {
    const std::int64_t batch = table == &c.tables["end"] ? 2 : 1;
    table->extents =
        batch == 1 ? std::vector<std::int64_t>{150} : std::vector<std::int64_t>{2, 150};
    for (std::int64_t i = 0; i < batch * 150; ++i)
      table->numbers.push_back(static_cast<double>(random() % 180) - 10);
  }
  const auto mask = [](auto&& lambda) { return Mask(lambda); };
  judge(mask([&](Index, Index, Index q, Index k) { return k >= start(q); }), c, 16, 16);
  judge(mask([&](Index b, Index, Index q, Index k) { return k < end(b, q); }), c, 32, 16);
  judge(mask([&](Index b, Index, Index q, Index k) { return end(b, q) > k + 3 && k > 20; }), c, 16,
        16);
  judge(mask([&](Index, Index, Index q, Index k) { return !(k / 3 <= start(q) - 2); }), c, 16, 16);
  judge(mask([&](Index, Index, Index q, Index k) { return k > q - start(q); }), c, 16, 16);
  judge(mask([&](Index, Index, Index q, Index k) { return 2 * k <= start(q) + q; }), c, 16, 16);
  judge(mask([&](Index, Index, Index q, Index) { return start(q) >= 100; }), c, 16, 16);
  judge(mask([&](Index b, Index, Index q, Index k) { return k < min(start(q), end(b, q)); }), c, 16,
        16);
  judge(mask([&](Index b, Index, Index q, Index k) { return k >= start(q) && k < end(b, q); }), c,
        16, 16, false);
  judge(mask([&](Index b, Index, Index q, Index k) {
          return k >= start(q) && k <= q && end(b, q) > 9;
        }),
        c, 16, 32, false);
  judge(mask([&](Index, Index, Index q, Index k) { return start(q) < k || start(k) == 4; }), c, 16,
        16, false);
  // Documents: where one ends the next one starts, so no row leaves a gap.
  Case documents{shape};
  auto &from = documents.tables["start"], &to = documents.tables["end"];
  from.extents = {150}, to.extents = {2, 150};
  const int ends[] = {1, 18, 70, 71, 130, 150};
  for (int q = 0, d = 0; q < 150; ++q) {
    while (q >= ends[d]) ++d;
    from.numbers.push_back(d == 0 ? 0 : ends[d - 1]);
    to.numbers.push_back(ends[d]);
  }
  to.numbers.insert(to.numbers.end(), to.numbers.begin(), to.numbers.end());
  judge(mask([&](Index b, Index, Index q, Index k) { return start(q) <= k && k < end(b, q); }),
        documents, 16, 16);
  judge(mask([&](Index b, Index, Index q, Index k) {
          return start(q) <= k && k < end(b, q) && k <= q;
        }),
        documents, 32, 16);
}

TEST_CASE("congruences") {
  const Case c{{.batch = 1, .heads = 1, .kv_heads = 1, .seqlen_q = 133, .seqlen_kv = 201},
               {{"l", 37}}};
  const Index l = Index::scalar("l", 50);
  const auto mask = [](auto&& lambda) { return Mask(lambda); };
  judge(mask([](Index q, Index k) { return k <= position(q) && (position(q) - k) % 48 == 0; }), c,
        16, 16);
  judge(mask([&](Index q, Index k) { return k <= position(q) && (position(q) - k) % l == 0; }), c,
        16, 16);
  judge(mask([&](Index q, Index k) {
          return (position(q) - k) % l == 0 && abs(position(q) - k) <= 2 * l;
        }),
        c, 16, 16);
  judge(mask([&](Index q, Index k) {
          const Index p = position(q);
          return (k / l == p / l && k <= p) || (k <= p && k % l >= l - 4);
        }),
        c, 16, 16);
  judge(mask([&](Index q, Index k) { return k % l == q % l; }), c, 16, 16);
  judge(mask([&](Index q, Index k) { return (k % l - q % l) % l == 0; }), c, 16, 16);
  judge(mask([](Index, Index k) { return (k / 40) % 2 == 0; }), c, 16, 16);
  judge(mask([&](Index, Index k) { return (k / l) % 3 != 1; }), c, 16, 16);
  judge(mask([&](Index q, Index k) { return !((q + k) % l == 5); }), c, 16, 16);
  judge(mask([](Index q, Index k) { return k % 64 < 20 && k % 96 >= 10 && q % 32 > 20; }), c, 16,
        16);
}

TEST_CASE("nothing to look at") {
  const Case c{{.batch = 2, .heads = 2, .kv_heads = 1, .seqlen_q = 0, .seqlen_kv = 40}};
  judge(causal(), c, 16, 16);
  const Case none{{.batch = 1, .heads = 1, .kv_heads = 1, .seqlen_q = 40, .seqlen_kv = 0}};
  judge(causal(), none, 16, 16);
}
