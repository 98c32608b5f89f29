// What %tid, %ctaid and the other special registers hold. Clocks are instructions
// (ops/control.cpp).
#pragma once

#include "emulator/warp.hpp"

namespace tilewright::emulator {

std::uint64_t special_value(SpecialRegister which, const Block& block, std::uint32_t warp,
                            unsigned lane);

}  // namespace tilewright::emulator
