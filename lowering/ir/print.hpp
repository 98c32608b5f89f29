// The text form of a kernel: what `dump --stage ir` shows and what tests compare. One operation a
// line, named values by their name, unnamed ones by number, types with named axes and tile sizes,
// the user's line as a trailing comment. Stable byte for byte: no addresses, no full paths.
#pragma once

#include <string>

#include "ir/ir.hpp"

namespace tilewright::ir {

std::string print(const Kernel& kernel);

/// `f32[q:64, kv:64]`; an axis without a tile yet prints its dimension alone; a scalar `i32`.
std::string print_type(const Kernel& kernel, const Type& type);

/// `%s` for a value named s, `%s.2` for the second of that name, `%12` for an unnamed one.
std::string print_value(const Kernel& kernel, ValueId value);

/// Intervals with symbol names as they are: `visited [0, floor_div(last(q), 64)]`.
std::string print_domain(const Domain& domain);

/// Shortest decimal text that reads back as the same double; `inf`, `-inf`, `nan`.
std::string print_number(double value);

}  // namespace tilewright::ir
