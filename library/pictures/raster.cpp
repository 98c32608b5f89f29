// See png.hpp: from places to pixels.
#include <algorithm>
#include <cmath>

#include "pictures/glyphs.hpp"
#include "pictures/png.hpp"

namespace tilewright::pictures {
namespace {

int pixel(double scene) { return static_cast<int>(std::lround(scene * png_zoom)); }

/// How much of each pixel of the matrix a layer covers. Its rectangles do not overlap, so the parts
/// add up, and no seam shows between two that meet inside a pixel.
class Coverage {
 public:
  Coverage(int width, int height)
      : width_(width), height_(height), parts_(static_cast<std::size_t>(width) * height) {}

  void add(double x0, double y0, double x1, double y1) {
    for (int y = static_cast<int>(y0); y < height_ && y < y1; ++y) {
      const double part_y = std::min(y1, y + 1.0) - std::max(y0, static_cast<double>(y));
      for (int x = static_cast<int>(x0); x < width_ && x < x1; ++x) {
        const double part_x = std::min(x1, x + 1.0) - std::max(x0, static_cast<double>(x));
        parts_[static_cast<std::size_t>(y) * width_ + x] += static_cast<float>(part_x * part_y);
      }
    }
  }

  void paint(Raster& raster, int left, int top, Color color) const {
    const auto mixed = [](std::uint8_t under, std::uint8_t over, float part) {
      return static_cast<std::uint8_t>(std::lround(under + (over - under) * part));
    };
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        const float part = std::min(parts_[static_cast<std::size_t>(y) * width_ + x], 1.f);
        if (part <= 0) continue;
        const Color under = raster.at(left + x, top + y);
        raster.set(left + x, top + y,
                   {mixed(under.red, color.red, part), mixed(under.green, color.green, part),
                    mixed(under.blue, color.blue, part)});
      }
  }

 private:
  int width_, height_;
  std::vector<float> parts_;
};

void paint_layers(Raster& raster, const Scene& scene) {
  const double zoom_x = scene.scale_x * png_zoom, zoom_y = scene.scale_y * png_zoom;
  const int width = static_cast<int>(std::ceil(static_cast<double>(scene.places_x) * zoom_x));
  const int height = static_cast<int>(std::ceil(static_cast<double>(scene.places_y) * zoom_y));
  for (const Layer& layer : scene.layers) {
    Coverage coverage(width, height);
    for (const PlaceRect& r : layer.rects)
      coverage.add(static_cast<double>(r.x) * zoom_x, static_cast<double>(r.y) * zoom_y,
                   static_cast<double>(r.x + r.width) * zoom_x,
                   static_cast<double>(r.y + r.height) * zoom_y);
    coverage.paint(raster, pixel(scene.left), pixel(scene.top), layer.color);
  }
}

void fill(Raster& raster, int x0, int y0, int x1, int y1, Color color) {
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) raster.set(x, y, color);
}

void paint_lines(Raster& raster, const Scene& scene) {
  const int right = pixel(scene.left + static_cast<double>(scene.places_x) * scene.scale_x);
  const int bottom = pixel(scene.top + static_cast<double>(scene.places_y) * scene.scale_y);
  for (const Lines& lines : scene.lines) {
    const int width = std::max(pixel(lines.width), 1), before = width / 2, after = width - before;
    for (const double x : lines.down)
      fill(raster, pixel(x) - before, pixel(scene.top) - before, pixel(x) + after, bottom + after,
           lines.color);
    for (const double y : lines.across)
      fill(raster, pixel(scene.left) - before, pixel(y) - before, right + after, pixel(y) + after,
           lines.color);
  }
}

void paint_label(Raster& raster, const Label& label) {
  const int unit = std::max(1, static_cast<int>(std::lround(label.size * png_zoom / 11)));
  const int length = static_cast<int>(label.text.size()) * glyph_advance * unit;
  const int back = label.anchor == Anchor::start    ? 0
                   : label.anchor == Anchor::middle ? length / 2
                                                    : length;
  for (std::size_t i = 0; i < label.text.size(); ++i)
    for (int row = 0; row < glyph_height; ++row)
      for (int column = 0; column < glyph_width; ++column) {
        if (!glyph_has(label.text[i], column, row)) continue;
        // From the anchor on the baseline: along the text, and below it.
        const int along = (static_cast<int>(i) * glyph_advance + column) * unit - back;
        const int below = (row - glyph_ascent) * unit;
        const int wide = unit + (label.bold ? unit / 2 : 0);
        const int x = pixel(label.x), y = pixel(label.y);
        if (label.upward)
          fill(raster, x + below, y - along - wide, x + below + unit, y - along, label.color);
        else
          fill(raster, x + along, y + below, x + along + wide, y + below + unit, label.color);
      }
}

}  // namespace

Raster rasterize(const Scene& scene) {
  Raster raster{pixel(scene.width), pixel(scene.height), {}};
  raster.rgb.assign(3 * static_cast<std::size_t>(raster.width) * raster.height, 255);
  paint_layers(raster, scene);
  paint_lines(raster, scene);
  for (const Swatch& swatch : scene.swatches) {
    const int x = pixel(swatch.x), y = pixel(swatch.y), side = pixel(swatch.side);
    fill(raster, x, y, x + side, y + side, {160, 170, 182});
    fill(raster, x + png_zoom, y + png_zoom, x + side - png_zoom, y + side - png_zoom,
         swatch.color);
  }
  for (const Label& label : scene.labels) paint_label(raster, label);
  return raster;
}

}  // namespace tilewright::pictures
