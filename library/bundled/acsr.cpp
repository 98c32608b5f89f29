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
            std::vector<std::uint8_t> dense;
            for (std::int64_t q = 0; q < at.shape.seqlen_q; ++q)
              for (std::int64_t k = 0; k < at.shape.seqlen_kv; ++k) dense.push_back(seen(q, k));
            const Acsr rows = Acsr::from_dense(at.shape.seqlen_q, at.shape.seqlen_kv, dense);
            return Composition{.mask = rows.mask(),
                               .tables = {{"acsr_start", host_table(rows.start())},
                                          {"acsr_last", host_table(rows.last())}},
                               .visible = [=](const Pair& i) { return seen(i.q, i.k); }};
          },
  });
}

}  // namespace tilewright::library::bundled
