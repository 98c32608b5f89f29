// A schedule: every choice a target makes for one kernel, as plain data. It is printed with the
// kernel, read back from its text, overridden by options and part of the cache key. Who fills it
// in: passes/choose_schedule.cpp; what it means in code: passes/place_values.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tilewright::ir {

/// A number that is 0, or a name that is absent, is "not chosen": the target chooses.
struct Schedule {
  std::string target;               ///< shape of the code: "sm_80"
  std::map<std::string, int> tile;  ///< elements per tile, by dimension
  int warps = 0;                    ///< per block
  int stages = 0;                   ///< copies of each staged tile in shared memory
  int lanes_per_row = 0;            ///< lanes that share one row of a fragment
  int vector = 0;                   ///< neighbouring columns one lane holds
  std::string dot_precision;  ///< of f32 products: "f32" (three TF32 products; so where not chosen)
                              ///< or "tf32" (one)
  std::map<std::string, std::string> place;  ///< by value name: where it must live
  std::string why;                           ///< the reasons, as the reader of the text sees them

  bool operator==(const Schedule&) const = default;
};

/// One `key value` per line, reasons as `# ` lines first. `read_schedule` gives the same back.
std::string print(const Schedule& schedule);

/// Reads what `print` writes. `# …` on a line of its own is a reason; after a value it is dropped.
/// Throws Error{invalid_argument} naming the line, the key, the value and what is allowed: for an
/// unknown or repeated key, a number out of its range, a line that is not `key value`.
Schedule read_schedule(std::string_view text);

}  // namespace tilewright::ir
