// See regrouped_tiling.hpp.
#include "variants/regrouped_tiling.hpp"

namespace tilewright::library {
namespace {

constexpr std::int64_t nothing = -1;

/// Appends first, first + stride … and fills the last tile up. Returns how many tiles that were.
std::int64_t append(std::vector<std::int64_t>& order, std::int64_t first, std::int64_t stride,
                    std::int64_t count, std::int64_t tile) {
  const std::int64_t tiles = (count + tile - 1) / tile;
  for (std::int64_t i = 0; i < tiles * tile; ++i)
    order.push_back(i < count ? first + i * stride : nothing);
  return tiles;
}

/// Where one residue stands in the matrix of tiles.
struct Group {
  ResidueRange range;
  std::int64_t residue = 0;  ///< of the range
  std::int64_t first_q = 0, first_kv = 0, tiles_q = 0, tiles_kv = 0;
};

}  // namespace

Tiling regrouped_tiling(const std::shared_ptr<const Program>& program, const Regrouping& how,
                        const std::map<std::string, HostTable>& tables,
                        const AttentionShape& shape) {
  const auto& tile = program->aligned.schedule.tile;
  Tiling tiling{tile.at("q"), tile.at("kv"), {}};
  std::vector<Group> groups;
  std::vector<bool> seen(static_cast<std::size_t>(shape.seqlen_kv));
  std::int64_t tiles_q = 0, tiles_kv = 0, inside = 0;
  for (const ResidueRange& range : residue_ranges(how, shape.seqlen_q, shape.seqlen_kv))
    for (std::int64_t r = 0; r < range.count; ++r) {
      Group group{range, r, tiles_q, tiles_kv, 0, 0};
      group.tiles_q =
          append(tiling.row_order, range.first_row + r, how.stride, range.rows, tiling.tile_q);
      group.tiles_kv =
          append(tiling.key_order, range.first_key + r, how.stride, range.keys, tiling.tile_kv);
      for (std::int64_t i = 0; i < range.keys; ++i)
        seen[static_cast<std::size_t>(range.first_key + r + i * how.stride)] = true;
      tiles_q += group.tiles_q, tiles_kv += group.tiles_kv;
      inside += group.tiles_q * group.tiles_kv;
      groups.push_back(group);
    }
  for (std::int64_t k = 0; k < shape.seqlen_kv; ++k)
    if (!seen[static_cast<std::size_t>(k)]) tiling.key_order.push_back(k);
  tiles_kv =
      (static_cast<std::int64_t>(tiling.key_order.size()) + tiling.tile_kv - 1) / tiling.tile_kv;
  tiling.between = tiles_q * tiles_kv - inside;
  tiling.classes = [=, mask = how.parts.mask](std::int64_t b, std::int64_t h) {
    std::vector<ir::TileClass> all(static_cast<std::size_t>(tiles_q * tiles_kv),
                                   ir::TileClass::skipped);
    for (const Group& group : groups) {
      const auto own = tile_classes(
          *program, mask, group.range.extents(extents_of(shape), shape.head_dim, shape.value_dim),
          group.range.numbers(shape.seqlen_q, shape.seqlen_kv), tables, b, h, group.residue);
      for (std::int64_t i = 0; i < group.tiles_q; ++i)
        for (std::int64_t j = 0; j < group.tiles_kv; ++j)
          all[static_cast<std::size_t>((group.first_q + i) * tiles_kv + group.first_kv + j)] =
              own[static_cast<std::size_t>(i * group.tiles_kv + j)];
    }
    return all;
  };
  return tiling;
}

}  // namespace tilewright::library
