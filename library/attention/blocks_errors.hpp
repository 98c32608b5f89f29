// Errors of block lists: what they are made of, and what a launch is given for one.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry blocks_entries[] = {
    {"block-size-invalid", ErrorKind::invalid_argument,
     "The tiles of a block list have a size that no kernel has.",
     "Use multiples of 16 up to 512 for block_q and block_kv."},
    {"block-list-size-wrong", ErrorKind::invalid_argument,
     "An array of a block list does not have as many elements as its shape says, or the shape has "
     "a "
     "negative extent.",
     "Give the number of elements the message allows."},
    {"block-list-descends", ErrorKind::invalid_argument,
     "The indptr of a block list descends, or leaves its indices.",
     "Give offsets into indices that never descend within a list."},
    {"block-index-out-of-range", ErrorKind::invalid_argument,
     "A block list names a tile that is not there.", "Name tiles from 0 to columns - 1."},
    {"block-index-twice", ErrorKind::invalid_argument,
     "A row of a block list names a tile twice: its keys would count twice.",
     "Name each tile once in a row."},
    {"block-list-too-large", ErrorKind::unsupported,
     "A block list has room for 2^31 tiles or more.",
     "Use larger tiles, or one list for all heads."},
    {"block-list-missing", ErrorKind::invalid_argument,
     "A launch of an attention over a block list is given none, or another attention is given one.",
     "Give AttentionTensors::blocks to plans of Attention::blocks, and to no others."},
    {"block-list-disagrees", ErrorKind::shape_mismatch,
     "A block list was made for other tiles, lengths, sequences or heads than the launch has.",
     "Make it for the extents and tiles that the message allows."},
    {"random-blocks-invalid", ErrorKind::invalid_argument,
     "A density, number of random blocks or table of them is none that a pattern can have.",
     "Give what the message allows."},
};
inline constexpr ErrorTable blocks{blocks_entries};

}  // namespace tilewright::errors
