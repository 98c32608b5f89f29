#include <cmath>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry softcap() {
  return variant({
      .origin = "Gemma 2 (arXiv 2408.00118)",
      .summary = "scores pass through cap tanh(s / cap)",
      .mask = "",
      .options = {{"--softcap", "50", "bound of the scores, above 0", false, "X"}},
      .cases = {"--softcap 1", "--softcap 0.25 --causal"},
      .compose =
          [](const Problem& at) {
            const double cap = at.real("--softcap");
            return Composition{
                .score_mod = tilewright::softcap(cap),
                .scored = [=](double s, const Pair&) { return cap * std::tanh(s / cap); },
                .order = ScoreOrder::cap};
          },
  });
}

}  // namespace tilewright::library::bundled
