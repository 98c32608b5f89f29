// Plans of `standard` on the emulator, and its verdict. Problems, placements and the oracle are
// those of the tests of `flash` (flash_device.hpp).
#pragma once

#include "flash/flash_device.hpp"

namespace tilewright::test {

/// What S and P are in memory.
enum class Scores { f32, input };

/// Kept by (type, d, e, mask, scores).
const Plan& standard_plan(const Shape& shape, Scores scores = Scores::f32);

/// Launches, judges, and CHECKs: right, no fault, nothing written outside.
Outcome check_standard(const Shape& shape, unsigned seed = 1, const Placements& placements = {},
                       Scores scores = Scores::f32);

}  // namespace tilewright::test
