// A mask laid out for the eye: areas, lines and words with their places, before any file format.
//
// The matrix of pairs stands left with its axes, the legend right of it. svg.hpp and png.hpp draw
// the same scene, so the two pictures agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pictures/mask_picture.hpp"

namespace tilewright::pictures {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend bool operator==(const Color&, const Color&) = default;
};

/// In places of the matrix, keys to the right and rows downward.
struct PlaceRect {
  std::int64_t x = 0, y = 0, width = 0, height = 0;
  friend bool operator==(const PlaceRect&, const PlaceRect&) = default;
};

/// Rectangles of one colour that do not overlap; a later layer covers an earlier one.
struct Layer {
  Color color;
  std::vector<PlaceRect> rects;
};

/// Parallel lines over the whole matrix, in pixels of the scene.
struct Lines {
  Color color;
  double width = 1;
  std::vector<double> down, across;  ///< x of the vertical ones, y of the horizontal ones
};

enum class Anchor : std::uint8_t { start, middle, end };

struct Label {
  double x = 0, y = 0;  ///< of the baseline's anchor
  double size = 13;     ///< of the letters, in pixels
  Anchor anchor = Anchor::start;
  bool bold = false, upward = false;
  Color color;
  std::string text;
};

struct Swatch {
  double x = 0, y = 0, side = 0;
  Color color;
};

struct Scene {
  double width = 0, height = 0;     ///< in pixels of the scene
  double left = 0, top = 0;         ///< of the matrix
  double scale_x = 1, scale_y = 1;  ///< pixels of a place
  std::int64_t places_x = 0, places_y = 0;
  std::string title, description;
  std::vector<Layer> layers;
  std::vector<Lines> lines;
  std::vector<Swatch> swatches;
  std::vector<Label> labels;
};

struct SceneLimits {
  std::size_t rects = 40'000;  ///< with more, cut tiles are drawn without their pairs
  std::int64_t squares =
      360;  ///< along an axis; more tiles than that are drawn as squares of tiles
};

/// Walks the pairs of the cut tiles. `facts` are lines to put below the legend.
Scene scene_of(const MaskPicture& picture, const std::vector<std::string>& facts = {},
               const SceneLimits& limits = {});

}  // namespace tilewright::pictures
