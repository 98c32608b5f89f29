// Errors of the language that show before anything is recorded: in the headers a kernel includes.
#pragma once

#include "tilewright/error.hpp"

namespace tilewright::errors {

inline constexpr ErrorEntry dsl_entries[] = {
    {"statement-outside-kernel", ErrorKind::invalid_program,
     "A statement of the language stands outside a kernel.",
     "Write it inside the lambda that is given to kernel(name, lambda)."},
    {"grid-tile-out-of-range", ErrorKind::invalid_program,
     "The tile of blocks(M, tile) is empty or too large.",
     "Give 1 … 65536 elements, or leave the tile to the schedule."},
    {"position-outside-loop", ErrorKind::invalid_program,
     "position(M) counts from the end of a loop's dimension, and there is no loop around it.",
     "Use it in a mask or in the body of for_blocks, or use index(M)."},
    {"value-of-another-kernel", ErrorKind::invalid_program,
     "A value or Var that was made while one kernel was traced is used in another.",
     "Pass it from kernel to kernel through a Temp or a tensor."},
    {"integer-too-wide", ErrorKind::invalid_program,
     "An integer constant of a kernel does not fit in 32 bits.",
     "Use a constant within the range of the message."},
};
inline constexpr ErrorTable dsl{dsl_entries};

}  // namespace tilewright::errors
