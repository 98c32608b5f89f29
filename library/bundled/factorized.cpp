#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry factorized() {
  return variant({
      .origin = "Sparse Transformer (arXiv 1904.10509), three ways to join two patterns",
      .summary = "the last keys and every stride-th key: by layer, in one head, or by head",
      .mask = "k <= p and (k > p - stride and/or (p - k) % stride == 0)",
      .options = {{"--stride", "16", "keys of the first pattern, distance of the second"},
                  {"--integration", "merged",
                   "alternating: one pattern, the --layer's; merged: both in every head; "
                   "multihead: even heads have the first, odd ones the second",
                   false, "WAY"},
                  {"--layer", "0", "of alternating: even layers have the first pattern"}},
      .cases = {"--integration alternating", "--integration alternating --layer 1",
                "--integration multihead", "--integration multihead --stride 65", "--stride 1"},
      .compose =
          [](const Problem& at) {
            const int stride = at.integer("--stride", 1);
            const auto way = at.choice("--integration", {"alternating", "merged", "multihead"});
            const int layer = at.integer("--layer", 0);
            return Composition{
                .mask = Mask([=](Index, Index h, Index q, Index k) {
                  const Mask near = k <= position(q) && k > position(q) - stride;
                  const Mask far = k <= position(q) && (position(q) - k) % stride == 0;
                  if (way == 0) return layer % 2 == 0 ? near : far;
                  return way == 1 ? near || far : (h % 2 == 0 && near) || (h % 2 == 1 && far);
                }),
                .visible = [=](const Pair& i) {
                  const std::int64_t d = i.p - i.k, pattern = way == 0 ? layer % 2 : i.h % 2;
                  const bool near = d < stride, far = d % stride == 0;
                  return d >= 0 && (way == 1 ? near || far : pattern == 0 ? near : far);
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
