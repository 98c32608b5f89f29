#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry local() {
  return variant({
      .origin = "block-local attention (Image Transformer, arXiv 1802.05751)",
      .summary = "a row sees the keys of its own block of positions",
      .mask = "k / block == p / block",
      .options = {{"--block-size", "64", "positions of a block"}},
      .cases = {"--block-size 1", "--block-size 63", "--block-size 100 --causal",
                "--block-size 5000"},
      .compose =
          [](const Problem& at) {
            const int block = at.integer("--block-size", 1);
            return Composition{
                .mask = Mask([=](Index q, Index k) { return k / block == position(q) / block; }),
                .visible = [=](const Pair& i) { return i.p >= 0 && i.k / block == i.p / block; }};
          },
  });
}

}  // namespace tilewright::library::bundled
