// Amounts of memory as people write them: 512M, 2G.
// Used by TILEWRIGHT_CACHE and by the command's --memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tilewright::runtime {

/// "512M" -> 536870912: a whole number above 0 and K, M, G or T (powers of 1024; lower case and
/// MiB are the same). Nothing for any other text, a bare number included, and from 2^63 on.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// What `parse_byte_size` takes, for the `allowed` of an error.
inline constexpr const char* byte_size_form = "a size such as 512M or 2G";

}  // namespace tilewright::runtime
