// One cache entry on disk: a compiled image that proves it is whole.
// The one idea: magic, the key it was made for, lengths and a checksum over everything that
// follows. Whatever does not add up is treated as absent, and the image is compiled again.
// Layout: 8 bytes magic, 32 key digits, 32 checksum digits, five 8-byte little-endian lengths, then
// kernel name, architecture, kind, log, image.
// Next: cache.cpp; tests/runtime/cache_test.cpp damages entries byte by byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "runtime/image.hpp"

namespace tilewright::runtime {

struct EntryLabel {
  std::string kernel;
  std::string architecture;
  ImageKind kind = ImageKind::cubin;
};

/// A longer file is no entry of ours: it is not read, and an image that would make one is not kept.
inline constexpr std::uint64_t largest_entry = std::uint64_t{256} << 20;

/// Bytes of an entry file for `image` under `key` (32 hexadecimal digits).
std::string encode_entry(const std::string& key, const EntryLabel& label,
                         const CompiledImage& image);

/// The image in `bytes`, or nothing when it is damaged or was made for another key or label.
std::optional<CompiledImage> decode_entry(const std::string& bytes, const std::string& key,
                                          const EntryLabel& label);

/// Only what a listing needs, read from the head of the file; nothing when it is not an entry of
/// that name and length. The checksum is not computed.
std::optional<EntryLabel> read_label(const std::filesystem::path& path);

}  // namespace tilewright::runtime
