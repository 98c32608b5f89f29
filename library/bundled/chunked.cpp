#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry chunked() {
  return variant({
      .origin = "Llama 4 (chunked attention)",
      .summary = "causal within chunks of positions",
      .mask = "k <= p and k / chunk == p / chunk",
      .options = {{"--chunk", "128", "positions of a chunk"}},
      .cases = {"--chunk 1", "--chunk 63", "--chunk 64", "--chunk 100", "--chunk 5000"},
      .compose =
          [](const Problem& at) {
            const int chunk = at.integer("--chunk", 1);
            return Composition{.mask = tilewright::chunked(chunk), .visible = [=](const Pair& i) {
                                 return i.k <= i.p && i.p >= 0 && i.k / chunk == i.p / chunk;
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
