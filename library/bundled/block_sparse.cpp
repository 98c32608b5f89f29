#include "attention/block_checks.hpp"
#include "patterns/random_blocks.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {
namespace {

/// In CSR form, or as a matrix; for each head.
BlockMask blocks_of(const MaskFile& file, const BlockMaskShape& shape) {
  BlockMaskShape own = shape;
  std::vector<std::uint8_t> visited;
  if (!file.has("blocks")) {
    const FileCsr csr = file.csr(shape.heads, shape.rows);
    own.heads = csr.heads;
    const BlockMask mask = BlockMask::from_csr(own, csr.indptr, csr.indices);
    if (own.heads == shape.heads) return mask;
    for (const double number : host_table(mask).numbers) visited.push_back(number != 0);
  } else {
    const FileIntegers matrix = file.integers_by_head("blocks", 3, shape.heads);
    own.heads = matrix.extents[0];
    require_extent("blocks", "rows of blocks", matrix.extents[1], shape.rows);
    require_extent("blocks", "columns of blocks", matrix.extents[2], shape.columns);
    for (const std::int32_t number : matrix.numbers) visited.push_back(number != 0);
  }
  const std::vector<std::uint8_t> one = visited;  // the same for all
  for (std::int64_t h = own.heads; h < shape.heads; ++h)
    visited.insert(visited.end(), one.begin(), one.end());
  return BlockMask::from_dense(shape, visited);
}

}  // namespace

VariantEntry block_sparse() {
  return variant({
      .origin = "block-sparse FlashAttention (arXiv 2205.14135)",
      .summary = "a matrix of blocks for each head says what is visible: a file's, or drawn",
      .mask = "blocks[h, q / block, k / block] != 0",
      .options = {{"--block-size", "64", "rows and keys of a block: a multiple of 16"},
                  {"--density", "0.25", "share of the blocks drawn with --seed", false, "X"},
                  {"--mask", "",
                   "safetensors: blocks [heads, rows, columns] in units of blocks, or "
                   "indptr [heads, rows + 1] and indices",
                   false, "FILE"}},
      .cases = {"--density 0", "--density 1", "--block-size 32 --causal",
                "--block-size 128 --density 0.6", "--batch 2 --heads 4 --kv-heads 2"},
      .compose =
          [](const Problem& at) {
            const int size = at.integer("--block-size", 16, 512);
            const BlockMaskShape shape{.heads = at.shape.heads,
                                       .rows = tiles_in(at.shape.seqlen_q, size),
                                       .columns = tiles_in(at.shape.seqlen_kv, size),
                                       .block_q = size,
                                       .block_kv = size};
            at.require_table("--block-size", {shape.heads, shape.rows, shape.columns});
            const auto file = at.file("--mask");
            const BlockMask all = file ? blocks_of(*file, shape)
                                       : random_blocks(shape, at.real("--density"), at.seed);
            return Composition{.mask = block_matrix(size),
                               .tables = {{"blocks", host_table(all)}},
                               .by_list = true,
                               .visible = [=](const Pair& i) {
                                 return all.visits(0, i.h, i.q / size, i.k / size);
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
