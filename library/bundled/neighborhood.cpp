#include <algorithm>

#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry neighborhood() {
  return variant({
      .origin = "neighborhood attention (NATTEN, arXiv 2204.07143)",
      .summary = "tokens of a grid see a square around them, moved inward at the edges",
      .mask = "y0 <= k / W < y0 + size and x0 <= k % W < x0 + size, y0, x0 by row",
      .options = {{"--grid", "16x32", "rows and columns of the grid", false, "HxW"},
                  {"--kernel-size", "7", "width of the square"}},
      .cases = {"--grid 6x6 --kernel-size 3", "--grid 1x257 --kernel-size 65",
                "--grid 20x13 --kernel-size 13", "--grid 8x64 --kernel-size 5",
                "--grid 9x9 --kernel-size 1"},
      .shape =
          [](const Problem& at, AttentionShape& shape) {
            const auto [height, width] = at.grid("--grid");
            shape.seqlen_q = shape.seqlen_kv = std::int64_t{height} * width;
          },
      .compose =
          [](const Problem& at) {
            const auto [height, width] = at.grid("--grid");
            const int size = at.integer("--kernel-size", 1, 1 << 15);
            const auto near = [=](std::int64_t row, std::int64_t key, int length) {
              const int side = std::min(size, length);
              const std::int64_t from = std::clamp<std::int64_t>(row - side / 2, 0, length - side);
              return from <= key && key < from + side;
            };
            return Composition{.mask = tilewright::neighborhood(height, width, size),
                               .visible = [=, h = height, w = width](const Pair& i) {
                                 return near(i.q / w, i.k / w, h) && near(i.q % w, i.k % w, w);
                               }};
          },
  });
}

}  // namespace tilewright::library::bundled
