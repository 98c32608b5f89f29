// See mask_picture.hpp.
#include "pictures/mask_picture.hpp"

#include <algorithm>

namespace tilewright::pictures {

BlockCounts count(const std::vector<TileClass>& tiles) {
  BlockCounts counts;
  for (const TileClass tile : tiles) {
    if (tile == TileClass::skipped)
      ++counts.skipped;
    else
      ++(tile == TileClass::full ? counts.full : counts.cut);
  }
  return counts;
}

PairRows::PairRows(const MaskPicture& picture)
    : picture_(picture),
      visible_(static_cast<std::size_t>(picture.keys)),
      pairs_(static_cast<std::size_t>(picture.places_kv())) {}

std::span<const Pair> PairRows::at(std::int64_t place) {
  const std::int64_t q = picture_.row_at(place);
  misses_keys_ = false;
  if (q == nothing) {
    std::fill(pairs_.begin(), pairs_.end(), Pair::nothing);
    return pairs_;
  }
  std::fill(visible_.begin(), visible_.end(), std::uint8_t{1});
  if (picture_.visible) picture_.visible(q, visible_);
  const auto pair = [](std::uint8_t seen) { return seen != 0 ? Pair::visible : Pair::hidden; };
  std::span<const std::int64_t> order = picture_.key_order;
  if (!picture_.gathered.empty())
    order = std::span(picture_.gathered)
                .subspan(static_cast<std::size_t>(place / picture_.tile_q) * pairs_.size(),
                         pairs_.size());
  if (order.empty()) {
    std::transform(visible_.begin(), visible_.end(), pairs_.begin(), pair);
    return pairs_;
  }
  std::transform(order.begin(), order.end(), pairs_.begin(), [&](std::int64_t key) {
    return key == nothing ? Pair::nothing : pair(visible_[static_cast<std::size_t>(key)]);
  });
  misses_keys_ = std::count(pairs_.begin(), pairs_.end(), Pair::visible) <
                 std::count(visible_.begin(), visible_.end(), std::uint8_t{1});
  return pairs_;
}

Measure& Measure::operator+=(const Measure& other) {
  visible += other.visible;
  ideal_visited += other.ideal_visited;
  ideal_full += other.ideal_full;
  wrong += other.wrong;
  return *this;
}

Measure measure(const MaskPicture& picture) {
  Measure measure;
  PairRows rows(picture);
  const std::int64_t places = picture.places_kv(), tiles = picture.tiles_kv();
  struct Seen {
    std::int64_t visible = 0, hidden = 0;
  };
  std::vector<Seen> seen(static_cast<std::size_t>(tiles));
  for (std::int64_t i = 0; i < picture.tiles_q(); ++i) {
    std::fill(seen.begin(), seen.end(), Seen{});
    const std::int64_t end = std::min((i + 1) * picture.tile_q, picture.places_q());
    for (std::int64_t place = i * picture.tile_q; place < end; ++place) {
      const std::span<const Pair> pairs = rows.at(place);
      measure.wrong += rows.misses_keys();
      for (std::int64_t j = 0; j < tiles; ++j) {
        const std::int64_t first = j * picture.tile_kv;
        const std::int64_t width = std::min(picture.tile_kv, places - first);
        int visible = 0, hidden = 0;
        for (const Pair pair :
             pairs.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(width))) {
          visible += pair == Pair::visible;
          hidden += pair == Pair::hidden;
        }
        seen[static_cast<std::size_t>(j)].visible += visible;
        seen[static_cast<std::size_t>(j)].hidden += hidden;
      }
    }
    for (std::int64_t j = 0; j < tiles; ++j) {
      const auto [visible, hidden] = seen[static_cast<std::size_t>(j)];
      const TileClass tile = picture.tile(i, j);
      measure.visible += visible;
      measure.ideal_visited += visible > 0;
      measure.ideal_full += visible > 0 && hidden == 0;
      measure.wrong +=
          (tile == TileClass::skipped && visible > 0) || (tile == TileClass::full && hidden > 0);
    }
  }
  return measure;
}

}  // namespace tilewright::pictures
