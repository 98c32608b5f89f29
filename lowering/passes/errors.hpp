// Errors of the passes: a schedule that cannot be, a program they have no way to map.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry passes_entries[] = {
    {"target-unknown", ErrorKind::invalid_argument,
     "The architecture is none that Tilewright writes code for.",
     "Choose one that the message lists."},
    {"tiles-do-not-fit", ErrorKind::unsupported,
     "The tiles of the kernel need more shared memory than the target has.",
     "Use smaller tiles (--tile-q, --tile-kv), fewer stages, or smaller extents of whole "
     "dimensions."},
    {"tile-exceeds-registers", ErrorKind::unsupported,
     "A tile over the whole of a dimension does not fit the registers of its threads.",
     "Use a smaller extent, or loop over the dimension with for_blocks."},
    {"tile-invalid", ErrorKind::invalid_argument,
     "A forced tile size does not fill whole warps or tensor-core instructions.",
     "Force a multiple of 16 up to 512."},
    {"warps-disagree-with-tile", ErrorKind::invalid_argument,
     "The forced number of warps does not go with the forced tile.",
     "Force the number the message allows, or only one of the two."},
    {"warps-do-not-fit", ErrorKind::unsupported,
     "No number of warps gives each dimension that runs over warps its rows.",
     "Give those dimensions tiles of equally many rows, at most 256; walk longer ones with blocks "
     "or for_blocks."},
    {"place-invalid", ErrorKind::invalid_argument, "A schedule puts a value where it cannot live.",
     "Put it in one of the places the message lists."},
    {"tf32-without-f32", ErrorKind::invalid_argument,
     "tf32 products are asked for, and there is no product of f32 tiles.",
     "Leave --dot-precision at f32, or use --dtype f32."},
    {"dot-dimensions-unsupported", ErrorKind::unsupported,
     "A dot contracts tiles of more than three dimensions in all.",
     "Contract two tiles of two dimensions; give further dimensions to the grid with each."},
    {"dot-type-unsupported", ErrorKind::unsupported,
     "A dot has operands of a type that the tensor cores do not take here.",
     "Cast both operands to one of the types the message lists."},
    {"dot-inside-when", ErrorKind::unsupported, "A dot stands inside when.",
     "Move it in front of the when, or put the condition into the mask of the loop."},
    {"reduction-in-mask", ErrorKind::unsupported,
     "A mask reduces over a dimension that runs over warps.",
     "Compute the reduction in the body of the loop and use where."},
    {"rows-conflict", ErrorKind::unsupported,
     "A tile is needed with two dimensions over warps, in work other than dot.",
     "Keep one of the two as the rows in all elementwise work."},
    {"vector-conflict", ErrorKind::unsupported,
     "A vector is needed along the rows of one tile and along the columns of another.",
     "Give the dimension a second name for the other use, as<E>(M), and load the vector under it."},
    {"tile-fixed-by-kernel", ErrorKind::invalid_argument,
     "A tile that the kernel fixes (blocks(M, 64), or the tiles of a block list) is to be another.",
     "Leave that tile out of the schedule, or make kernel and list for the other size."},
    {"blocks-not-countable", ErrorKind::invalid_program,
     "Blocks are to be counted for a kernel whose masks or tiles are not settled.",
     "Count after the masks are analysed and the tiles are chosen."},
};
inline constexpr ErrorTable passes{passes_entries};

}  // namespace tilewright::errors
