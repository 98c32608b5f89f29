// Several compositions as one (recipe.hpp): what is compiled, in the algebra; and the plain
// formulas, side by side, as the reference wants them.
#pragma once

#include <memory>

#include "attention/kernel.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {

struct Joined {
  Mask mask;
  ScoreMod score_mod;
  Tables tables;
  std::vector<float> sinks;
  bool by_list = false;                ///< the mask's tiles are to be listed …
  bool has_loose_bounds = false;       ///< … unless rows and keys are regrouped
  std::optional<Acsr> compressed;      ///< the mask, with the shape's causal
  std::optional<KeyLists> graph = {};  ///< what the mask shows of it; there is then no mask left
  /// The first rows' own; the mask is of the others, and this one of them.
  std::optional<OwnRows> global = {};
  Mask global_mask = {};
  // Plainly.
  std::vector<Visible> visible;
  std::vector<Scored> scored;
  std::vector<std::int32_t> cu_seqlens_q, cu_seqlens_k;
  bool causal = false;

  std::optional<RopePart> rope;
  std::optional<SinusoidalLayout> positions;
  RowTransform query, key;

  /// Of the first rows.
  AttentionParts global_parts() const {
    return {.mask = global_mask, .score_mod = score_mod, .has_sinks = !sinks.empty()};
  }
  AttentionParts parts() const {
    return {.mask = mask, .score_mod = score_mod, .has_sinks = !sinks.empty(), .rope = rope};
  }
};

/// Masks are met, scores follow one another (softcaps first), the shape's causal is added, and
/// where sequences are packed all of it is said of each. Throws as Recipe::compose.
Joined joined(const std::vector<std::shared_ptr<const Recipe>>& recipes, const Request& request);

/// The plain side.
Formula formula_of(const Joined& all, const AttentionShape& shape);

}  // namespace tilewright::library
