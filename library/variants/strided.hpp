// What is drawn of masks whose rows and keys are regrouped (attention/regroup.hpp).
#pragma once

#include <tilewright/compile.hpp>

#include "attention/regroup.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {

/// Orders and classes: residue after residue, each filled up to whole tiles; where rows and keys
/// are of different residues, tiles are skipped.
void add_regrouped(Tiling& tiling, std::shared_ptr<const Program> program, const Regrouping& how,
                   const Tables& tables, const AttentionShape& shape);

}  // namespace tilewright::library
