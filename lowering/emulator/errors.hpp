// Errors of the emulator that are no fault of a kernel.
#pragma once

#include <tilewright/error.hpp>

namespace tilewright::errors {

inline constexpr ErrorEntry emulator_entries[] = {
    {"emulator-processor-too-old", ErrorKind::missing,
     "The emulator was built for instructions this processor lacks.",
     "Rebuild it with -DTILEWRIGHT_EMULATOR_BASELINE=\"\"."},
    {"emulator-instructions-unknown", ErrorKind::invalid_argument,
     "TILEWRIGHT_EMULATOR_ISA names instructions that are not here.",
     "Set it to a value the message lists, or unset it."},
    {"emulator-address-space", ErrorKind::missing,
     "The limit on address space leaves no room for emulated device memory.",
     "Raise the limit: `ulimit -v unlimited`."},
    {"emulator-launch-refused", ErrorKind::launch_failed,
     "A launch has a size that no device takes, or parameters that do not fit the kernel.",
     "Keep the value the message names within what it allows."},
};
inline constexpr ErrorTable emulator{emulator_entries};

}  // namespace tilewright::errors
