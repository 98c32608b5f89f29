// The dimensions of an attention problem, by the names that errors, launches and texts use.
#pragma once

#include <tilewright/dsl.hpp>

namespace tilewright::library {

inline constexpr Dim<"batch"> B;
inline constexpr Dim<"q_head"> HQ;
inline constexpr Dim<"kv_head"> HK;
inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"e"> E;
inline constexpr Dim<"slot"> Slot;  ///< keys that are gathered, of all tiles of rows in a row
inline constexpr Dim<"word"> Word;  ///< 32 slots of one row each

/// The masks without numbers of their own: each calls its argument with the predicate of a tile, or
/// none.
inline constexpr auto everything = [](auto body) { body(); };
inline constexpr auto causal_bottom_right = [](auto body) { body(causal(M, N)); };
inline constexpr auto causal_top_left = [](auto body) { body(causal(M, N, top_left)); };

}  // namespace tilewright::library
