#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry sinks() {
  return variant({
      .origin = "gpt-oss (a learned sink for each head); StreamingLLM (arXiv 2309.17453)",
      .summary = "one more key without a value, by head; and first keys that a window keeps",
      .mask = "k < sink_tokens or p - left <= k <= p",
      .options = {{"--sink-tokens", "4", "first keys that every row sees, besides its window"},
                  {"--window-left", "-1", "keys before a row's own; -1: every key is visible"}},
      .cases = {"--window-left 0", "--window-left 100 --sink-tokens 65", "--causal --sink-tokens 0",
                "--heads 12 --kv-heads 4"},
      .compose =
          [](const Problem& at) {
            const int first = at.integer("--sink-tokens", 0);
            const int left = at.integer("--window-left", -1);
            const std::vector<double> drawn = at.normals(8, at.shape.heads);
            Composition made{.sinks = {drawn.begin(), drawn.end()}};
            if (left < 0) return made;
            made.mask = Mask([=](Index, Index, Index q, Index k) {
              return k < Index::scalar("sink_tokens", first) ||
                     (k >= position(q) - Index::scalar("window_left", left) && k <= position(q));
            });
            made.visible = [=](const Pair& i) {
              return i.k < first || (i.p - left <= i.k && i.k <= i.p);
            };
            return made;
          },
  });
}

}  // namespace tilewright::library::bundled
