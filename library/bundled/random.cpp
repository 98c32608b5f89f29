#include <algorithm>

#include "patterns/random_keys.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry random() {
  return variant({
      .origin = "random attention (BigBird, arXiv 2007.14062, by token)",
      .summary = "each row sees keys drawn for it with --seed; causal: among those up to its own",
      .mask = "k in keys[h, q]",
      .options = {{"--random-keys", "8", "keys that a row sees, at most 64"}},
      .cases = {"--random-keys 0", "--random-keys 1 --causal", "--random-keys 20 --causal",
                "--random-keys 64"},
      .compose =
          [](const Problem& at) {
            const int count = at.integer("--random-keys", 0, 64);
            const AttentionShape& s = at.shape;
            at.require_table("--random-keys", {s.heads, s.seqlen_q, count});
            const std::vector<std::int32_t> keys =
                random_keys(s.heads, s.seqlen_q, s.seqlen_kv, count, s.causal, at.seed);
            return Composition{
                .mask = Mask([=](Index, Index h, Index q, Index k) {
                  const IndexTable drawn(
                      "random_keys", {TableExtent::heads, TableExtent::seqlen_q, TableExtent::any});
                  Mask seen = k < 0;
                  for (int i = 0; i < count; ++i) seen = seen || drawn(h, q, i) == k;
                  return seen;
                }),
                .tables = count == 0 ? Tables{}
                                     : Tables{{"random_keys",
                                               host_table(keys, {s.heads, s.seqlen_q, count})}},
                .by_list = true,
                .visible = [=, rows = s.seqlen_q](const Pair& i) {
                  const auto of_row = keys.begin() + (i.h * rows + i.q) * count;
                  return std::count(of_row, of_row + count, i.k) > 0;
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
