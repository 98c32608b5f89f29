// Files, whole or not at all: the one place where the library's results reach the disk.
//
// `write_file` writes beside the target and renames, so a reader, a full disk or a killed process
// never sees half a file. Used by the safetensors writer and by `tilewright dump -o`.
// Tests: tests/library/file.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <istream>
#include <span>
#include <string>
#include <string_view>

namespace tilewright::formats {

/// Replaces `path` with the concatenation of `parts`, atomically: on any failure the old file, or
/// no file, is left. A symbolic link is followed. A path that is a device or a pipe is written
/// directly, for it has no content to protect. Throws Error{io} naming the path and the cause.
void write_file(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> parts);
void write_file(const std::filesystem::path& path, std::string_view text);

/// Throws the Error{io} that `write_file` would meet at once: a folder that does not exist, or a
/// path that is a folder. A later write may still fail; this only spares a long run.
void require_writable_target(const std::filesystem::path& path);

/// A text file of at most `limit` bytes. Throws Error{invalid_file} if it cannot be read, is not a
/// regular file or is longer; `argument` is the option that named it.
std::string read_text(const std::filesystem::path& path, std::string_view argument,
                      std::uint64_t limit);

/// What is left in `stream`, but little more than `limit` bytes of it: the size of a pipe or of a
/// file in /proc is known only by reading.
std::string read_text(std::istream& stream, std::uint64_t limit);

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace tilewright::formats
