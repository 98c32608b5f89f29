// See scene.hpp.
#include "pictures/scene.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "pictures/areas.hpp"

namespace tilewright::pictures {
namespace {

constexpr Color ink{31, 41, 55}, faint{107, 114, 128};
constexpr Color full_color{27, 54, 93}, visible_color{62, 124, 191}, hidden_color{214, 228, 243};
constexpr Color cut_color{122, 167, 217}, some_color{122, 167, 217}, wrong_color{214, 40, 40};
constexpr Color skipped_color{255, 255, 255};
constexpr Color tile_line{160, 170, 182}, pair_line{255, 255, 255}, frame{55, 65, 81};

constexpr double longest = 720;      // side of the matrix, pixels
constexpr double shortest = 96;      // a few rows over many keys are stretched to it
constexpr double largest_pair = 32;  // so that a mask of 8 x 8 is no poster
constexpr double left_margin = 84, top_margin = 116, right_margin = 24, bottom_margin = 28;
constexpr double legend_width = 272, least_height = 300;

/// Half a pixel is a pixel of a doubled picture: places keep to them where they can.
double rounded(double scale) { return scale >= 0.5 ? std::floor(scale * 2) / 2 : scale; }

void set_scale(Scene& scene) {
  const auto side = [](std::int64_t places) {
    return static_cast<double>(std::max<std::int64_t>(places, 1));
  };
  const double most = std::max(side(scene.places_x), side(scene.places_y));
  const double scale = rounded(std::min(longest / most, largest_pair));
  const auto stretched = [&](std::int64_t places) {
    return side(places) * scale >= shortest
               ? scale
               : std::max(scale, rounded(std::min(shortest / side(places), largest_pair)));
  };
  scene.scale_x = stretched(scene.places_x);
  scene.scale_y = stretched(scene.places_y);
}

/// At every tile's begin, or at every second, fourth … so that they keep apart.
void add_ticks(Scene& scene, const MaskPicture& picture) {
  const auto step_of = [](double tile, double apart) {
    std::int64_t step = 1;
    while (tile * static_cast<double>(step) < apart) step *= 2;
    return step;
  };
  const auto text = [](std::int64_t at) { return at == nothing ? "-" : std::to_string(at); };
  const std::int64_t step_x =
      step_of(scene.scale_x * static_cast<double>(picture.tile_kv),
              9.0 * static_cast<double>(std::to_string(picture.keys).size()) + 8);
  for (std::int64_t j = 0; j < picture.tiles_kv(); j += step_x) {
    const std::int64_t place = j * picture.tile_kv;
    const double x = scene.left + static_cast<double>(place) * scene.scale_x;
    scene.labels.push_back(
        {x, scene.top - 8, 12, Anchor::start, false, false, faint, text(picture.key_at(place))});
  }
  const std::int64_t step_y = step_of(scene.scale_y * static_cast<double>(picture.tile_q), 18);
  for (std::int64_t i = 0; i < picture.tiles_q(); i += step_y) {
    const std::int64_t place = i * picture.tile_q;
    const double y = scene.top + static_cast<double>(place) * scene.scale_y;
    scene.labels.push_back({scene.left - 8, y + 12, 12, Anchor::end, false, false, faint,
                            text(picture.row_at(place))});
  }
}

void add_axes(Scene& scene, const MaskPicture& picture) {
  const double right = scene.left + static_cast<double>(scene.places_x) * scene.scale_x;
  const double bottom = scene.top + static_cast<double>(scene.places_y) * scene.scale_y;
  scene.labels.push_back(
      {(scene.left + right) / 2, scene.top - 28, 13, Anchor::middle, false, false, ink,
       picture.key_order.empty() ? (picture.gathered.empty() ? "key" : "key, gathered")
                                 : "key, regrouped"});
  scene.labels.push_back({scene.left - 56, (scene.top + bottom) / 2, 13, Anchor::middle, false,
                          true, ink, picture.row_order.empty() ? "row" : "row, regrouped"});
}

/// Every `step` places, without the frame.
std::vector<double> lines_at(double begin, double scale, std::int64_t places, std::int64_t step) {
  std::vector<double> lines;
  for (std::int64_t place = step; place < places; place += step)
    lines.push_back(begin + static_cast<double>(place) * scale);
  return lines;
}

void add_lines(Scene& scene, const MaskPicture& picture, std::int64_t square) {
  const auto grid = [&](Color color, double width, std::int64_t step_x, std::int64_t step_y) {
    scene.lines.push_back({color, width,
                           lines_at(scene.left, scene.scale_x, scene.places_x, step_x),
                           lines_at(scene.top, scene.scale_y, scene.places_y, step_y)});
  };
  constexpr double least_pair = 7, least_tile = 6, wide_tile = 24;
  const bool pairs = std::min(scene.scale_x, scene.scale_y) >= least_pair;
  if (pairs) grid(pair_line, 0.5, 1, 1);
  const std::int64_t tile_x = picture.tile_kv * square, tile_y = picture.tile_q * square;
  const double side = std::min(scene.scale_x * static_cast<double>(tile_x),
                               scene.scale_y * static_cast<double>(tile_y));
  if (side >= least_tile) grid(tile_line, pairs ? 2 : side >= wide_tile ? 1 : 0.5, tile_x, tile_y);
  scene.lines.push_back(
      {frame,
       1,
       {scene.left, scene.left + static_cast<double>(scene.places_x) * scene.scale_x},
       {scene.top, scene.top + static_cast<double>(scene.places_y) * scene.scale_y}});
}

class Legend {
 public:
  Legend(Scene& scene, double x) : scene_(scene), x_(x), y_(scene.top) {}

