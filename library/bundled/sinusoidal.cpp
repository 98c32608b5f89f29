#include <cmath>

#include "variants/positions.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry sinusoidal() {
  return variant({
      .origin = "Attention Is All You Need (arXiv 1706.03762), section 3.5",
      .summary = "sines and cosines of the position are added to queries and keys",
      .mask = "",
      .options = {{"--position-layout", "interleaved",
                   "sines and cosines in turn: interleaved; or the sines in front: concatenated",
                   false, "NAME"}},
      .cases = {"--position-layout concatenated --causal", "--layout bshd --kv-heads 1"},
      .compose =
          [](const Problem& at) {
            const AttentionShape& s = at.shape;
            const bool in_turn =
                at.choice("--position-layout", {"interleaved", "concatenated"}) == 0;
            const auto add = [=, dim = s.head_dim](std::int64_t position, std::int64_t head,
                                                   std::int64_t heads, std::span<double> x) {
              const std::int64_t width = heads * dim, half = (width + 1) / 2;
              for (std::int64_t d = 0; d < dim; ++d) {
                const std::int64_t e = head * dim + d, pair = in_turn ? e / 2 : e % half;
                const double angle =
                    double(position) * std::pow(10000., -2. * double(pair) / double(width));
                x[static_cast<std::size_t>(d)] +=
                    (in_turn ? e % 2 == 0 : e < half) ? std::sin(angle) : std::cos(angle);
              }
            };
            return Composition{.query = [=, first = first_query_position(s), n = s.heads](
                                            auto, std::int64_t h, std::int64_t q,
                                            std::span<double> x) { add(first + q, h, n, x); },
                               .key = [=, first = first_key_position(s), n = s.kv_heads](
                                          auto, std::int64_t h, std::int64_t k,
                                          std::span<double> x) { add(first + k, h, n, x); },
                               .positions = in_turn ? SinusoidalLayout::interleaved
                                                    : SinusoidalLayout::concatenated};
          },
  });
}

}  // namespace tilewright::library::bundled
