// The environment variables Tilewright listens to, read here and nowhere else.
// The one idea: every layer asks this file, so the list below is the whole list. Values are read
// afresh on each call, because a program (or a test) may change them while it runs.
// Next: device.hpp (DEVICE), nvrtc_search.hpp (NVRTC_PATH), cache.hpp (CACHE, CACHE_DIR).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tilewright::runtime::environment {

/// TILEWRIGHT_DEVICE: what `Device::open("")` opens. Empty: choose automatically.
std::string device();

/// TILEWRIGHT_NVRTC_PATH: a file, or a folder that holds NVRTC. Empty: search the usual places.
std::string nvrtc_path();

/// TILEWRIGHT_CACHE_DIR, else $XDG_CACHE_HOME/tilewright, else ~/.cache/tilewright.
/// Empty when none of them is known (no home directory at all).
std::filesystem::path cache_directory();

/// TILEWRIGHT_CACHE: how many bytes of compiled kernels are kept. on (the default) is
/// `default_cache_bytes`, off is 0, else a size such as 512M or 2G. Refuses any other word
/// (ErrorKind::invalid_argument).
std::uint64_t cache_limit();

inline constexpr std::uint64_t default_cache_bytes = std::uint64_t{1} << 30;

/// TILEWRIGHT_DUMP_DIR: where every compiled text is written. Empty: nowhere.
std::filesystem::path dump_directory();

enum class LogLevel { silent, info, debug };

/// TILEWRIGHT_LOG: unset, empty, 0 or off are silent; 1 or info; 2 or debug. Refuses other words.
LogLevel log_level();

/// The dynamic linker's own search folders (LD_LIBRARY_PATH), so that a library it would find can
/// be named without being opened.
std::vector<std::filesystem::path> linker_search_folders();

}  // namespace tilewright::runtime::environment
