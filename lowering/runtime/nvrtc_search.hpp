// Where NVRTC may be, in the order it is looked for.
// The one idea: a search that opens nothing. It yields files that exist and, where only the dynamic
// linker knows, bare names; and it remembers every place it looked at, for the error message.
// Next: nvrtc.hpp opens the result; nvrtc_identity.hpp names its version without opening it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tilewright::runtime {

struct NvrtcSearch {
  /// Existing files by absolute path, or bare names ("libnvrtc.so.13"), best first.
  std::vector<std::string> candidates;
  /// Every folder, file and name looked at, for people.
  std::vector<std::string> looked;
};

/// TILEWRIGHT_NVRTC_PATH alone when it is set (a file, or a folder: itself, a toolkit, or one with
/// PyPI's nvidia/ layout); else the build's own location, the program's folder, the dynamic
/// linker's places and /usr/local/cuda*.
NvrtcSearch search_nvrtc();

}  // namespace tilewright::runtime
