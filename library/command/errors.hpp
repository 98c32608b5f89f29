// Errors of the command line.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry command_entries[] = {
    {"command-unknown", ErrorKind::invalid_argument, "There is no such command.",
     "Choose one that `tilewright --help` prints."},
    {"command-missing", ErrorKind::invalid_argument, "The command line names no command.",
     "Write `tilewright COMMAND`; `tilewright --help` lists them."},
    {"option-unknown", ErrorKind::invalid_argument,
     "The command or the variant has no option of that name, or the line has a word too many.",
     "Choose from what the message or --help lists."},
    {"option-misused", ErrorKind::invalid_argument,
     "An option lacks its value, is given twice, or a required word is missing.",
     "See --help of the command."},
    {"option-not-a-number", ErrorKind::invalid_argument,
     "The value of an option is not a number of the sort it takes.",
     "Write a number as the message describes it."},
    {"option-out-of-range", ErrorKind::invalid_argument,
     "The number given to an option is too small or too large.",
     "Give one within the range of the message."},
    {"option-value-unknown", ErrorKind::invalid_argument,
     "The value of an option is none of those it can have.", "Choose one that the message lists."},
    {"options-exclude-each-other", ErrorKind::invalid_argument,
     "Two options are given that say the same thing.", "Give one of the two."},
    {"option-disagrees-with-input", ErrorKind::shape_mismatch,
     "A shape option says something else than the tensors of the input file.",
     "Leave the option out, or give the file's value."},
    {"option-disagrees-with-variant", ErrorKind::shape_mismatch,
     "A length, typed or of the input file, is another one than the variant's own options make.",
     "Leave the option out, or let the variant's options add up to it."},
    {"heads-do-not-divide", ErrorKind::shape_mismatch,
     "The number of query heads is no multiple of the number of key heads.",
     "Let --kv-heads divide --heads."},
    {"shape-exceeds-memory", ErrorKind::invalid_argument,
     "The tensors of the shape take more memory than this machine has.", "Use a smaller shape."},
    {"cubin-to-terminal", ErrorKind::invalid_argument,
     "A cubin, which is no text, would go to the terminal.", "Write it to a file with -o FILE."},
    {"error-unknown", ErrorKind::invalid_argument, "The catalogue has no error of that id.",
     "Choose one that `tilewright doctor --errors` prints."},
    {"out-of-memory", ErrorKind::launch_failed, "This machine's memory did not suffice.",
     "Use a smaller problem."},
    {"internal-error", ErrorKind::launch_failed,
     "Something failed that Tilewright does not foresee: a defect of Tilewright.",
     "Report it, with the command line and the message."},
};
inline constexpr ErrorTable command{command_entries};

}  // namespace tilewright::errors
