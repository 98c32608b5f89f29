#include <algorithm>

#include "patterns/bigbird.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry bigbird() {
  return variant({
      .origin = "BigBird (arXiv 2007.14062), global blocks in the sequence",
      .summary = "blocks: the first, the last, the neighbors, and some drawn for each head",
      .mask = "i, j blocks of q, k: i or j first or last, or |i - j| <= 1, or j in random[h, i]",
      .options = {{"--block-size", "64", "rows and keys of a block: a multiple of 16"},
                  {"--random-blocks", "3", "blocks drawn for each block of rows, with --seed"}},
      .cases = {"--seqlen-q 257 --block-size 16", "--seqlen-q 1000", "--seqlen-q 64 --causal",
                "--seqlen-q 400 --block-size 32 --random-blocks 0 --causal"},
      .shape = [](const Problem&, AttentionShape& shape) { shape.seqlen_kv = shape.seqlen_q; },
      .compose =
          [](const Problem& at) {
            const BigBird how{.seqlen = at.shape.seqlen_q,
                              .heads = at.shape.heads,
                              .block = at.integer("--block-size", 16, 512),
                              .random_blocks = at.integer("--random-blocks", 0, 1 << 20)};
            at.require_table("--block-size", {how.heads, how.blocks(), how.blocks()});
            const std::vector<std::int32_t> drawn = bigbird_random_blocks(how, at.seed);
            const auto visible = [=, last = how.blocks() - 1,
                                  each = how.random_blocks](const Pair& at) {
              const std::int64_t i = at.q / how.block, j = at.k / how.block;
              if (how.is_dense() || std::min(i, j) == 0 || std::max(i, j) == last) return true;
              const auto of_row = drawn.begin() + ((last - 1) * at.h + i - 1) * each;
              return std::abs(i - j) <= 1 || std::count(of_row, of_row + each, j) > 0;
            };
            return Composition{
                .mask = block_matrix(how.block),
                .tables = {{"blocks", host_table(tilewright::library::bigbird(how, drawn))}},
                .by_list = true,
                .visible = visible};
          },
  });
}

}  // namespace tilewright::library::bundled
