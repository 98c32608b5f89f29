#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry prefix_lm() {
  return variant({
      .origin = "T5 and UniLM (arXiv 1910.10683, 1905.03197)",
      .summary = "every row sees a prefix of the keys, and causally the rest",
      .mask = "k < prefix[b] or k <= p",
      .options = {{"--prefix", "64", "keys that all rows see; one for each sequence: a,b,…", false,
                   "N[,N…]"}},
      .cases = {"--prefix 0", "--prefix 1", "--prefix 65", "--prefix 5000",
                "--batch 2 --prefix 3,70"},
      .compose =
          [](const Problem& at) {
            const std::vector<int> prefix = at.integers("--prefix", 0);
            if (prefix.size() > 1) at.require_one_each("--prefix", prefix.size(), at.shape.batch);
            const IndexTable table("prefix", {TableExtent::batch});
            return Composition{
                .mask = prefix.size() == 1 ? tilewright::prefix_lm(prefix[0])
                                           : Mask([=](Index b, Index, Index q, Index k) {
                                               return k < table(b) || k <= position(q);
                                             }),
                .tables = prefix.size() == 1 ? Tables{} : Tables{{"prefix", host_table(prefix)}},
                .visible = [=](const Pair& i) {
                  const auto b = prefix.size() == 1 ? 0 : static_cast<std::size_t>(i.b);
                  return i.k < prefix[b] || i.k <= i.p;
                }};
          },
  });
}

}  // namespace tilewright::library::bundled
