// Aligned columns for people: the only formatting the subcommands share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright::command {

/// Rows of cells, each column as wide as its widest cell, two spaces between, no trailing spaces.
/// The last cell of a row is never padded, so it may be long.
std::string aligned(const std::vector<std::vector<std::string>>& rows,
                    std::string_view indent = "");

/// 1536 -> "1.5 KiB".
std::string human_bytes(double bytes);

}  // namespace tilewright::command
