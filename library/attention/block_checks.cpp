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

void require(const char* name, const TensorView& view, std::size_t rank) {
  if (view.extents.size() == rank && view.strides.size() == rank) return;
  throw Error(errors::blocks["block-list-missing"],
              "tensor '" + std::string(name) + "' is not given as a block list has it",
              {name, std::to_string(view.extents.size()) + " extents",
               rank == 1 ? "[entries]" : "[batch, heads, tiles of rows]", ""});
}

}  // namespace

void bind(BlockListTensors list, std::vector<Binding>& arguments) {
  arguments.emplace_back("blocks_begin", std::move(list.begin));
  arguments.emplace_back("blocks_end", std::move(list.end));
  arguments.emplace_back("blocks_tiles", std::move(list.tiles));
}

void check(const BlockListTensors& list, const BlockMaskShape& wanted, bool written) {
  require("blocks.begin", list.begin, 3);
  require("blocks.end", list.end, 3);
  require("blocks.tiles", list.tiles, 1);
  if (list.block_q != 0 && list.block_q != wanted.block_q)
    disagrees("block_q", list.block_q, wanted.block_q, "has tiles of another number of rows");
  if (list.block_kv != 0 && list.block_kv != wanted.block_kv)
    disagrees("block_kv", list.block_kv, wanted.block_kv, "has tiles of another number of keys");
  if (list.columns != 0 && list.columns != wanted.columns)
    disagrees("columns", list.columns, wanted.columns, "has another number of columns");
  for (const auto& [name, view] :
       {std::pair<const char*, const TensorView&>{"blocks.begin", list.begin},
        {"blocks.end", list.end}}) {
    if (view.extents[0] != wanted.batch)
      disagrees(name, view.extents[0], wanted.batch, "is for another number of sequences");
    if (view.extents[1] != wanted.heads)
      disagrees(name, view.extents[1], wanted.heads, "is for another number of heads");
    if (view.extents[2] != wanted.rows)
      disagrees(name, view.extents[2], wanted.rows, "has another number of rows");
  }
  if (!written) return;
  const std::int64_t room = check(wanted);
  if (list.tiles.extents[0] < room)
    disagrees("blocks.tiles", list.tiles.extents[0], room, "lacks room for every tile");
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

}  // namespace tilewright::library
