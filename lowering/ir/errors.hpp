// Errors of the tile IR: its rules, the text of a schedule, the interpreter.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry ir_entries[] = {
    {"kernel-inconsistent", ErrorKind::invalid_program,
     "The program broke a rule of the tile IR after one of the passes: a defect of Tilewright.",
     "Report it, with the kernel and what the message says."},
    {"mask-axis-missing", ErrorKind::invalid_program,
     "A reduction, product or store under a mask works on tiles that lack a dimension of the mask.",
     "Broadcast an operand over the dimension of the mask, or take that dimension out of the "
     "mask."},
    {"division-by-zero", ErrorKind::invalid_argument,
     "A loop bound or an index divides by an extent or scalar that is 0.",
     "Give an extent or scalar of at least 1, or do not divide by it."},
    {"interpreter-input-missing", ErrorKind::invalid_argument,
     "The interpreter was not given a tensor, a scalar or the extent of a dimension.",
     "Give the input that the message names."},
    {"interpreter-type-disagrees", ErrorKind::invalid_argument,
     "A tensor given to the interpreter has another element type than the kernel's argument.",
     "Give a tensor of the type the message allows."},
    {"interpreter-shape-disagrees", ErrorKind::shape_mismatch,
     "Tensors given to the interpreter have other ranks or extents than the kernel or each other.",
     "Give tensors whose extents agree wherever they share a dimension."},
    {"interpreter-type-unsupported", ErrorKind::unsupported,
     "The interpreter holds no elements of this type.", "Use one of the types the message lists."},
    {"list-entry-outside", ErrorKind::invalid_argument,
     "A row of a block list names entries, or an entry names a tile, that are not there.",
     "Make the list for this extent and tile size."},
    {"index-outside-tensor", ErrorKind::invalid_argument,
     "An index that the kernel computed lies outside its tensor; the interpreter found it.",
     "Mend the index, or put the access under a mask that keeps it inside."},
    {"schedule-key-unknown", ErrorKind::invalid_argument,
     "A line of a schedule begins with a word that is no key.",
     "Use one of the keys the message lists; `tilewright dump --stage schedule` prints a whole "
     "schedule."},
    {"schedule-value-invalid", ErrorKind::invalid_argument,
     "A value in a schedule is none that its key can have.",
     "Write one of the values the message allows."},
    {"schedule-line-malformed", ErrorKind::invalid_argument,
     "A line of a schedule does not have the form of its key.",
     "Write the line in the form the message shows."},
    {"schedule-key-twice", ErrorKind::invalid_argument, "A schedule gives one key twice.",
     "Keep one of the two lines."},
};
inline constexpr ErrorTable ir{ir_entries};

}  // namespace tilewright::errors
