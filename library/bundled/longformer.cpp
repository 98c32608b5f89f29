#include <cstdlib>

#include "variants/random_tensor.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry longformer() {
  return variant({
      .origin = "Longformer (arXiv 2004.05150)",
      .summary = "a window to both sides, with gaps; the first tokens see all and are seen by all",
      .mask = "k < global or q < global or |p - k| <= window dilation and (p - k) % dilation == 0",
      .options = {{"--window", "64", "keys to each side"},
                  {"--dilation", "1", "their distance"},
                  {"--global-tokens", "4", "tokens at the start that are global"},
                  {"--global-projections", "separate",
                   "of global tokens: q, k and v of their own (drawn), or shared with the others",
                   false, "HOW"},
                  regroup_help},
      .cases = {"--dilation 3", "--global-tokens 0 --window 63 --dilation 2", "--window 0",
                "--global-tokens 5000", "--window 5000", "--causal --dilation 2",
                "--global-projections shared --dilation 3",
                "--global-tokens 0 --dilation 4 --regroup on", "--global-tokens 70 --kv-heads 1",
                "--global-projections shared --global-tokens 70 --causal"},
      .compose =
          [](const Problem& at) {
            const AttentionShape& s = at.shape;
            const int dilation = at.integer("--dilation", 1, 1 << 15);
            const int reach = at.integer("--window", 0, 1 << 15) * dilation;
            const int first = at.integer("--global-tokens", 0);
            const bool shared = at.choice("--global-projections", {"separate", "shared"}) == 1;
            Composition made{.mask = Mask([=](Index q, Index k) {
                               const Index far = position(q) - k;
                               Mask local = abs(far) <= reach;
                               if (dilation > 1) local = local && far % dilation == 0;
                               if (first == 0) return local;  // which can be regrouped
                               const Index tokens = Index::scalar("global_tokens", first);
                               return shared ? k < tokens || q < tokens || local
                                             : k < tokens || local;
                             }),
                             .visible = [=](const Pair& i) {
                               return i.k < first || i.q < first ||
                                      (std::abs(i.p - i.k) <= reach && (i.p - i.k) % dilation == 0);
                             }};
            if (shared || first == 0) return made;
            const std::int64_t rows = std::min<std::int64_t>(first, s.seqlen_q);
            made.global =
                OwnRows{rows, random_tensor(s, at.seed, 20, s.heads, rows, s.head_dim),
                        random_tensor(s, at.seed, 21, s.kv_heads, s.seqlen_kv, s.head_dim),
                        random_tensor(s, at.seed, 22, s.kv_heads, s.seqlen_kv, s.value_dim)};
            return made;
          },
  });
}

}  // namespace tilewright::library::bundled
