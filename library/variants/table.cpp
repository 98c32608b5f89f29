// See table.hpp.
#include "variants/table.hpp"
#include "variants/errors.hpp"

#include <array>
#include <tilewright/error.hpp>

namespace tilewright::library {

VariantTable variants() {
  static const std::array rows{
      VariantEntry{"standard",
                   "the formula in three kernels; \"Algorithm 0\" of FlashAttention",
                   "exact attention through scores and weights in memory: the baseline",
                   {{"--scores", "f32",
                     "element type of S and P in memory: f32, or input (that of q, k and v; f16 "
                     "overflows from 65520 on)",
                     false, "TYPE"},
                    {"--memory-budget", "4294967296",
                     "bytes that S and P may take together; a shape that takes more is refused",
                     false, "BYTES"}},
                   make_standard},
      VariantEntry{"flash",
                   "FlashAttention-2, with multi-query and grouped-query heads",
                   "exact attention in one pass; scores never leave the chip",
                   {},
                   make_flash},
  };
  return rows;
}

const VariantEntry& find_variant(VariantTable table, std::string_view name) {
  std::string allowed;
  for (const VariantEntry& entry : table) {
    if (entry.name == name) return entry;
    allowed += (allowed.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Error(errors::variants["variant-unknown"], "there is no variant of that name",
              {"VARIANT", std::string(name), allowed, ""});
}

std::optional<Tiling> Variant::tiling(const Request&, const std::string&) const { return {}; }

RowMask Variant::visible(const Request& request) const {
  const AttentionShape& shape = request.shape;
  if (!shape.causal) return {};
  return [offset = shape.position_offset()](std::int64_t, std::int64_t, std::int64_t q,
                                            std::span<std::uint8_t> visible) {
    for (std::size_t k = 0; k < visible.size(); ++k) {
      visible[k] = static_cast<std::int64_t>(k) <= q + offset;
    }
  };
}

}  // namespace tilewright::library
