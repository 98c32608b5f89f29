// main() of a dumped kernel: inputs, a launch through the CUDA runtime, and a comparison with the
// reference beside it. Everything stands under TILEWRIGHT_MAIN, so that the file means nothing else
// to NVRTC; with TILEWRIGHT_REFERENCE_ONLY a host compiler takes the reference alone. Inputs are
// chosen in sample.hpp.
#pragma once

#include <string>

#include "emit/kernel_text.hpp"
#include "ir/ir.hpp"

namespace tilewright::emit {

/// main() for `kernel`, which must have been emitted from `traced`. The file builds with
/// `nvcc -arch=sm_80 -DTILEWRIGHT_MAIN FILE.cu` (nvcc's own default may be older than the code);
/// the program prints one line per output and returns 0 when all agree, 1 otherwise, an error of
/// CUDA (by name) included. Throws Error{invalid_argument} for a
/// parameter of `kernel` that names nothing of `traced`.
std::string emit_main(const ir::Kernel& traced, const KernelText& kernel);

/// What a dump appends to the kernel's text: emit_reference and emit_main, each after an empty
/// line.
std::string emit_standalone(const ir::Kernel& traced, const KernelText& kernel);

}  // namespace tilewright::emit
