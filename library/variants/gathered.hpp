// Variants whose rows name their keys one by one: what is composed with them, what is launched and
// what is counted.
#pragma once

#include <tilewright/compile.hpp>
#include <tilewright/library/token_graph.hpp>

#include "attention/kernel.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {

/// The keys of `graph` that `mask` shows, asked here, pair by pair. There is a list for each
/// sequence or head only where the mask or the graph tells them apart.
KeyLists shown_of(const KeyLists& graph, const Mask& mask, const Tables& tables,
                  const AttentionShape& shape);

/// Gathered for the tiles of `parts`. Throws Error as TokenGraph::from_csr.
TokenGraph graph_of(const KeyLists& lists, const AttentionParts& parts,
                    const AttentionShape& shape);

/// Over all sequences and query heads; skipped are those that the keys would fill beyond the
/// gathered ones.
BlockCounts count_gathered(const TokenGraph& graph, const AttentionShape& shape);

/// What is drawn: of each tile of rows the keys it gathers.
Tiling tiling_of(const TokenGraph& graph);

}  // namespace tilewright::library
