// See strided.hpp.
#include "variants/strided.hpp"

#include "attention/block_checks.hpp"

namespace tilewright::library {
namespace {

/// Elements residue, residue + stride, … of `count`, and nothing up to whole tiles.
void append(std::vector<std::int64_t>& order, std::int64_t residue, std::int64_t stride,
            std::int64_t count, std::int64_t tile) {
  for (std::int64_t i = 0; i < tiles_in(count, tile) * tile; ++i)
    order.push_back(i < count ? residue + i * stride : -1);
}

}  // namespace

void add_regrouped(Tiling& tiling, std::shared_ptr<const Program> program, const Regrouping& how,
                   const Tables& tables, const AttentionShape& s) {
  const auto ranges = residue_ranges(how, s.seqlen_q, s.seqlen_kv);
  std::vector<bool> met(static_cast<std::size_t>(how.stride));
  for (const ResidueRange& range : ranges)
    for (std::int64_t r = 0; r < range.count; ++r) {
      append(tiling.row_order, range.first_row + r, how.row_stride, range.rows, tiling.tile_q);
      append(tiling.key_order, range.first_key + r, how.stride, range.keys, tiling.tile_kv);
      met[static_cast<std::size_t>(range.first_key + r)] = true;
    }
  for (std::int64_t r = 0; r < how.stride; ++r)  // keys that no row sees
    if (!met[static_cast<std::size_t>(r)])
      append(tiling.key_order, r, how.stride,
             tiles_in(std::max<std::int64_t>(s.seqlen_kv - r, 0), how.stride), tiling.tile_kv);
  const auto length = [](const std::vector<std::int64_t>& order) {
    return static_cast<std::int64_t>(order.size());
  };
  const std::int64_t tile_q = tiling.tile_q, tile_kv = tiling.tile_kv,
                     rows = length(tiling.row_order) / tile_q,
                     columns = length(tiling.key_order) / tile_kv;
  tiling.between = rows * columns;
  for (const ResidueRange& range : ranges)
    tiling.between -= range.count * tiles_in(range.rows, tile_q) * tiles_in(range.keys, tile_kv);
  tiling.classes = [=, mask = how.parts.mask](std::int64_t b, std::int64_t h) {
    std::vector<ir::TileClass> all(static_cast<std::size_t>(rows * columns),
                                   ir::TileClass::skipped);
    std::int64_t row = 0, column = 0;
    for (const ResidueRange& range : ranges)
      for (std::int64_t r = 0; r < range.count; ++r) {
        const auto own =
            tile_classes(*program, mask, range.extents(extents_of(s), s.head_dim, s.value_dim),
                         range.numbers(s.seqlen_q, s.seqlen_kv), tables,
                         {{"batch", b}, {"q_head", h}, {"residue", r}});
        const std::int64_t down = tiles_in(range.rows, tile_q),
                           across = tiles_in(range.keys, tile_kv);
        for (std::int64_t i = 0; i < down; ++i)
          for (std::int64_t j = 0; j < across; ++j)
            all[static_cast<std::size_t>((row + i) * columns + column + j)] =
                own[static_cast<std::size_t>(i * across + j)];
        row += down;
        column += across;
      }
    return all;
  };
}

}  // namespace tilewright::library
