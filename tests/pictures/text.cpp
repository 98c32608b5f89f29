// Masks in the terminal: small ones to the letter, large ones by their size.
#include <doctest/doctest.h>

#include <sstream>

#include "example.hpp"
#include "pictures/text.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::test;
using pictures::to_text;

/// Characters of a UTF-8 line.
std::size_t columns_of(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::pair<std::size_t, std::size_t> size_of(const std::string& text) {
  std::istringstream lines(text);
  std::size_t count = 0, widest = 0;
  for (std::string line; std::getline(lines, line); ++count)
    widest = std::max(widest, columns_of(line));
  return {count, widest};
}

}  // namespace

TEST_CASE("causal, 12 x 12 in tiles of 4, as blocks") {
  CHECK(to_text(picture_of(12, 12, 4, 4, test::causal)) == R"(a mask
  12 rows x 12 keys, tiles of 4 x 4

     0    4    8
    ┌────┬────┬────┐
  0 │▓░░░│    │    │
    │▓▓░░│    │    │
    │▓▓▓░│    │    │
    │▓▓▓▓│    │    │
    ├────┼────┼────┤
  4 │████│▓░░░│    │
    │████│▓▓░░│    │
    │████│▓▓▓░│    │
    │████│▓▓▓▓│    │
    ├────┼────┼────┤
  8 │████│████│▓░░░│
    │████│████│▓▓░░│
    │████│████│▓▓▓░│
    │████│████│▓▓▓▓│
    └────┴────┴────┘
  █ full tile   ▓ visible, ░ hidden in a cut tile   blank: skipped
)");
}

TEST_CASE("plain characters, tails, and a tile whose class is wrong") {
  MaskPicture picture = picture_of(3, 7, 2, 3, test::causal);
  picture.tiles[0] = TileClass::full;
  CHECK(to_text(picture, {.ascii = true}) == R"(a mask
  3 rows x 7 keys, tiles of 2 x 3

     0   3   6
    +---+---+-+
  0 |#!!|   | |
    |##!|   | |
    +---+---+-+
  2 |###|   | |
    +---+---+-+
  # full tile   x visible, . hidden in a cut tile   blank: skipped
  ! the tile's class contradicts the mask
)");
}

TEST_CASE("a regrouped order says so, and names the rows by their numbers in the mask") {
  CHECK(to_text(regrouped(7, 2), {.ascii = true}) == R"(a mask
  7 rows x 7 keys, tiles of 2 x 2
  in the kernel's order: rows and keys regrouped, numbers are those of the mask

     0  6  1  2
    +--+--+--+--+
  0 |x.|  |  |  |
    |xx|  |  |  |
    +--+--+--+--+
  6 |##|# |  |  |
    |  |  |  |  |
    +--+--+--+--+
  1 |  |  |x.|  |
    |  |  |xx|  |
    +--+--+--+--+
  2 |  |  |  |x.|
    |  |  |  |xx|
    +--+--+--+--+
  # full tile   x visible, . hidden in a cut tile   blank: skipped
)");
}

TEST_CASE("a larger mask takes a character for some pairs, for a tile, for some tiles") {
  // 16 x 8 pairs a character: the diagonal passes through characters, not through tiles.
  CHECK(to_text(picture_of(64, 64, 32, 32, test::causal), {.columns = 20, .ascii = true}) ==
        R"(a mask
  64 rows x 64 keys, tiles of 32 x 32

      0    32
     +----+----+
   0 |++..|    |
     |xx++|    |
     +----+----+
  32 |####|++..|
     |####|xx++|
     +----+----+
  a character is 16 x 8 pairs
  # full tile   x visible, + partly, . hidden in a cut tile   blank: skipped
)");
  const std::string tiles =
      to_text(picture_of(640, 640, 16, 16, test::causal), {.columns = 60, .ascii = true});
  CHECK(tiles.find("a character is a tile: # full, x cut, blank: skipped") != std::string::npos);
  CHECK(tiles.find("\n   64 |####x ") != std::string::npos);
  const std::string groups =
      to_text(picture_of(640, 640, 4, 4, test::causal), {.columns = 60, .ascii = true});
  CHECK(groups.find("a character is 4 x 4 tiles: # all full") != std::string::npos);
}

TEST_CASE("no picture is wider or higher than asked") {
  for (const std::int64_t rows : {1, 7, 40, 100, 333})
    for (const std::int64_t keys : {1, 9, 79, 512})
      for (const std::int64_t tile : {1, 3, 16, 64}) {
        CAPTURE(rows);
        CAPTURE(keys);
        CAPTURE(tile);
        const std::string text = to_text(picture_of(rows, keys, tile, tile, test::causal));
        const auto [lines, columns] = size_of(text);
        CHECK(columns <= 80);
        CHECK(lines <= 64 + 7);  // title, shape, a blank line, labels, legend
      }
}

TEST_CASE("an empty mask is said to be one") {
  for (const auto& [rows, keys] : {std::pair{0, 5}, {5, 0}, {0, 0}}) {
    const std::string text = to_text(picture_of(rows, keys, 4, 4, test::causal));
    CHECK(text.find("no pairs") != std::string::npos);
  }
}
