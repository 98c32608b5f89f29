// Letters for pictures without fonts: printable ASCII, 5 pixels wide and 9 high.
#pragma once

namespace tilewright::pictures {

inline constexpr int glyph_width = 5, glyph_height = 9;
inline constexpr int glyph_advance = 6;  ///< from one letter to the next
inline constexpr int glyph_ascent = 7;   ///< rows above the baseline

/// Whether the pixel belongs to the letter; characters without a glyph are boxes.
bool glyph_has(char letter, int column, int row);

}  // namespace tilewright::pictures
