#include <algorithm>

#include "patterns/random_keys.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry random() {
  return variant({
      .origin = "random attention (BigBird, arXiv 2007.14062, by token)",
      .summary = "each row sees keys drawn for it with --seed; causal: among those up to its own",
      .mask = "k in keys[h, q]",
      .options = {{"--random-keys", "8", "keys that a row sees"}},
      .cases = {"--random-keys 0", "--random-keys 1 --causal", "--random-keys 20 --causal",
                "--random-keys 64", "--random-keys 5000"},
      .compose =
          [](const Problem& at) {
            const AttentionShape& s = at.shape;
            const int count = static_cast<int>(
                std::min<std::int64_t>(at.integer("--random-keys", 0), s.seqlen_kv));
            at.require_table("--random-keys", {s.heads, s.seqlen_q, count});
            const std::vector<std::int32_t> keys =
                random_keys(s.heads, s.seqlen_q, s.seqlen_kv, count, s.causal, at.seed);
            KeyLists lists{.heads = s.heads};
            const auto end_row = [&] {
              lists.indptr.push_back(static_cast<std::int32_t>(lists.indices.size()));
            };
            auto key = keys.begin();
            for (std::int64_t h = 0; h < s.heads; ++h) {
              end_row();
              for (std::int64_t q = 0; q < s.seqlen_q; ++q, end_row())
                for (int i = 0; i < count; ++i, ++key)
                  if (*key >= 0) lists.indices.push_back(*key);
            }
            return Composition{.graph = std::move(lists),
                               .visible = [=, rows = s.seqlen_q](const Pair& i) {
                                 const auto of_row = keys.begin() + (i.h * rows + i.q) * count;
                                 return std::count(of_row, of_row + count, i.k) > 0;
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
