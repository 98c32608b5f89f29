// Addresses that need no instruction of their own. Programs that unroll write
//   add.s32 %r9, %r1, 4096;  ldmatrix... [%r9]
// where hardware has `[%r1 + 4096]` in the instruction; so has the emulator's ldmatrix.
#pragma once

#include "emulator/ptx_ir.hpp"

namespace tilewright::emulator {

/// Marks such an addition as `folded` and puts its operand and constant into the ldmatrix that
/// follows it at once, if nothing else reads the sum.
void fold_addresses(ModuleText& module);

}  // namespace tilewright::emulator
