// Handlers of the CUDA run time's device functions, which PTX declares and never defines.
#pragma once

#include "emulator/instruction.hpp"
#include "emulator/ptx_inline.hpp"

namespace tilewright::emulator::system_calls {

/// list: offsets in local memory of the arguments, then of the result; n: of arguments.
/// print(format, arguments) -> count; assertion(message, file, line, function, character bytes);
/// allocate(bytes) -> address, 0 when there is no memory; release(address).
Handlers handler(SystemCall call);

/// Bytes of each argument, and of the result (0: none).
struct Signature {
  unsigned arguments[5] = {0, 0, 0, 0, 0};
  unsigned count = 0, result = 0;
};
Signature signature(SystemCall call);

}  // namespace tilewright::emulator::system_calls
