#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry fixed() {
  return variant({
      .origin = "Sparse Transformer (arXiv 1904.10509), both fixed patterns in one head",
      .summary = "causal within blocks, and the last keys of every block before",
      .mask = "k <= p and (k / stride == p / stride or k % stride >= stride - summary)",
      .options = {{"--stride", "16", "positions of a block"},
                  {"--summary", "4", "keys of a block that later rows see, at most the stride"}},
      .cases = {"--stride 1 --summary 1", "--stride 128 --summary 32", "--stride 50 --summary 7",
                "--stride 64 --summary 64", "--stride 5000 --summary 3"},
      .compose =
          [](const Problem& at) {
            const int stride = at.integer("--stride", 1);
            const int summary = at.integer("--summary", 0, stride);
            return Composition{.mask = Mask([=](Index q, Index k) {
                                 return k <= position(q) && (k / stride == position(q) / stride ||
                                                             k % stride >= stride - summary);
                               }),
                               .visible = [=](const Pair& i) {
                                 return i.k <= i.p && (i.k / stride == i.p / stride ||
                                                       i.k % stride >= stride - summary);
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
