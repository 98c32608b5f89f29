// What a mask is to someone who looks at it: the pairs of one sequence and head, the tiles a kernel
// cuts them into, and what the compiler says of each tile.
//
// Plain data; text.hpp shows it in a terminal, scene.hpp lays it out for svg.hpp and png.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/domain.hpp"
#include "variants/variant.hpp"

namespace tilewright::pictures {

using ir::TileClass;
using library::BlockCounts;

/// Writes, for row q, 1 to visible[k] where it sees key k and 0 elsewhere; `visible` has one
/// element for each key, all 1 on entry. Empty: every key.
using VisibleRow = std::function<void(std::int64_t q, std::span<std::uint8_t> visible)>;

/// Where nothing stands in an order: the end of a group whose length is no multiple of the tile.
inline constexpr std::int64_t nothing = -1;

struct MaskPicture {
  std::string title = {};
  std::int64_t rows = 0, keys = 0;
  std::int64_t tile_q = 1, tile_kv = 1;
  std::vector<TileClass> tiles = {};  ///< row-major, [tiles_q(), tiles_kv()]
  VisibleRow visible = {};
  /// The regrouped order of a kernel that walks rows or keys with a stride: tile i covers the rows
  /// row_order[i * tile_q …], some of which may be `nothing`. Empty: as they are numbered.
  std::vector<std::int64_t> row_order = {}, key_order = {};
  /// Of a kernel that gathers keys for each tile of rows, in the place of key_order: those of its
  /// places, [tiles_q(), places_kv()], each filled up with `nothing`.
  std::vector<std::int64_t> gathered = {};

  /// Places along an axis: as many as rows or keys, or as the order has.
  std::int64_t places_q() const { return places(row_order, rows); }
  std::int64_t places_kv() const {
    if (!gathered.empty()) return static_cast<std::int64_t>(gathered.size()) / tiles_q();
    return places(key_order, keys);
  }
  std::int64_t tiles_q() const { return (places_q() + tile_q - 1) / tile_q; }
  std::int64_t tiles_kv() const { return (places_kv() + tile_kv - 1) / tile_kv; }
  /// What stands at a place, or `nothing`. Of gathered keys: their place itself.
  std::int64_t row_at(std::int64_t place) const { return at(row_order, place); }
  std::int64_t key_at(std::int64_t place) const { return at(key_order, place); }
  TileClass tile(std::int64_t i, std::int64_t j) const {
    return tiles[static_cast<std::size_t>(i * tiles_kv() + j)];
  }

 private:
  static std::int64_t places(const std::vector<std::int64_t>& order, std::int64_t count) {
    return order.empty() ? count : static_cast<std::int64_t>(order.size());
  }
  static std::int64_t at(const std::vector<std::int64_t>& order, std::int64_t place) {
    return order.empty() ? place : order[static_cast<std::size_t>(place)];
  }
};

/// The tiles of a picture by class.
BlockCounts count(const std::vector<TileClass>& tiles);

/// How a pair shows in a picture.
enum class Pair : std::uint8_t { nothing, hidden, visible };

/// The pairs of one line of places after the other; keeps its buffers.
class PairRows {
 public:
  explicit PairRows(const MaskPicture& picture);
  /// Of all places along the keys, for one place along the rows.
  std::span<const Pair> at(std::int64_t place);
  /// Whether that row sees keys that stand at no place.
  bool misses_keys() const { return misses_keys_; }

 private:
  const MaskPicture& picture_;
  std::vector<std::uint8_t> visible_;
  std::vector<Pair> pairs_;
  bool misses_keys_ = false;
};

/// What the pairs say, looked at one by one.
struct Measure {
  std::int64_t visible = 0;        ///< pairs
  std::int64_t ideal_visited = 0;  ///< tiles with a visible pair
  std::int64_t ideal_full = 0;     ///< of those, tiles without a hidden one
  std::int64_t wrong = 0;  ///< tiles whose class contradicts them: skipped with a visible pair,
                           ///< full with a hidden one; and rows that see keys of no tile
  Measure& operator+=(const Measure& other);
};

/// Walks all pairs. Takes rows * keys steps.
Measure measure(const MaskPicture& picture);

}  // namespace tilewright::pictures
