// Pairs and tiles of a picture, counted.
#include <doctest/doctest.h>

#include "example.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::test;

}  // namespace

TEST_CASE("a causal mask is measured") {
  // n blocks on a side: n (n + 1) / 2 visited, n of them cut.
  const MaskPicture picture = picture_of(12, 12, 4, 4, test::causal);
  const auto counts = pictures::count(picture.tiles);
  CHECK(counts.skipped == 3);
  CHECK(counts.full == 3);
  CHECK(counts.cut == 3);
  const auto measure = pictures::measure(picture);
  CHECK(measure.visible == 78);
  CHECK(measure.ideal_visited == 6);
  CHECK(measure.ideal_full == 3);
  CHECK(measure.wrong == 0);
}

TEST_CASE("tails, one row, no rows, and no mask at all") {
  const auto tails = pictures::measure(picture_of(13, 9, 4, 5, test::causal));
  CHECK(tails.visible == 9 * 10 / 2 + 4 * 9);
  // Rows 0-3, 4-7, 8-11, 12 and keys 0-4, 5-8: all but (0, 1) hold a visible pair.
  CHECK(tails.ideal_visited == 7);
  CHECK(tails.ideal_full == 5);
  CHECK(pictures::measure(picture_of(0, 9, 4, 4, test::causal)).visible == 0);
  CHECK(pictures::measure(picture_of(9, 0, 4, 4, test::causal)).visible == 0);
  MaskPicture everything = picture_of(3, 7, 2, 2, [](auto, auto) { return true; });
  everything.visible = {};
  const auto all = pictures::measure(everything);
  CHECK(all.visible == 21);
  CHECK(all.ideal_full == 8);
  CHECK(all.wrong == 0);
}

TEST_CASE("a tile that lies about its pairs is counted as wrong") {
  MaskPicture picture = picture_of(12, 12, 4, 4, test::causal);
  picture.tiles[0] = TileClass::full;     // was cut
  picture.tiles[3] = TileClass::skipped;  // was full
  picture.tiles[1] = TileClass::cut;      // was skipped: not tight, and right
  CHECK(pictures::measure(picture).wrong == 2);
}

TEST_CASE("a regrouped order gathers what a stride scatters") {
  const auto scattered = pictures::measure(picture_of(24, 24, 4, 4, test::strided));
  const auto gathered = pictures::measure(regrouped(24, 4));
  CHECK(scattered.visible == gathered.visible);
  CHECK(scattered.ideal_visited == 21);    // every tile on or below the diagonal
  CHECK(gathered.ideal_visited == 3 * 3);  // three residues of 8: two tiles each, 1 + 2
  // Residues of 9, 9 and 8 in tiles of 4 leave places where nothing stands.
  const auto tails = pictures::measure(regrouped(26, 4));
  CHECK(tails.visible == 45 + 45 + 36);
  CHECK(tails.ideal_visited == 6 + 6 + 3);
  CHECK(tails.ideal_full == 4 + 4 + 1);
  CHECK(tails.wrong == 0);
  // A tile in which nothing stands is neither visited nor full.
  MaskPicture gap = picture_of(2, 2, 2, 2, [](auto, auto) { return true; });
  gap.row_order = {0, 1, pictures::nothing, pictures::nothing};
  gap.tiles = {TileClass::full, TileClass::skipped};
  CHECK(pictures::measure(gap).ideal_full == 1);
  CHECK(pictures::measure(gap).wrong == 0);
}

TEST_CASE("keys that each tile of rows gathers, and those it misses") {
  // Rows 0 and 1 see the keys 1 and 5, rows 2 and 3 the key 4.
  MaskPicture picture =
      picture_of(4, 6, 2, 2, [](auto q, auto k) { return q < 2 ? k % 4 == 1 : k == 4; });
  CHECK(pictures::measure(picture).ideal_visited == 3);
  picture.gathered = {1, 5, -1, -1, 4, -1, -1, -1};
  picture.tiles = {TileClass::full, TileClass::skipped, TileClass::cut, TileClass::skipped};
  CHECK(picture.places_kv() == 4);
  const auto measure = pictures::measure(picture);
  CHECK(measure.visible == 6);
  CHECK(measure.ideal_visited == 2);
  CHECK(measure.wrong == 0);
  picture.gathered[1] = -1;
  CHECK(pictures::measure(picture).wrong == 2);  // two rows do not meet their key 5
}
