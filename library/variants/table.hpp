// The table of variants. A new one is its file in bundled/: the build gathers them.
#pragma once

#include <vector>

#include "variants/variant.hpp"

namespace tilewright::library {

/// Every bundled variant, by name. Defined by the build (bundled.cpp.in).
VariantTable variants();

/// The row of that name, or what "alibi+sliding_window" composes of rows with recipes. Throws
/// Error{invalid_argument} listing the names there are.
VariantEntry find_variant(VariantTable table, std::string_view name);

/// Fills in what a row needs to be found: its name, which is its file's.
VariantEntry named(const char* name, VariantEntry entry);

}  // namespace tilewright::library
