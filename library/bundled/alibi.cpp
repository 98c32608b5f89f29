#include <cmath>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {
namespace {

/// The paper's, by its own recursion: of a power of two a geometric sequence; of others, those of
/// the power below, then every other one of those of the power above.
std::vector<double> slopes(std::int64_t heads) {
  std::int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  std::vector<double> all;
  for (double i = 1; i <= static_cast<double>(power); ++i)
    all.push_back(std::pow(2, -8 * i / static_cast<double>(power)));
  for (double i = 1; static_cast<std::int64_t>(all.size()) < heads; i += 2)
    all.push_back(std::pow(2, -8 * i / static_cast<double>(2 * power)));
  return all;
}

}  // namespace

VariantEntry alibi() {
  return variant({
      .origin = "ALiBi (arXiv 2108.12409)",
      .summary = "scores fall with the distance, for each head by its own slope",
      .mask = "",
      .cases = {"--causal", "--heads 12", "--heads 71 --kv-heads 1 --causal"},
      .compose =
          [](const Problem& at) {
            return Composition{
                .score_mod = tilewright::alibi(),
                .tables = {{"slopes", host_table(alibi_slopes(static_cast<int>(at.shape.heads)))}},
                .scored = [m = slopes(at.shape.heads)](double s, const Pair& i) {
                  return s - m[static_cast<std::size_t>(i.h)] * std::abs(double(i.p - i.k));
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
