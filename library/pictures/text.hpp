// A mask in the terminal.
//
//      0    4    8
//     ┌────┬────┬────┐
//   0 │▓░░░│    │    │
//     │▓▓░░│    │    │
//
// A small mask shows a character for each pair and the borders of the tiles; a large one a
// character for each tile, or for a square of tiles.
#pragma once

#include "pictures/mask_picture.hpp"

namespace tilewright::pictures {

struct TextStyle {
  std::int64_t columns = 80;  ///< no line is longer, as far as labels allow
  std::int64_t lines = 64;    ///< no picture is higher; 4 at least
  bool ascii = false;         ///< "#x." instead of blocks
};

/// Title, axes, the mask and what its characters mean; ends with a line break.
std::string to_text(const MaskPicture& picture, const TextStyle& style = {});

}  // namespace tilewright::pictures
