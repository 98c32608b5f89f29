// The tiles of a kernel that walks one residue of rows and keys at a time, as one matrix of tiles:
// residues stand one after the other, each with its rows and its keys, filled up to whole tiles.
#pragma once

#include "attention/regroup.hpp"

namespace tilewright::library {

/// Keys of residues that no row sees stand at the end. `program` is what `how.parts` became.
Tiling regrouped_tiling(const std::shared_ptr<const Program>& program, const Regrouping& how,
                        const std::map<std::string, HostTable>& tables,
                        const AttentionShape& shape);

}  // namespace tilewright::library
