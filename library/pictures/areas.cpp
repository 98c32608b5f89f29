// See areas.hpp.
#include "pictures/areas.hpp"

#include <algorithm>

namespace tilewright::pictures {
namespace {

/// Collects lines of runs; a run that the line before has as well makes its rectangle higher.
class Runs {
 public:
  explicit Runs(std::vector<PlaceRect>& rects) : rects_(rects) {}

  /// Places x to end of the line that is being made, left to right.
  void run(std::int64_t x, std::int64_t end) {
    if (!line_.empty() && line_.back().end == x)
      line_.back().end = end;
    else
      line_.push_back({x, end, 0});
  }

  void end_line(std::int64_t y, std::int64_t height) {
    auto above = before_.begin();
    for (Run& run : line_) {
      while (above != before_.end() && above->x < run.x) ++above;
      const bool repeats = above != before_.end() && above->x == run.x && above->end == run.end;
      run.rect = repeats ? above->rect : rects_.size();
      if (repeats)
        rects_[run.rect].height += height;
      else
        rects_.push_back({run.x, y, run.end - run.x, height});
    }
    before_.swap(line_);
    line_.clear();
  }

 private:
  struct Run {
    std::int64_t x, end;
    std::size_t rect;
  };
  std::vector<PlaceRect>& rects_;
  std::vector<Run> line_, before_;
};

enum class Look : std::uint8_t { skipped, full, cut };

Look look_of(const MaskPicture& picture, std::int64_t square, std::int64_t i, std::int64_t j) {
  std::int64_t skipped = 0, full = 0, all = 0;
  const std::int64_t rows = std::min((i + 1) * square, picture.tiles_q());
  const std::int64_t keys = std::min((j + 1) * square, picture.tiles_kv());
  for (std::int64_t row = i * square; row < rows; ++row)
    for (std::int64_t key = j * square; key < keys; ++key, ++all) {
      skipped += picture.tile(row, key) == TileClass::skipped;
      full += picture.tile(row, key) == TileClass::full;
    }
  if (skipped == all) return Look::skipped;
  return full == all ? Look::full : Look::cut;
}

void add_tiles(Areas& areas, const MaskPicture& picture) {
  Runs full(areas.full), cut(areas.cut);
  const std::int64_t side_q = picture.tile_q * areas.square;
  const std::int64_t side_kv = picture.tile_kv * areas.square;
  for (std::int64_t i = 0; i * side_q < picture.places_q(); ++i) {
    for (std::int64_t j = 0; j * side_kv < picture.places_kv(); ++j) {
      const Look look = look_of(picture, areas.square, i, j);
      const std::int64_t end = std::min((j + 1) * side_kv, picture.places_kv());
      if (look == Look::full) full.run(j * side_kv, end);
      if (look == Look::cut) cut.run(j * side_kv, end);
    }
    const std::int64_t height = std::min(side_q, picture.places_q() - i * side_q);
    full.end_line(i * side_q, height);
    cut.end_line(i * side_q, height);
  }
}

/// False if there are more than `most`.
bool add_pairs(Areas& areas, const MaskPicture& picture, std::size_t most) {
  Runs visible(areas.visible), wrong(areas.wrong), empty(areas.empty);
  PairRows rows(picture);
  for (std::int64_t place = 0; place < picture.places_q(); ++place) {
    const std::span<const Pair> pairs = rows.at(place);
    for (std::int64_t key = 0; key < picture.places_kv(); ++key) {
      const Pair pair = pairs[static_cast<std::size_t>(key)];
      const TileClass tile = picture.tile(place / picture.tile_q, key / picture.tile_kv);
      if (pair == Pair::nothing) {
        if (tile != TileClass::skipped) empty.run(key, key + 1);
        continue;
      }
      const bool seen = pair == Pair::visible;
      if (tile == TileClass::cut && seen) visible.run(key, key + 1);
      if (tile == (seen ? TileClass::skipped : TileClass::full)) wrong.run(key, key + 1);
    }
    visible.end_line(place, 1);
    wrong.end_line(place, 1);
    empty.end_line(place, 1);
    if (areas.visible.size() + areas.wrong.size() + areas.empty.size() > most) return false;
  }
  return true;
}

}  // namespace

Areas areas_of(const MaskPicture& picture, const SceneLimits& limits) {
  Areas areas;
  const std::int64_t tiles = std::max(picture.tiles_q(), picture.tiles_kv());
  areas.square = std::max<std::int64_t>(1, (tiles + limits.squares - 1) / limits.squares);
  add_tiles(areas, picture);
  if (areas.square > 1) return areas;
  areas.has_pairs = add_pairs(areas, picture, limits.rects);
  if (!areas.has_pairs) {
    areas.visible.clear();
    areas.wrong.clear();
    areas.empty.clear();
  }
  return areas;
}

}  // namespace tilewright::pictures
