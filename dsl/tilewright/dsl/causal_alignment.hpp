// Where a causal diagonal lies. Plain data: the language's masks and the library's both take it.
#pragma once

#include <cstdint>
#include <string_view>

namespace tilewright {

/// Which ends of the two sequences meet when they differ in length.
enum class CausalAlignment : std::uint8_t {
  bottom_right,  ///< the last row sees every key
  top_left,      ///< row 0 sees key 0 only
};
inline constexpr CausalAlignment bottom_right = CausalAlignment::bottom_right;
inline constexpr CausalAlignment top_left = CausalAlignment::top_left;

constexpr std::string_view name(CausalAlignment alignment) {
  return alignment == CausalAlignment::bottom_right ? "bottom-right" : "top-left";
}

}  // namespace tilewright
