// The table of variants: a new one is its file and one row in table.cpp.
#pragma once

#include "variants/variant.hpp"

namespace tilewright::library {

/// Every bundled variant, in the order `tilewright list` shows them.
VariantTable variants();

/// The row of that name. Throws Error{invalid_argument} listing the names there are.
const VariantEntry& find_variant(VariantTable table, std::string_view name);

// One maker per file of variants/.
std::unique_ptr<Variant> make_standard();
std::unique_ptr<Variant> make_flash();

}  // namespace tilewright::library
