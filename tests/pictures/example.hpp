// Masks to draw, with their tiles classed by the definition, pair by pair.
#pragma once

#include "pictures/mask_picture.hpp"

namespace tilewright::test {

using pictures::MaskPicture;
using pictures::TileClass;
using Sees = std::function<bool(std::int64_t q, std::int64_t k)>;

/// The pair at two places: 1 visible, 0 hidden, -1 none.
inline int pair_at(const MaskPicture& picture, const Sees& sees, std::int64_t y, std::int64_t x) {
  const std::int64_t q = picture.row_order.empty() ? y : picture.row_order.at(y);
  const std::int64_t k = picture.key_order.empty() ? x : picture.key_order.at(x);
  return q < 0 || k < 0 ? -1 : sees(q, k) ? 1 : 0;
}

inline void set_tiles(MaskPicture& picture, const Sees& sees) {
  picture.tiles.clear();
  for (std::int64_t i = 0; i < picture.tiles_q(); ++i)
    for (std::int64_t j = 0; j < picture.tiles_kv(); ++j) {
      bool any = false, all = true;
      for (std::int64_t y = i * picture.tile_q;
           y < std::min((i + 1) * picture.tile_q, picture.places_q()); ++y)
        for (std::int64_t x = j * picture.tile_kv;
             x < std::min((j + 1) * picture.tile_kv, picture.places_kv()); ++x) {
          any |= pair_at(picture, sees, y, x) == 1;
          all &= pair_at(picture, sees, y, x) != 0;
        }
      picture.tiles.push_back(!any ? TileClass::skipped : all ? TileClass::full : TileClass::cut);
    }
}

inline MaskPicture picture_of(std::int64_t rows, std::int64_t keys, std::int64_t tile_q,
                              std::int64_t tile_kv, const Sees& sees) {
  MaskPicture picture;
  picture.title = "a mask";
  picture.rows = rows;
  picture.keys = keys;
  picture.tile_q = tile_q;
  picture.tile_kv = tile_kv;
  picture.visible = [sees](std::int64_t q, std::span<std::uint8_t> visible) {
    for (std::size_t k = 0; k < visible.size(); ++k)
      visible[k] = sees(q, static_cast<std::int64_t>(k));
  };
  set_tiles(picture, sees);
  return picture;
}

inline bool causal(std::int64_t q, std::int64_t k) { return k <= q; }

/// The keys of a row's own residue of `stride`, up to its own; residues stand together, each filled
/// up to a whole number of tiles.
inline bool strided(std::int64_t q, std::int64_t k) { return k <= q && (q - k) % 3 == 0; }
inline MaskPicture regrouped(std::int64_t length, std::int64_t tile) {
  MaskPicture picture = picture_of(length, length, tile, tile, strided);
  for (std::int64_t residue = 0; residue < 3; ++residue) {
    for (std::int64_t at = residue; at < length; at += 3) picture.row_order.push_back(at);
    while (picture.row_order.size() % static_cast<std::size_t>(tile) != 0)
      picture.row_order.push_back(pictures::nothing);
  }
  picture.key_order = picture.row_order;
  set_tiles(picture, strided);
  return picture;
}

}  // namespace tilewright::test
