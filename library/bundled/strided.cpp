#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry strided() {
  return variant({
      .origin = "Sparse Transformer (arXiv 1904.10509), the second strided pattern",
      .summary = "a row sees every stride-th key before it",
      .mask = "k <= p and (p - k) % stride == 0",
      .options = {{"--stride", "16", "distance of the keys that a row sees"}, regroup_help},
      .cases = {"--stride 1", "--stride 7", "--stride 64", "--stride 5000",
                "--stride 3 --regroup on", "--stride 16 --regroup on", "--stride 300 --regroup on",
                "--stride 7 --regroup off"},
      .compose =
          [](const Problem& at) {
            const int stride = at.integer("--stride", 1);
            return Composition{
                .mask = Mask([=](Index q, Index k) {
                  return k <= position(q) && (position(q) - k) % stride == 0;
                }),
                .visible = [=](const Pair& i) { return i.k <= i.p && (i.p - i.k) % stride == 0; }};
          },
  });
}

}  // namespace tilewright::library::bundled
