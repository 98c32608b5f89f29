// See block_checks.hpp.
#include "attention/block_checks.hpp"

#include <tilewright/error.hpp>
#include <utility>

#include "attention/blocks_errors.hpp"
#include "attention/tensor_checks.hpp"

namespace tilewright::library {
namespace {

[[noreturn]] void disagrees(const std::string& name, std::int64_t given, std::int64_t wanted,
                            const std::string& what) {
  throw Error(errors::blocks["block-list-disagrees"], "the block list " + what,
              {name, std::to_string(given), std::to_string(wanted), ""});
}

void require(const std::string& name, const TensorView& view, std::size_t rank) {
  if (view.extents.size() == rank && view.strides.size() == rank) return;
  throw Error(errors::blocks["block-list-missing"],
              "tensor '" + name + "' is not given as a block list has it",
              {name, std::to_string(view.extents.size()) + " extents",
               rank == 1 ? "[entries]" : "[batch, heads, tiles of rows]", ""});
}

void bind(const std::string& name, BlockListTensors list, std::vector<Binding>& arguments) {
  arguments.emplace_back(name + "_begin", std::move(list.begin));
  arguments.emplace_back(name + "_end", std::move(list.end));
  arguments.emplace_back(name + "_tiles", std::move(list.tiles));
}

}  // namespace

void bind(BlockListTensors list, std::vector<Binding>& arguments) {
  bind("blocks", std::move(list), arguments);
}

void check(const BlockListTensors& list, const BlockMaskShape& wanted, bool written,
           const std::string& name) {
  require(name + ".begin", list.begin, 3);
  require(name + ".end", list.end, 3);
  require(name + ".tiles", list.tiles, 1);
  if (list.block_q != 0 && list.block_q != wanted.block_q)
    disagrees("block_q", list.block_q, wanted.block_q, "has tiles of another number of rows");
  if (list.block_kv != 0 && list.block_kv != wanted.block_kv)
    disagrees("block_kv", list.block_kv, wanted.block_kv, "has tiles of another number of keys");
  if (list.columns != 0 && list.columns != wanted.columns)
    disagrees("columns", list.columns, wanted.columns, "has another number of columns");
  for (const auto& [part, view] :
       {std::pair<const char*, const TensorView&>{".begin", list.begin}, {".end", list.end}}) {
    if (view.extents[0] != wanted.batch)
      disagrees(name + part, view.extents[0], wanted.batch, "is for another number of sequences");
    if (view.extents[1] != wanted.heads)
      disagrees(name + part, view.extents[1], wanted.heads, "is for another number of heads");
    if (view.extents[2] != wanted.rows)
      disagrees(name + part, view.extents[2], wanted.rows, "has another number of rows");
  }
  if (!written) return;
  const std::int64_t room = check(wanted);
  if (list.tiles.extents[0] < room)
    disagrees(name + ".tiles", list.tiles.extents[0], room, "lacks room for every tile");
}

void check(const AttentionExtents& extents, const BlockListTensors& list, int block_q,
           int block_kv) {
  if (block_q != 0)
    return check(list,
                 {.batch = extents.batch,
                  .heads = extents.heads,
                  .rows = tiles_in(extents.seqlen_q, block_q),
                  .columns = tiles_in(extents.seqlen_kv, block_kv),
                  .block_q = block_q,
                  .block_kv = block_kv},
                 false);
  if (!is_given(list.begin) && !is_given(list.end) && !is_given(list.tiles)) return;
  throw Error(errors::blocks["block-list-missing"], "this attention walks no block list",
              {"blocks", "a list", "none, or a plan of Attention::blocks", ""});
}

void check_graph_tiles(int tile_q, int tile_kv) {
  check_block_size("tile_q", tile_q);
  check_block_size("tile_kv", tile_kv);
  if (tile_kv % 32 != 0)
    throw Error(errors::blocks["block-size-invalid"],
                "a tile of gathered keys is no whole words of bits",
                {"tile_kv", std::to_string(tile_kv), "a multiple of 32 up to 512", ""});
}

void check(const AttentionExtents& extents, const TokenGraphTensors& graph, int tile_q,
           int tile_kv) {
  if (tile_q == 0) {
    if (!is_given(graph.slots.begin) && !is_given(graph.keys) && !is_given(graph.bits)) return;
    throw Error(errors::blocks["block-list-missing"], "this attention takes no graph",
                {"graph", "a graph", "none, or a plan of Attention::graph", ""});
  }
  check(graph.slots,
        {.batch = extents.batch,
         .heads = extents.heads,
         .rows = tiles_in(extents.seqlen_q, tile_q),
         .columns = graph.slots.columns,
         .block_q = tile_q,
         .block_kv = tile_kv},
        false, "graph");
  require("graph.keys", graph.keys, 1);
  require("graph.bits", graph.bits, 1);
  if (graph.seqlen_kv != 0 && graph.seqlen_kv != extents.seqlen_kv)
    disagrees("graph.seqlen_kv", graph.seqlen_kv, extents.seqlen_kv,
              "is of another number of keys");
  const std::int64_t words = graph.keys.extents[0] / 32 * tile_q;
  if (graph.bits.extents[0] != words)
    disagrees("graph.bits", graph.bits.extents[0], words, "has another number of bits than keys");
}

void bind(TokenGraphTensors graph, std::vector<Binding>& arguments) {
  bind("graph", std::move(graph.slots), arguments);
  arguments.emplace_back("graph_keys", std::move(graph.keys));
  arguments.emplace_back("graph_bits", std::move(graph.bits));
}

}  // namespace tilewright::library
