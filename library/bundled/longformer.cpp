#include <cstdlib>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry longformer() {
  return variant({
      .origin = "Longformer (arXiv 2004.05150); one projection for local and global rows",
      .summary = "a window to both sides, with gaps; the first tokens see all and are seen by all",
      .mask = "k < global or q < global or |p - k| <= window dilation and (p - k) % dilation == 0",
      .options = {{"--window", "64", "keys to each side"},
                  {"--dilation", "1", "their distance"},
                  {"--global-tokens", "4", "tokens at the start that are global"}},
      .cases = {"--dilation 3", "--global-tokens 0 --window 63 --dilation 2", "--window 0",
                "--global-tokens 5000", "--window 5000", "--causal --dilation 2"},
      .compose =
          [](const Problem& at) {
            const int dilation = at.integer("--dilation", 1, 1 << 15);
            const int reach = at.integer("--window", 0, 1 << 15) * dilation;
            const int first = at.integer("--global-tokens", 0);
            return Composition{
                .mask = Mask([=](Index q, Index k) {
                  const Index tokens = Index::scalar("global_tokens", first);
                  const Index far = position(q) - k;
                  const Mask near = abs(far) <= reach;
                  return k < tokens || q < tokens ||
                         (dilation == 1 ? near : near && far % dilation == 0);
                }),
                .visible = [=](const Pair& i) {
                  return i.k < first || i.q < first ||
                         (std::abs(i.p - i.k) <= reach && (i.p - i.k) % dilation == 0);
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
