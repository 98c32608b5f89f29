// Errors of those who call: what the builder and its plans are wrongly asked for. What a launch of
// any plan refuses stands in lowering/plan_errors.hpp.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry attention_entries[] = {
    {"request-out-of-range", ErrorKind::invalid_argument,
     "A request names a head_dim or value_dim that there is no kernel for, or none.",
     "Give one within the range of the message."},
    {"request-type-unsupported", ErrorKind::unsupported,
     "A request names an element type without a kernel.", "Use one that the message lists."},
    {"request-precision-disagrees", ErrorKind::invalid_argument,
     "The schedule and dot_precision of a request ask for different products.",
     "Drop one of the two, or let them agree."},
    {"kv-heads-do-not-divide", ErrorKind::shape_mismatch,
     "The number of query heads is no multiple of the number of key heads.",
     "Give keys and values with a number of heads that divides the queries'."},
    {"extents-out-of-range", ErrorKind::invalid_argument,
     "An extent that is asked about is negative or over 2^31 - 1.",
     "Give one within the range of the message."},
    {"softmax-scale-not-finite", ErrorKind::invalid_argument,
     "The scale of a launch is infinite or no number.",
     "Give a finite one, or none: 1 / sqrt(head_dim)."},
    {"score-argument-unknown", ErrorKind::invalid_argument,
     "A launch gives a number or table that the mask and the score functions do not have.",
     "Use the names that the message lists."},
    {"score-argument-twice", ErrorKind::invalid_argument, "A launch gives a number or table twice.",
     "Give it once."},
    {"score-number-unusable", ErrorKind::invalid_argument,
     "A launch gives a number that is no integer where one is wanted, or not finite.",
     "Give one as the message describes it."},
    {"score-table-missing", ErrorKind::invalid_argument,
     "A launch does not give a table that the mask or a score function reads.",
     "Add it to AttentionTensors::tables."},
    {"rope-dim-unusable", ErrorKind::invalid_argument,
     "Rotary positions are to turn an odd number of elements, or more than a head has.",
     "Give an even dim of at most head_dim."},
    {"rope-over-list", ErrorKind::unsupported,
     "Rotary positions are composed with a list of blocks.",
     "Say the mask as a formula, or turn queries and keys before the launch."},
    {"rope-number-unusable", ErrorKind::invalid_argument,
     "A table of rotary positions is asked for with numbers it cannot have.",
     "Give numbers as the message describes them."},
    {"rope-positions-too-few", ErrorKind::shape_mismatch,
     "The tables of rotary positions have fewer positions than the sequences of a launch.",
     "Make them as long as the longest sequence."},
    {"rope-positions-missing", ErrorKind::invalid_argument,
     "Packed sequences have positions of their own, and rotary positions are not told them.",
     "Compose with Rope{.positions_given = true} and give positions_q and positions_k."},
    {"sinusoidal-number-unusable", ErrorKind::invalid_argument,
     "A table of sinusoidal positions is asked for with numbers it cannot have.",
     "Give numbers as the message describes them."},
    {"sinusoidal-positions-too-few", ErrorKind::shape_mismatch,
     "A table of sinusoidal positions has no row for some position of a launch.",
     "Make the table longer, or begin at another position."},
    {"sinusoidal-in-place", ErrorKind::invalid_argument,
     "A sum with sinusoidal positions is to write where it reads.",
     "Give its result memory of its own."},
    {"merge-in-place", ErrorKind::invalid_argument, "A merge is to write where it reads.",
     "Give its result memory of its own."},
};
inline constexpr ErrorTable attention{attention_entries};

}  // namespace tilewright::errors
