// Files that are either whole or not there.
// The one idea: write to a temporary name in the same folder, then rename; a killed process or a
// full disk leaves at most a file whose name starts with ".tmp-".
// Next: entry_file.cpp, nvrtc_identity.cpp, compile.cpp (dumps).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tilewright::runtime {

/// Replaces `path` by `bytes`, creating its folder. Returns why it could not, or nothing when done.
/// Never throws for an I/O reason, never leaves a partial file under `path`, and never lets a limit
/// on the size of files (SIGXFSZ) end the process.
std::optional<std::string> write_atomically(const std::filesystem::path& path,
                                            std::string_view bytes);

/// The whole file, or nothing when it cannot be read, is longer than `limit` bytes, or is no file
/// of bytes (a folder, a pipe, a device: reading those may never end).
std::optional<std::string> read_file(const std::filesystem::path& path,
                                     std::uint64_t limit = std::uint64_t{1} << 30);

/// What temporary files are called: a prefix of the file name.
inline constexpr std::string_view temporary_prefix = ".tmp-";

}  // namespace tilewright::runtime
