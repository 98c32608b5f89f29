#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry sliding_window() {
  return variant({
      .origin = "Mistral 7B (arXiv 2310.06825); window_size of flash-attention",
      .summary = "the keys around a row's own; a window of W keys is --window-left W-1",
      .mask = "p - left <= k <= p + right",
      .options = {{"--window-left", "127", "keys before a row's own, inclusive; -1: no limit"},
                  {"--window-right", "0", "keys after it, inclusive; -1: no limit"}},
      .cases = {"--window-left 0", "--window-left 63", "--window-left 64 --window-right 1",
                "--window-left -1 --window-right 65", "--window-left 5000"},
      .compose =
          [](const Problem& at) {
            const int left = at.integer("--window-left", -1);
            const int right = at.integer("--window-right", -1);
            return Composition{.mask = window(left, right), .visible = [=](const Pair& i) {
                                 return (left < 0 || i.k >= i.p - left) &&
                                        (right < 0 || i.k <= i.p + right);
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