  void entry(Color color, const std::string& text) {
    constexpr double side = 15;
    scene_.swatches.push_back({x_, y_, side, color});
    scene_.labels.push_back({x_ + 25, y_ + 12, 13, Anchor::start, false, false, ink, text});
    y_ += 25;
  }
  void gap() { y_ += 10; }
  void fact(const std::string& text) {
    scene_.labels.push_back({x_, y_ + 12, 13, Anchor::start, false, false, faint, text});
    y_ += 21;
  }
  double bottom() const { return y_; }

 private:
  Scene& scene_;
  double x_, y_;
};

double add_legend(Scene& scene, const MaskPicture& picture, const Areas& areas,
                  const std::vector<std::string>& facts) {
  const double right = scene.left + static_cast<double>(scene.places_x) * scene.scale_x;
  Legend legend(scene, right + 32);
  const BlockCounts counts = count(picture.tiles);
  const auto tiles = [](std::int64_t n, const char* what) {
    return fmt::format("{} {} tile{}", n, what, n == 1 ? "" : "s");
  };
  legend.entry(full_color, tiles(counts.full, "full"));
  if (areas.square > 1) {
    legend.entry(some_color, fmt::format("some of {0} x {0} tiles", areas.square));
    legend.entry(skipped_color, tiles(counts.skipped, "skipped"));
    legend.fact(tiles(counts.cut, "cut"));
  } else if (!areas.has_pairs) {
    legend.entry(cut_color, tiles(counts.cut, "cut"));
    legend.entry(skipped_color, tiles(counts.skipped, "skipped"));
  } else {
    legend.entry(visible_color, tiles(counts.cut, "cut") + ": visible pairs");
    legend.entry(hidden_color, "and hidden pairs");
    legend.entry(skipped_color, tiles(counts.skipped, "skipped"));
  }
  if (!areas.wrong.empty()) legend.entry(wrong_color, "the tile's class is wrong");
  legend.gap();
  for (const std::string& fact : facts) legend.fact(fact);
  return legend.bottom();
}

}  // namespace

Scene scene_of(const MaskPicture& picture, const std::vector<std::string>& facts,
               const SceneLimits& limits) {
  Scene scene;
  scene.places_x = picture.places_kv();
  scene.places_y = picture.places_q();
  set_scale(scene);
  scene.left = left_margin;
  scene.top = top_margin;
  scene.title = picture.title;
  scene.description = fmt::format("{} rows x {} keys, tiles of {} x {}", picture.rows, picture.keys,
                                  picture.tile_q, picture.tile_kv);
  scene.labels.push_back({24, 36, 19, Anchor::start, true, false, ink, scene.title});
  scene.labels.push_back({24, 58, 13, Anchor::start, false, false, faint, scene.description});

  Areas areas = areas_of(picture, limits);
  if (areas.square > 1 || !areas.has_pairs) {
    scene.layers.push_back({cut_color, std::move(areas.cut)});
  } else {
    scene.layers.push_back({hidden_color, std::move(areas.cut)});
    scene.layers.push_back({visible_color, std::move(areas.visible)});
  }
  scene.layers.push_back({full_color, std::move(areas.full)});
  if (!areas.empty.empty()) scene.layers.push_back({skipped_color, std::move(areas.empty)});
  if (!areas.wrong.empty()) scene.layers.push_back({wrong_color, areas.wrong});
  add_ticks(scene, picture);
  add_axes(scene, picture);
  add_lines(scene, picture, areas.square);
  const double below = add_legend(scene, picture, areas, facts);
  scene.width = scene.left + static_cast<double>(scene.places_x) * scene.scale_x + 32 +
                legend_width + right_margin;
  scene.height = std::max({scene.top + static_cast<double>(scene.places_y) * scene.scale_y, below,
                           least_height}) +
                 bottom_margin;
  return scene;
}

}  // namespace tilewright::pictures
