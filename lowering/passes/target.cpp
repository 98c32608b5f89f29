// The architectures the sm_80 code shape is compiled for, with the one limit in which they differ.
#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {

Target target_of(const std::string& arch) {
  struct Row {
    const char* name;
    int arch;
    int shared;
  };
  // CUDA C++ Programming Guide, "Technical Specifications per Compute Capability": shared memory
  // per block.
  static constexpr Row rows[] = {{"sm_80", 80, 163 * 1024},  {"sm_86", 86, 99 * 1024},
                                 {"sm_89", 89, 99 * 1024},   {"sm_90", 90, 227 * 1024},
                                 {"sm_90a", 90, 227 * 1024}, {"sm_120", 120, 99 * 1024}};
  for (const Row& row : rows)
    if (arch == row.name)
      return {.name = "sm_80", .arch = row.arch, .shared_limit = row.shared, .registers = 255};
  throw Error(errors::passes["target-unknown"], "unknown architecture",
              {.argument = "--arch",
               .value = arch,
               .allowed = "sm_80, sm_86, sm_89, sm_90, sm_90a, sm_120"});
}

}  // namespace tilewright::passes
