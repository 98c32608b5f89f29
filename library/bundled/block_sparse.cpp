#include "patterns/random_blocks.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry block_sparse() {
  return variant({
      .origin = "block-sparse FlashAttention (arXiv 2205.14135)",
      .summary = "a matrix of blocks for each head says what is visible; drawn with --seed",
      .mask = "blocks[h, q / block, k / block] != 0",
      .options = {{"--block-size", "64", "rows and keys of a block: a multiple of 16"},
                  {"--density", "0.25", "share of the blocks that are visible", false, "X"}},
      .cases = {"--density 0", "--density 1", "--block-size 32 --causal",
                "--block-size 128 --density 0.6", "--batch 2 --heads 4 --kv-heads 2"},
      .compose =
          [](const Problem& at) {
            const int size = at.integer("--block-size", 16, 512);
            at.require_table("--block-size", {at.shape.heads, at.shape.seqlen_q / size + 1,
                                              at.shape.seqlen_kv / size + 1});
            const BlockMask drawn =
                random_blocks({.heads = at.shape.heads,
                               .rows = (at.shape.seqlen_q + size - 1) / size,
                               .columns = (at.shape.seqlen_kv + size - 1) / size,
                               .block_q = size,
                               .block_kv = size},
                              at.real("--density"), at.seed);
            return Composition{.mask = block_matrix(size),
                               .tables = {{"blocks", host_table(drawn)}},
                               .by_list = true,
                               .visible = [=](const Pair& i) {
                                 return drawn.visits(0, i.h, i.q / size, i.k / size);
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
