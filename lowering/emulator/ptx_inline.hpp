// Calls become code: the body of every function that a kernel calls is put where it is called, so
// that registers, liveness and the places where diverged lanes meet again are those of one
// function. A call through a register tries the functions whose address the module takes, one by
// one. What this cannot do, recursion, is refused by name. Functions of the CUDA run time (vprintf,
// __assertfail, malloc, free) stay calls; ops/system_calls.cpp answers them.
#pragma once

#include "emulator/ptx_ir.hpp"

namespace tilewright::emulator {

/// Which of the run time's functions a name is; `none` for every other name.
enum class SystemCall : std::uint8_t { none, print, assertion, allocate, release };
SystemCall system_call(const std::string& name);

/// Rewrites every entry that contains a call. Throws PtxError for recursion, for a function that no
/// one defined, and for arguments that do not fit.
void inline_calls(ModuleText& module);

}  // namespace tilewright::emulator
