#include "variants/recipe.hpp"

namespace tilewright::library::bundled {

VariantEntry flash() {
  return variant({
      .origin = "FlashAttention-2, with multi-query and grouped-query heads",
      .summary = "exact attention in one pass; scores never leave the chip",
      .mask = "",
      .compose = [](const Problem&) { return Composition{}; },
  });
}

}  // namespace tilewright::library::bundled
