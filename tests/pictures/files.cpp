// SVG and PNG, read back and compared with the mask pair by pair.
#include <doctest/doctest.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tilewright/error.hpp>

#include "example.hpp"
#include "pictures/png.hpp"
#include "pictures/scene.hpp"
#include "pictures/svg.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::test;
using pictures::Color;
using pictures::Raster;
using pictures::Scene;

/// What a person sees at a pair.
enum class Look { blank, full, visible, hidden, wrong };

Look look_at(const MaskPicture& picture, const Sees& sees, std::int64_t y, std::int64_t x) {
  const bool seen = pair_at(picture, sees, y, x) == 1;
  if (pair_at(picture, sees, y, x) == -1) return Look::blank;
  switch (picture.tile(y / picture.tile_q, x / picture.tile_kv)) {
    case TileClass::skipped: return seen ? Look::wrong : Look::blank;
    case TileClass::full: return pair_at(picture, sees, y, x) == 0 ? Look::wrong : Look::full;
    case TileClass::cut: break;
  }
  return seen ? Look::visible : Look::hidden;
}

const std::map<std::string, Look> looks{{"#ffffff", Look::blank},
                                        {"#1b365d", Look::full},
                                        {"#3e7cbf", Look::visible},
                                        {"#d6e4f3", Look::hidden},
                                        {"#d62828", Look::wrong}};

std::string hex(Color color) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", color.red, color.green, color.blue);
  return text.data();
}

/// Tags are closed in order, attributes quoted, and no bare & or < stands in the text. Returns the
/// elements "name attributes", in order.
std::vector<std::string> elements_of(const std::string& xml) {
  std::vector<std::string> open, all;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] == '&') {
      const std::string entity = xml.substr(at, xml.find(';', at) - at + 1);
      CHECK((entity == "&amp;" || entity == "&lt;" || entity == "&gt;"));
    }
    if (xml[at] != '<') {
      ++at;
      continue;
    }
    const std::size_t end = xml.find('>', at);
    REQUIRE(end != std::string::npos);
    std::string tag = xml.substr(at + 1, end - at - 1);
    at = end + 1;
    CHECK(std::count(tag.begin(), tag.end(), '"') % 2 == 0);
    CHECK(tag.find('<') == std::string::npos);
    if (tag.front() == '/') {
      REQUIRE(!open.empty());
      CHECK(open.back() == tag.substr(1));
      open.pop_back();
      continue;
    }
    if (tag.back() != '/') open.push_back(tag.substr(0, tag.find(' ')));
    all.push_back(std::move(tag));
  }
  CHECK(open.empty());
  return all;
}

std::string attribute(const std::string& element, const std::string& name) {
  const std::size_t at = element.find(" " + name + "=\"");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 3;
  return element.substr(begin, element.find('"', begin) - begin);
}

/// The numbers of a path of rectangles "M3 4h5v1h-5z", in order.
std::vector<std::int64_t> numbers_of(const std::string& path) {
  std::vector<std::int64_t> numbers;
  for (const char* at = path.data(); at != path.data() + path.size();) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(at, path.data() + path.size(), number);
    if (error == std::errc()) numbers.push_back(number);
    at = error == std::errc() ? end : at + 1;
  }
  return numbers;
}

void check_svg(const MaskPicture& picture, const Sees& sees) {
  const std::string svg = to_svg(scene_of(picture));
  std::vector<Look> painted(static_cast<std::size_t>(picture.places_q() * picture.places_kv()),
                            Look::blank);
  for (const std::string& element : elements_of(svg)) {
    const std::string fill = attribute(element, "fill");
    if (!element.starts_with("path ") || fill == "none") continue;
    REQUIRE(looks.contains(fill));
    const auto numbers = numbers_of(attribute(element, "d"));
    REQUIRE(numbers.size() % 5 == 0);
    for (std::size_t i = 0; i < numbers.size(); i += 5) {
      CHECK(numbers[i + 4] == -numbers[i + 2]);
      for (std::int64_t y = numbers[i + 1]; y < numbers[i + 1] + numbers[i + 3]; ++y)
        for (std::int64_t x = numbers[i]; x < numbers[i] + numbers[i + 2]; ++x)
          painted.at(static_cast<std::size_t>(y * picture.places_kv() + x)) = looks.at(fill);
    }
  }
  std::int64_t differ = 0;
  for (std::int64_t y = 0; y < picture.places_q(); ++y)
    for (std::int64_t x = 0; x < picture.places_kv(); ++x)
      differ += painted[static_cast<std::size_t>(y * picture.places_kv() + x)] !=
                look_at(picture, sees, y, x);
  CHECK(differ == 0);
}

Raster decoded(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) != 0);
  image.format = PNG_FORMAT_RGB;
  Raster raster{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  raster.rgb.resize(PNG_IMAGE_SIZE(image));
  REQUIRE(png_image_finish_read(&image, nullptr, raster.rgb.data(), 0, nullptr) != 0);
  return raster;
}

/// The middle of a pair, which lines between pairs and tiles do not touch.
Color pixel_of(const Raster& raster, const Scene& scene, std::int64_t y, std::int64_t x) {
  const auto middle = [](double begin, double scale, std::int64_t place) {
    return static_cast<int>((begin + scale * (static_cast<double>(place) + 0.5)) *
                            pictures::png_zoom);
  };
  return raster.at(middle(scene.left, scene.scale_x, x), middle(scene.top, scene.scale_y, y));
}

