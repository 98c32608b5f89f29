#include <algorithm>
#include <cmath>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry rope() {
  return variant({
      .origin = "RoFormer (arXiv 2104.09864); GPT-NeoX and GPT-J pairings, position interpolation",
      .summary = "queries and keys are turned by their positions on their way from memory",
      .mask = "",
      .options = {{"--rope-pairing", "half",
                   "half: p with p + dim/2; interleaved: 2 p with 2 p + 1", false, "NAME"},
                  {"--rope-dim", "0", "first elements of a head that turn, even; 0: all"},
                  {"--rope-base", "10000", "of the frequencies", false, "X"},
                  {"--position-scale", "1", "positions are divided by it", false, "X"}},
      .cases = {"--rope-pairing interleaved --causal", "--rope-dim 16", "--position-scale 2.5",
                "--rope-dim 24 --rope-pairing interleaved --kv-heads 1"},
      .compose =
          [](const Problem& at) {
            const AttentionShape& s = at.shape;
            const bool apart = at.choice("--rope-pairing", {"half", "interleaved"}) == 0;
            const int asked = at.integer("--rope-dim", 0);
            const std::int64_t dim = asked == 0 ? s.head_dim : asked, pairs = dim / 2;
            const double base = at.real("--rope-base"), scale = at.real("--position-scale");
            const RopeTables angles =
                rope_tables(rope_inv_freq(dim, base), std::max(s.seqlen_q, s.seqlen_kv),
                            {.position_scale = scale});
            const auto turn = [=](std::int64_t position, std::span<double> x) {
              for (std::int64_t i = 0; i < pairs; ++i) {
                const double angle = double(position) / scale * std::pow(base, -2.0 * i / dim);
                double& a = x[size_t(apart ? i : 2 * i)];
                double& b = x[size_t(apart ? i + pairs : 2 * i + 1)];
                const double first = a * std::cos(angle) - b * std::sin(angle);
                b = b * std::cos(angle) + a * std::sin(angle);
                a = first;
              }
            };
            return Composition{
                .tables = {{"rope_cos", host_table(angles.cosine, {angles.positions, pairs})},
                           {"rope_sin", host_table(angles.sine, {angles.positions, pairs})}},
                .rope = Rope{apart ? RopePairing::half : RopePairing::interleaved, dim},
                .query = [=, off = s.seqlen_kv - s.seqlen_q](
                             auto, auto, std::int64_t q, std::span<double> x) { turn(q + off, x); },
                .key = [=](auto, auto, std::int64_t k, std::span<double> x) { turn(k, x); }};
          },
  });
}

}  // namespace tilewright::library::bundled
