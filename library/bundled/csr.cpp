#include <algorithm>

#include "patterns/random_keys.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry csr() {
  return variant({
      .origin = "graphs of tokens (Fused3S, arXiv 2505.08098; DGL)",
      .summary = "each row names its keys, one by one: from a file, or drawn with --seed",
      .mask = "k in indices[indptr[q] … indptr[q + 1] - 1]",
      .options = {{"--mask", "", "safetensors: indptr [rows + 1] or [heads, rows + 1], indices",
                   false, "FILE"},
                  {"--keys", "16", "without a file: row q sees at most q % (N + 1) keys"}},
      .cases = {"--keys 0", "--keys 1", "--keys 100 --causal", "--keys 3 --batch 2 --kv-heads 1"},
      .compose =
          [](const Problem& at) {
            const AttentionShape& s = at.shape;
            const int most = at.integer("--keys", 0, 1 << 20);
            KeyLists lists{.indptr = {0}};
            if (const auto file = at.file(mask_option)) {
              FileCsr given = file->csr(s.heads, s.seqlen_q);
              lists = {1, given.heads, std::move(given.indptr), std::move(given.indices)};
            } else {
              at.require_table("--keys", {s.seqlen_q, most});
              const auto drawn = random_keys(1, s.seqlen_q, s.seqlen_kv, most, false, at.seed);
              for (std::int64_t q = 0; q < s.seqlen_q; ++q) {
                for (std::int64_t i = 0; i < std::min<std::int64_t>(q % (most + 1), s.seqlen_kv);
                     ++i)
                  lists.indices.push_back(drawn[static_cast<std::size_t>(q * most + i)]);
                lists.indptr.push_back(static_cast<std::int32_t>(lists.indices.size()));
              }
            }
            const auto visible = [lists, rows = s.seqlen_q](const Pair& i) {
              const auto list = lists.indptr.begin() + (lists.heads == 1 ? 0 : i.h) * (rows + 1);
              return std::count(lists.indices.begin() + list[i.q],
                                lists.indices.begin() + list[i.q + 1], i.k) > 0;
            };
            return Composition{.graph = std::move(lists), .visible = visible};
          },
  });
}

}  // namespace tilewright::library::bundled
