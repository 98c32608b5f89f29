#include <cmath>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry t5_bias() {
  return variant({
      .origin = "T5 (arXiv 1910.10683); with --causal the buckets of the past alone",
      .summary = "a learned bias for each head and bucket of distances; T5 has --softmax-scale 1",
      .mask = "",
      .options = {{"--num-buckets", "32", "buckets of distances, 4 to 1024"},
                  {"--max-distance", "128", "from here on all fall into the last bucket"}},
      .cases = {"--causal", "--softmax-scale 1 --heads 12", "--num-buckets 8 --max-distance 20"},
      .compose =
          [](const Problem& at) {
            const int heads = static_cast<int>(at.shape.heads);
            const int buckets = at.integer("--num-buckets", 4, 1024);
            const int most = at.integer("--max-distance", buckets, 1 << 20);
            at.require_table("--max-distance", {heads, 2 * most + 1});
            const std::vector<double> drawn = at.normals(9, std::int64_t{buckets} * heads);
            const std::vector<float> learned(drawn.begin(), drawn.end());
            HostTable table =
                host_table(t5_relative_bias(learned, heads, buckets, most, !at.shape.causal));
            table.extents = {heads, 2 * most + 1};
            const int half = at.shape.causal ? buckets : buckets / 2, exact = half / 2;
            return Composition{
                .score_mod = relative_bias(most),
                .tables = {{"relative_bias", table}},
                .scored = [=, causal = at.shape.causal](double s, const Pair& i) {
                  const std::int64_t far = i.k - i.p,
                                     n = causal ? std::max(-far, 0L) : std::abs(far);
                  std::int64_t bucket = n;
                  if (n >= exact)
                    bucket = exact + static_cast<std::int64_t>(std::log(double(n) / exact) /
                                                                   std::log(double(most) / exact) *
                                                                   (half - exact) +
                                                               1e-9);
                  bucket =
                      std::min<std::int64_t>(bucket, half - 1) + (!causal && far > 0 ? half : 0);
                  return s + learned[static_cast<std::size_t>(bucket * heads + i.h)];
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
