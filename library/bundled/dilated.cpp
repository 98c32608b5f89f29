#include <cstdlib>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry dilated() {
  return variant({
      .origin = "dilated sliding windows (Longformer, arXiv 2004.05150)",
      .summary = "keys to both sides, with gaps between them",
      .mask = "|p - k| <= window dilation and (p - k) % dilation == 0",
      .options = {{"--window", "16", "keys to each side"},
                  {"--dilation", "4", "their distance"},
                  regroup_help},
      .cases = {"--window 0", "--dilation 1", "--window 63 --dilation 3", "--window 5000 --causal",
                "--regroup on", "--window 70 --dilation 5 --regroup on --causal", "--regroup off"},
      .compose =
          [](const Problem& at) {
            const int dilation = at.integer("--dilation", 1, 1 << 15);
            const int reach = at.integer("--window", 0, 1 << 15) * dilation;
            return Composition{.mask = Mask([=](Index q, Index k) {
                                 const Index far = position(q) - k;
                                 return abs(far) <= reach && far % dilation == 0;
                               }),
                               .visible = [=](const Pair& i) {
                                 return std::abs(i.p - i.k) <= reach && (i.p - i.k) % dilation == 0;
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
