// A scene as a PNG file, two pixels of the file for each of the scene; letters from glyphs.hpp.
#pragma once

#include "pictures/scene.hpp"

namespace tilewright::pictures {

/// Pixels in rows, three bytes each.
struct Raster {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;

  Color at(int x, int y) const {
    const std::uint8_t* p = &rgb[3 * (static_cast<std::size_t>(y) * width + x)];
    return {p[0], p[1], p[2]};
  }
  void set(int x, int y, Color color) {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    std::uint8_t* p = &rgb[3 * (static_cast<std::size_t>(y) * width + x)];
    p[0] = color.red, p[1] = color.green, p[2] = color.blue;
  }
};

/// Pixels of the file for each of the scene.
inline constexpr int png_zoom = 2;

/// Where several places share a pixel it is as dark as they are on average.
Raster rasterize(const Scene& scene);

/// The bytes of the file. Throws Error{io} with the reason of libpng.
std::string to_png(const Raster& raster);

}  // namespace tilewright::pictures
