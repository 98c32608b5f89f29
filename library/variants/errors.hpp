// Errors of the variants: what a variant cannot be asked for.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry variants_entries[] = {
    {"variant-unknown", ErrorKind::invalid_argument, "There is no variant of that name.",
     "Choose one that `tilewright list` prints."},
    {"variant-twice", ErrorKind::invalid_argument,
     "A composed variant names one of its parts twice.", "Name each once: alibi+sliding_window."},
    {"variant-parts-exclude", ErrorKind::unsupported,
     "Variants are composed that no kernel does together.",
     "Leave one of them out; the builder turns packed sequences with rope({.positions_given})."},
    {"variant-table-too-large", ErrorKind::unsupported,
     "The table that a variant draws or fills for this shape has more than 2^27 numbers.",
     "Use larger blocks, fewer keys or a smaller shape."},
    {"variant-option-disagrees", ErrorKind::shape_mismatch,
     "An option of a variant does not fit the shape: a list of another length or sum.",
     "Give what the message asks for, or another shape."},
    {"variant-type-unsupported", ErrorKind::unsupported,
     "The variant has no kernel for this element type.", "Use one that the message lists."},
    {"variant-schedule-unsupported", ErrorKind::unsupported,
     "A schedule file is given to a variant of several kernels.",
     "Use --tile-q, --tile-kv, --stages and --warps."},
    {"schedule-precision-disagrees", ErrorKind::invalid_argument,
     "The schedule file and --dot-precision ask for different products.",
     "Drop one of the two, or let them agree."},
    {"memory-budget-exceeded", ErrorKind::unsupported,
     "The variant stores all scores, and they take more bytes than --memory-budget.",
     "Raise --memory-budget, use a smaller shape, or a variant that stores none."},
    {"result-size-wrong", ErrorKind::launch_failed,
     "A run returned a result of another size than its shape says.",
     "Report it: a defect of the variant."},
    {"mask-tensor-missing", ErrorKind::invalid_file,
     "The file of --mask lacks a tensor that the variant reads.",
     "Write it into the file: indptr and indices, or of blocks a matrix called blocks."},
    {"mask-tensor-type", ErrorKind::unsupported,
     "A tensor of the file of --mask has elements that are no integers.",
     "Convert it to one of the types that the message allows."},
    {"mask-tensor-disagrees", ErrorKind::shape_mismatch,
     "A tensor of the file of --mask has other dimensions or extents than the request.",
     "Give the lengths, heads and block size that the mask was made for."},
    {"mask-number-too-large", ErrorKind::unsupported,
     "A tensor of the file of --mask has a number that no index reaches.",
     "Check that the tensor holds indices."},
};
inline constexpr ErrorTable variants{variants_entries};

}  // namespace tilewright::errors
