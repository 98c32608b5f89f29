// The coloured areas of a mask as few rectangles: runs along the keys that grow downward while the
// next row repeats them.
#pragma once

#include "pictures/scene.hpp"

namespace tilewright::pictures {

struct Areas {
  std::vector<PlaceRect> full;     ///< tiles
  std::vector<PlaceRect> cut;      ///< tiles, or squares of tiles that are neither full nor skipped
  std::vector<PlaceRect> visible;  ///< pairs of the cut tiles
  std::vector<PlaceRect> wrong;    ///< pairs that contradict their tile's class
  std::vector<PlaceRect> empty;    ///< places of visited tiles where nothing stands
  bool has_pairs = false;          ///< false: too many rectangles, so cut tiles stand alone
  std::int64_t square = 1;         ///< tiles along the side of what is drawn as one
};

Areas areas_of(const MaskPicture& picture, const SceneLimits& limits);

}  // namespace tilewright::pictures