void check_png(const MaskPicture& picture, const Sees& sees) {
  const Scene scene = scene_of(picture);
  REQUIRE(scene.scale_x >= 2);
  const Raster raster = decoded(to_png(rasterize(scene)));
  CHECK(raster.width == 2 * scene.width);
  std::int64_t differ = 0;
  for (std::int64_t y = 0; y < picture.places_q(); ++y)
    for (std::int64_t x = 0; x < picture.places_kv(); ++x) {
      const auto found = looks.find(hex(pixel_of(raster, scene, y, x)));
      differ += found == looks.end() || found->second != look_at(picture, sees, y, x);
    }
  CHECK(differ == 0);
}

bool ragged(std::int64_t q, std::int64_t k) { return (q * 7 + k * 13) % 11 < 5 && k <= q + 9; }

}  // namespace

TEST_CASE("every pair has its colour, in SVG and PNG") {
  for (const auto& [rows, keys, tile_q, tile_kv] : {std::array<std::int64_t, 4>{12, 12, 4, 4},
                                                    {13, 31, 4, 8},
                                                    {64, 40, 16, 16},
                                                    {1, 50, 16, 7},
                                                    {97, 3, 16, 2},
                                                    {120, 120, 32, 64}}) {
    CAPTURE(rows);
    CAPTURE(keys);
    for (const Sees& sees : {Sees(test::causal), Sees(test::strided), Sees(ragged)}) {
      MaskPicture picture = picture_of(rows, keys, tile_q, tile_kv, sees);
      check_svg(picture, sees);
      check_png(picture, sees);
      for (TileClass& tile : picture.tiles)  // a wrong class is seen
        tile = tile == TileClass::cut ? TileClass::full : TileClass::skipped;
      check_svg(picture, sees);
      if (rows < 50) check_png(picture, sees);
    }
  }
  check_svg(regrouped(30, 4), test::strided);
  check_png(regrouped(30, 4), test::strided);
}

TEST_CASE("a PNG holds the pixels that were drawn") {
  const Raster drawn = rasterize(scene_of(picture_of(40, 40, 16, 16, test::causal)));
  const Raster read = decoded(to_png(drawn));
  CHECK(read.width == drawn.width);
  CHECK(read.height == drawn.height);
  CHECK(read.rgb == drawn.rgb);
}

TEST_CASE("pairs smaller than a pixel are as dark as they are on average") {
  // Every second key of one cut tile, and a pixel for each four keys.
  const auto half = [](std::int64_t, std::int64_t k) { return k % 2 == 0; };
  const MaskPicture picture = picture_of(16, 5760, 16, 5760, half);
  const Scene scene = scene_of(picture, {}, {.rects = 1'000'000});
  const Raster raster = rasterize(scene);
  const Color mixed = pixel_of(raster, scene, 8, 2880);
  CHECK(std::abs(mixed.red - (62 + 214) / 2) <= 1);
  CHECK(std::abs(mixed.green - (124 + 228) / 2) <= 1);
  CHECK(std::abs(mixed.blue - (191 + 243) / 2) <= 1);
}

TEST_CASE("large masks make small files") {
  // A checkerboard of pairs has more rectangles than a file should: cut tiles stand alone.
  const auto board = [](std::int64_t q, std::int64_t k) { return (q + k) % 2 == 0; };
  const std::string pairs = to_svg(scene_of(picture_of(1024, 1024, 64, 64, board)));
  CHECK(pairs.size() < 20'000);
  CHECK(pairs.find("visible pairs") == std::string::npos);
  // A checkerboard of tiles, 1000 on a side: squares of tiles.
  const auto tiles = [](std::int64_t q, std::int64_t k) { return (q / 2 + k / 2) % 2 == 0; };
  const std::string squares = to_svg(scene_of(picture_of(2000, 2000, 2, 2, tiles)));
  CHECK(squares.size() < 20'000);
  CHECK(squares.find("some of 3 x 3 tiles") != std::string::npos);
  elements_of(squares);
}

TEST_CASE("titles are text, whatever they hold") {
  MaskPicture picture = picture_of(4, 4, 2, 2, test::causal);
  picture.title = "a < b && c > \"d\" \x01 é";
  const std::string svg = to_svg(scene_of(picture, {"1 < 2"}));
  elements_of(svg);
  CHECK(svg.find("a &lt; b &amp;&amp; c &gt; \"d\"   é") != std::string::npos);
  CHECK(svg.find("1 &lt; 2") != std::string::npos);
  CHECK(decoded(to_png(rasterize(scene_of(picture)))).width > 0);
}

TEST_CASE("an empty mask is a frame") {
  for (const auto& [rows, keys] : {std::pair{0, 5}, {5, 0}, {0, 0}}) {
    const Scene scene = scene_of(picture_of(rows, keys, 4, 4, test::causal));
    elements_of(to_svg(scene));
    CHECK(decoded(to_png(rasterize(scene))).height > 0);
  }
}

TEST_CASE("what libpng refuses is an error of its own") {
  try {
    pictures::to_png({});
    FAIL("a picture without pixels became a file");
  } catch (const Error& error) {
    CHECK(std::string(error.id()) == "png-refused");
    CHECK(error.kind() == ErrorKind::io);
  }
}
