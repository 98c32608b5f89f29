// Which NVRTC a cached image came from, without opening NVRTC.
// The one idea: a small file in the cache remembers, for a library's path, size and modification
// time, what it said it was. While those three stand, a warm start reads a few bytes in place of
// loading a hundred megabytes.
// Next: compile.cpp; tests/runtime/compile_test.cpp counts what a warm start opens.
#pragma once

#include <filesystem>
#include <string>

namespace tilewright::runtime {

/// "13.0+<bytes>": the version and, as patch releases share one, the library's size. `cache_root`
/// may be empty: then NVRTC is opened. Throws Error{missing} as Nvrtc::load does.
std::string nvrtc_identity(const std::filesystem::path& cache_root);

}  // namespace tilewright::runtime
