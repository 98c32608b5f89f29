#include "inputs/philox.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry tree() {
  return variant({
      .origin = "trees of drafts (SpecInfer, arXiv 2305.09781; EAGLE)",
      .summary = "the last rows are a tree: each sees what was before it, its ancestors and itself",
      .mask = "k < seqlen_kv - T or bit k - (seqlen_kv - T) of ancestors[q - (seqlen_q - T)]",
      .options = {{"--draft-tokens", "48", "rows that are the tree, drawn with --seed"}},
      .cases = {"--seqlen-q 64 --draft-tokens 64", "--draft-tokens 1", "--draft-tokens 0",
                "--seqlen-q 48 --seqlen-kv 300", "--draft-tokens 257 --seqlen-q 257"},
      .compose =
          [](const Problem& at) {
            const auto most = static_cast<int>(std::min(at.shape.seqlen_q, at.shape.seqlen_kv));
            const int size = std::min(at.integer("--draft-tokens", 0, 4096), most);
            const auto n = static_cast<std::size_t>(size);
            std::vector<std::vector<bool>> above(n, std::vector<bool>(n));
            for (std::uint32_t i = 0; i < n; ++i) {  // its parent: any before it
              const auto drawn = inputs::philox4x32({i, 7, 0, 0}, {std::uint32_t(at.seed), 0})[0];
              if (i > 0) above[i] = above[drawn % i];
              above[i][i] = true;
            }
            return Composition{
                .mask = tilewright::tree(size),
                .tables = {{"ancestors", host_table(tree_ancestors(above),
                                                    {size, std::max((size + 31) / 32, 1)})}},
                .by_list = true,
                .visible = [=, rows = at.shape.seqlen_q, keys = at.shape.seqlen_kv](const Pair& i) {
                  const std::int64_t node = i.q - (rows - size), key = i.k - (keys - size);
                  if (node < 0) return i.k <= i.p;
                  return key < 0 || above[size_t(node)][size_t(key)];
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
