#include <algorithm>
#include <tilewright/library/acsr.hpp>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry acsr() {
  return variant({
      .origin = "SPLAT (DOI 10.1145/3720503)",
      .summary = "each row sees an arithmetic sequence of keys, three integers a row",
      .mask = "start[q] <= k <= last[q] and (k - start[q]) % step == 0",
      .options = {{"--pattern", "causal_window", "window, causal_window, blocked or strided", false,
                   "NAME"},
                  {"--width", "64", "keys to each side, rows of a block, or the stride"}},
      .cases = {"--pattern window --width 20", "--pattern blocked --width 57", "--width 0",
                "--pattern strided --width 7", "--pattern strided --width 1",
                "--pattern window --width 5000"},
      .compose =
          [](const Problem& at) {
            const auto pattern =
                at.choice("--pattern", {"window", "causal_window", "blocked", "strided"});
            const std::int64_t width = at.integer("--width", pattern > 1 ? 1 : 0);
            const auto seen = [=](std::int64_t p, std::int64_t k) {
              if (pattern == 2) return p / width - 1 <= k / width && k / width <= p / width;
              if (pattern == 3) return (p - k) % width == 0;
              return p - width <= k && k <= (pattern == 0 ? p + width : p);
            };
            const std::int64_t rows = at.shape.seqlen_q, keys = at.shape.seqlen_kv;
            const Acsr mask = pattern == 2   ? Acsr::blocked(rows, keys, width)
                              : pattern == 3 ? Acsr::strided(rows, keys, width)
                                             : Acsr::windowed(rows, keys, width, pattern == 1);
            return Composition{.mask = mask.mask(),
                               .tables = {{"acsr_start", host_table(mask.start())},
                                          {"acsr_last", host_table(mask.last())}},
                               .visible = [=](const Pair& i) { return seen(i.q, i.k); }};
          },
  });
}

}  // namespace tilewright::library::bundled
