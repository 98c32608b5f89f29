// Errors of masks and score functions: what an Index, a Mask or a Score is wrongly made of.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry scores_entries[] = {
    {"score-name-unusable", ErrorKind::invalid_argument,
     "A number or table of a mask or score function has a name that a kernel cannot use.",
     "Give it a C identifier that is no argument of the kernel."},
    {"score-name-ambiguous", ErrorKind::invalid_argument,
     "Two numbers or tables of one attention have the same name and differ.",
     "Give each a name of its own."},
    {"table-without-extents", ErrorKind::invalid_argument, "A table is declared without extents.",
     "Give it at least one; a single number is a scalar."},
    {"table-indices-disagree", ErrorKind::invalid_argument,
     "A table is read with more or fewer indices than it has extents.",
     "Read it with one index for each extent."},
    {"table-not-there", ErrorKind::invalid_argument,
     "A mask that reads a table is asked on the host without the table's numbers.",
     "Give the table with the setting."},
    {"mask-number-out-of-range", ErrorKind::invalid_argument,
     "A mask or score function of the catalogue is made with a number that it cannot have.",
     "Give one within the range of the message."},
    {"document-bounds-wrong", ErrorKind::invalid_argument,
     "The bounds of packed sequences do not begin at 0, descend, or differ in number.",
     "Give cumulative lengths: 0, then each the sum of the lengths so far."},
    {"acsr-row-wrong", ErrorKind::invalid_argument,
     "Rows of an ACSR mask are not up to four arithmetic sequences without a common key, or leave "
     "the keys.",
     "Give rows of at most four such segments, or a mask, or a list of blocks."},
    {"index-too-large", ErrorKind::invalid_argument, "A number in a mask needs more than 32 bits.",
     "Use a number from -2147483648 to 2147483647."},
};
inline constexpr ErrorTable scores{scores_entries};

}  // namespace tilewright::errors
