#include <algorithm>
#include <cstdlib>
#include <tilewright/library/acsr.hpp>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {
namespace {

/// A pattern as the matrix of segments, and plainly.
struct Pattern {
  const char* name;
  std::int64_t least;  ///< width
  Acsr (*segments)(const AttentionShape& s, std::int64_t width, std::int64_t gap,
                   std::int64_t tokens);
  bool (*sees)(std::int64_t q, std::int64_t k, std::int64_t width, std::int64_t gap,
               std::int64_t tokens);
};

using Number = std::int64_t;
using Shape = const AttentionShape&;

constexpr Pattern patterns[] = {
    {"causal_window", 0,
     [](Shape s, Number w, Number, Number) {
       return Acsr::windowed(s.seqlen_q, s.seqlen_kv, w, true);
     },
     [](Number q, Number k, Number w, Number, Number) { return q - w <= k && k <= q; }},
    {"window", 0,
     [](Shape s, Number w, Number, Number) {
       return Acsr::windowed(s.seqlen_q, s.seqlen_kv, w, false);
     },
     [](Number q, Number k, Number w, Number, Number) { return std::abs(q - k) <= w; }},
    {"blocked", 1,
     [](Shape s, Number w, Number, Number) { return Acsr::blocked(s.seqlen_q, s.seqlen_kv, w); },
     [](Number q, Number k, Number w, Number, Number) {
       return k / w == q / w || k / w == q / w - 1;
     }},
    {"strided", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::strided(s.seqlen_q, s.seqlen_kv, w, false);
     },
     [](Number q, Number k, Number w, Number, Number) { return (q - k) % w == 0; }},
    {"causal_strided", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::strided(s.seqlen_q, s.seqlen_kv, w, true);
     },
     [](Number q, Number k, Number w, Number, Number) { return k <= q && (q - k) % w == 0; }},
    {"dilated", 0,
     [](Shape s, Number w, Number gap, Number) {
       return Acsr::dilated(s.seqlen_q, s.seqlen_kv, w, gap);
     },
     [](Number q, Number k, Number w, Number gap, Number) {
       return std::abs(q - k) <= w * gap && (q - k) % gap == 0;
     }},
    {"fixed_local", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::fixed_local(s.seqlen_q, s.seqlen_kv, w);
     },
     [](Number q, Number k, Number w, Number, Number) { return k <= q && k / w == q / w; }},
    {"fixed_summary", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::fixed_summary(s.seqlen_q, s.seqlen_kv, w);
     },
     [](Number q, Number k, Number w, Number, Number) { return k <= q && k % w == w - 1; }},
    {"merged_strided", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::merged_strided(s.seqlen_q, s.seqlen_kv, w);
     },
     [](Number q, Number k, Number w, Number, Number) {
       return k <= q && (k > q - w || (q - k) % w == 0);
     }},
    {"fixed_union", 1,
     [](Shape s, Number w, Number, Number) {
       return Acsr::fixed_union(s.seqlen_q, s.seqlen_kv, w);
     },
     [](Number q, Number k, Number w, Number, Number) {
       return k <= q && (k / w == q / w || k % w == w - 1);
     }},
    {"longformer", 0,
     [](Shape s, Number w, Number, Number tokens) {
       return Acsr::longformer(s.seqlen_q, s.seqlen_kv, w, tokens);
     },
     [](Number q, Number k, Number w, Number, Number tokens) {
       return k < tokens || q < tokens || std::abs(q - k) <= w;
     }},
};

}  // namespace

VariantEntry acsr() {
  return variant({
      .origin = "SPLAT (DOI 10.1145/3720503); patterns of it, Sparse Transformer, Longformer",
      .summary = "each row sees a few arithmetic sequences of keys, three integers each",
      .mask = "some segment of q: start <= k <= last and (k - start) % step == 0",
      .options = {{"--pattern", "causal_window",
                   "causal_window, window, blocked, strided, causal_strided, dilated, fixed_local, "
                   "fixed_summary, merged_strided, fixed_union or longformer",
                   false, "NAME"},
                  {"--width", "64", "keys to each side, rows of a block, or the stride"},
                  {"--dilation", "4", "of dilated: the distance of its keys"},
                  {"--global-tokens", "4", "of longformer: tokens at the start"},
                  regroup_help,
                  {"--trio", "false",
                   "three kernels through scores and weights in memory, compressed (R-SDDMM, "
                   "R-softmax, R-SpMM)",
                   true}},
      .cases = {"--pattern window --width 20",
                "--pattern blocked --width 57",
                "--width 0",
                "--pattern strided --width 7",
                "--pattern strided --width 1",
                "--pattern window --width 5000",
                "--pattern strided --width 100 --regroup off",
                "--pattern causal_strided --width 20",
                "--pattern causal_strided --width 328",
                "--pattern dilated --width 20 --causal",
                "--pattern fixed_local --width 57",
                "--pattern dilated --width 3 --dilation 90 --regroup on",
                "--pattern fixed_summary --width 7",
                "--pattern fixed_summary --width 150",
                "--pattern merged_strided --width 20",
                "--pattern merged_strided --width 100",
                "--pattern fixed_union --width 57",
                "--pattern longformer --width 20 --causal",
                "--pattern longformer --width 100 --global-tokens 70",
                "--trio",
                "--trio --pattern window --width 20 --causal",
                "--trio --pattern blocked --width 57",
                "--trio --pattern strided --width 7",
                "--trio --pattern causal_strided --width 328",
                "--trio --pattern dilated --width 20",
                "--trio --pattern fixed_local --width 57",
                "--trio --pattern fixed_summary --width 7",
                "--trio --pattern merged_strided --width 20",
                "--trio --pattern fixed_union --width 57",
                "--trio --pattern longformer --width 20 --causal"},
      .compose =
          [](const Problem& at) {
            std::vector<std::string_view> names;
            for (const Pattern& one : patterns) names.emplace_back(one.name);
            const Pattern& pattern = patterns[at.choice("--pattern", names)];
            const Number width = at.integer("--width", static_cast<int>(pattern.least), 1 << 24);
            const Number gap = at.integer("--dilation", 1, 1 << 24);
            const Number tokens = at.integer("--global-tokens", 0);
            const Acsr made = pattern.segments(at.shape, width, gap, tokens);
            Composition composition{.mask = made.mask(),
                                    .has_loose_bounds = !made.is_contiguous(),
                                    .visible = [=, sees = pattern.sees](const Pair& i) {
                                      return sees(i.q, i.k, width, gap, tokens);
                                    }};
            if (at.flag("--trio")) composition.compressed = made;
            for (const AcsrTable& table : made.tables())
              composition.tables[table.name] = host_table(table.numbers, table.extents);
            return composition;
          },
  });
}

}  // namespace tilewright::library::bundled
