// See gathered.hpp.
#include "variants/gathered.hpp"

#include <algorithm>
#include <array>

#include "attention/block_checks.hpp"
#include "scores/node.hpp"

namespace tilewright::library {
namespace {

bool asks_for(const Mask& mask, ScoreNode::Leaf wanted) {
  bool found = false;
  if (mask.tree())
    (void)with_leaves(mask.tree(), [&](ScoreNode::Leaf leaf) -> ScoreTree {
      found = found || leaf == wanted;
      return nullptr;
    });
  return found;
}

}  // namespace

KeyLists shown_of(const KeyLists& graph, const Mask& mask, const Tables& tables,
                  const AttentionShape& s) {
  if (!mask.tree()) return graph;
  const ScoreSetting setting{
      .seqlen_q = s.seqlen_q, .seqlen_kv = s.seqlen_kv, .heads = s.heads, .tables = tables};
  // Lists that are wrong stay as they are: TokenGraph::from_csr refuses them by name.
  const std::int64_t lists = graph.batch * graph.heads;
  if (static_cast<std::int64_t>(graph.indptr.size()) != lists * (s.seqlen_q + 1)) return graph;
  const auto there = [&](std::int64_t entry) {
    return entry >= 0 && entry <= static_cast<std::int64_t>(graph.indices.size());
  };
  if (!std::all_of(graph.indptr.begin(), graph.indptr.end(), there)) return graph;
  KeyLists shown{asks_for(mask, ScoreNode::Leaf::batch) ? s.batch : graph.batch,
                 asks_for(mask, ScoreNode::Leaf::head) ? s.heads : graph.heads,
                 {},
                 {}};
  for (std::int64_t b = 0; b < shown.batch; ++b)
    for (std::int64_t h = 0; h < shown.heads; ++h) {
      shown.indptr.push_back(static_cast<std::int32_t>(shown.indices.size()));
      const std::int64_t list = list_of(graph.batch, graph.heads, b, h);
      for (std::int64_t q = 0; q < s.seqlen_q; ++q) {
        const auto at = static_cast<std::size_t>(list * (s.seqlen_q + 1) + q);
        for (std::int64_t i = graph.indptr[at]; i < graph.indptr[at + 1]; ++i) {
          const std::int32_t key = graph.indices[static_cast<std::size_t>(i)];
          const bool is_key = key >= 0 && key < s.seqlen_kv;
          if (!is_key || evaluate(mask.tree(), setting, {b, h, q, key}) != 0)
            shown.indices.push_back(key);
        }
        shown.indptr.push_back(static_cast<std::int32_t>(shown.indices.size()));
      }
    }
  return shown;
}

TokenGraph graph_of(const KeyLists& lists, const AttentionParts& parts, const AttentionShape& s) {
  return TokenGraph::from_csr({.batch = lists.batch,
                               .heads = lists.heads,
                               .seqlen_q = s.seqlen_q,
                               .seqlen_kv = s.seqlen_kv,
                               .tile_q = parts.graph_q,
                               .tile_kv = parts.graph_kv},
                              lists.indptr, lists.indices);
}

BlockCounts count_gathered(const TokenGraph& graph, const AttentionShape& s) {
  const TokenGraphShape& shape = graph.shape();
  const std::int64_t times =  // a list counts for all that share it
      (shape.batch == 1 ? s.batch : 1) * (shape.heads == 1 ? s.heads : 1);
  const auto cut = std::count_if(graph.tiles().begin(), graph.tiles().end(),
                                 [](std::int32_t tile) { return tile < 0; });
  const std::int64_t all =
      s.batch * s.heads * tiles_in(s.seqlen_q, shape.tile_q) * tiles_in(s.seqlen_kv, shape.tile_kv);
  return {.skipped = all - times * graph.visited(),
          .full = times * (graph.visited() - cut),
          .cut = times * cut};
}

Tiling tiling_of(const TokenGraph& graph) {
  const TokenGraphShape& shape = graph.shape();
  const std::int64_t rows = tiles_in(shape.seqlen_q, shape.tile_q),
                     columns = tiles_in(shape.seqlen_kv, shape.tile_kv);
  Tiling tiling{shape.tile_q, shape.tile_kv, {}};
  /// Calls visit(tile of rows, its how manieth tile of keys, entry).
  const auto each = [=](std::int64_t b, std::int64_t h, const auto& visit) {
    const std::int64_t list = list_of(shape.batch, shape.heads, b, h);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(list * rows + row);
      for (std::int32_t i = graph.begin()[at]; i < graph.end()[at]; ++i)
        visit(row, i - graph.begin()[at], graph.tiles()[static_cast<std::size_t>(i)]);
    }
  };
  tiling.classes = [=](std::int64_t b, std::int64_t h) {
    std::vector<ir::TileClass> all(static_cast<std::size_t>(rows * columns),
                                   ir::TileClass::skipped);
    each(b, h, [&](std::int64_t row, std::int64_t column, std::int32_t entry) {
      all[static_cast<std::size_t>(row * columns + column)] =
          entry < 0 ? ir::TileClass::cut : ir::TileClass::full;
    });
    return all;
  };
  tiling.gathered = [=](std::int64_t b, std::int64_t h) {
    const std::int64_t places = columns * shape.tile_kv;
    std::vector<std::int64_t> all(static_cast<std::size_t>(rows * places), -1);
    each(b, h, [&](std::int64_t row, std::int64_t column, std::int32_t entry) {
      const std::int64_t tile = entry < 0 ? ~entry : entry;
      std::copy_n(graph.keys().begin() + tile * shape.tile_kv, shape.tile_kv,
                  all.begin() + row * places + column * shape.tile_kv);
    });
    return all;
  };
  return tiling;
}

}  // namespace tilewright::library
