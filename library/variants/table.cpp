// See table.hpp.
#include "variants/table.hpp"

#include <algorithm>

#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "variants/errors.hpp"
#include "variants/recipe.hpp"

namespace tilewright::library {
namespace {

const VariantEntry& find_row(VariantTable table, std::string_view name, bool to_compose) {
  std::string allowed;
  for (const VariantEntry& entry : table) {
    if (to_compose && !entry.recipe) continue;
    if (entry.name == name) return entry;
    allowed += (allowed.empty() ? "" : ", ") + entry.name;
  }
  throw Error(errors::variants["variant-unknown"],
              to_compose ? "there is no variant of that name that can be composed"
                         : "there is no variant of that name",
              {"VARIANT", std::string(name), allowed, ""});
}

}  // namespace

VariantEntry named(const char* name, VariantEntry entry) {
  entry.name = name;
  if (!entry.recipe) return entry;
  VariantEntry whole = composed({&entry});
  whole.cases = entry.cases;
  whole.recipe = entry.recipe;
  return whole;
}

VariantEntry find_variant(VariantTable table, std::string_view name) {
  if (name.find('+') == std::string_view::npos) return find_row(table, name, false);
  std::vector<const VariantEntry*> parts;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('+', at), name.size());
    const VariantEntry& part = find_row(table, name.substr(at, end - at), true);
    for (const VariantEntry* known : parts)
      if (known == &part)
        throw Error(errors::variants["variant-twice"], "a variant is composed with itself",
                    {"VARIANT", std::string(name), "each name once", ""});
    parts.push_back(&part);
    at = end + 1;
  }
  return composed(parts);
}

std::int64_t skipped_of_all(const AttentionShape& s, std::int64_t tile_q, std::int64_t tile_kv,
                            const BlockCounts& visited) {
  const std::int64_t all =
      s.batch * s.heads * tiles_in(s.seqlen_q, tile_q) * tiles_in(s.seqlen_kv, tile_kv);
  return std::max<std::int64_t>(all - visited.full - visited.cut, 0);
}

std::optional<Tiling> Variant::tiling(const Request&, const std::string&) const { return {}; }

Formula Variant::formula(const Request& request) const {
  const AttentionShape& shape = request.shape;
  if (!shape.causal) return {};
  return {.visible = [offset = shape.position_offset()](std::int64_t, std::int64_t, std::int64_t q,
                                                        std::span<std::uint8_t> visible) {
    for (std::size_t k = 0; k < visible.size(); ++k)
      visible[k] = static_cast<std::int64_t>(k) <= q + offset;
  }};
}

}  // namespace tilewright::library
