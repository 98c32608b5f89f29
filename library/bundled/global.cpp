#include <cstdlib>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry global() {
  return variant({
      .origin = "ETC and BigBird (arXiv 2004.08483, 2007.14062), global tokens in the sequence",
      .summary = "the first tokens see all and are seen by all; the others a window",
      .mask = "k < global or q < global or |p - k| <= window",
      .options = {{"--global-tokens", "16", "tokens at the start that are global"},
                  {"--window", "32", "keys to each side"}},
      .cases = {"--global-tokens 0", "--global-tokens 65 --window 0", "--global-tokens 5000",
                "--causal --window 63"},
      .compose =
          [](const Problem& at) {
            const int tokens = at.integer("--global-tokens", 0);
            const int window = at.integer("--window", 0);
            return Composition{.mask = Mask([=](Index q, Index k) {
                                 return k < tokens || q < tokens || abs(position(q) - k) <= window;
                               }),
                               .visible = [=](const Pair& i) {
                                 return i.k < tokens || i.q < tokens ||
                                        std::abs(i.p - i.k) <= window;
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
