// Errors of the writer of CUDA text: what has no text in this version.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry emit_entries[] = {
    {"reduction-unsupported", ErrorKind::unsupported,
     "A reduction gives its result along the columns of a tile, or works on more than two "
     "dimensions.",
     "Reduce tiles of two dimensions along their rows."},
    {"tile-layout-unsupported", ErrorKind::unsupported,
     "A tile spans two dimensions that both lie within a thread's row.",
     "Let one of them be the dimension that runs over warps, or loop over it."},
    {"reference-lacks-operation", ErrorKind::unsupported,
     "The reference of a standalone program has no text for an operation of the program.",
     "Write the standalone program from the traced kernel, before any pass."},
    {"reference-mask-unsupported", ErrorKind::unsupported,
     "An operation under a mask lacks a dimension of the mask, and the reference cannot apply it.",
     "Give the operand every dimension of the mask."},
    {"standalone-parameter-unknown", ErrorKind::invalid_argument,
     "A parameter of the kernel's text belongs to nothing in the traced program.",
     "Give the text and the traced program of one and the same kernel."},
    {"reference-list-unsupported", ErrorKind::unsupported,
     "A standalone program is to be written of a kernel that reduces over the rows of a block "
     "list.",
     "Dump the kernel without main()."},
};
inline constexpr ErrorTable emit{emit_entries};

}  // namespace tilewright::errors
