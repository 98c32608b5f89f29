// What a compile produces: bytes a driver can load, and what NVRTC said about them.
// The one idea: the same struct whether it came from NVRTC or from the disk cache.
// Next: compile.hpp makes them, module.hpp loads them, cubin_info.hpp reads them.
#pragma once

#include <string>

namespace tilewright::runtime {

/// A cubin runs on one architecture; PTX is text, which the emulator executes.
enum class ImageKind { cubin, ptx };

constexpr const char* name(ImageKind kind) { return kind == ImageKind::cubin ? "cubin" : "ptx"; }

struct CompiledImage {
  std::string bytes;  ///< PTX text without the trailing zero, or an ELF file
  std::string log;    ///< NVRTC's notes and warnings, usually empty
  ImageKind kind = ImageKind::cubin;
  std::string architecture;  ///< "sm_80"
  std::string key;           ///< 32 hexadecimal digits: the cache key
  bool from_cache = false;
  bool kept = false;   ///< in the cache now, so that the next process finds it
  double seconds = 0;  ///< time to obtain it, by compiling or from the cache
};

}  // namespace tilewright::runtime
