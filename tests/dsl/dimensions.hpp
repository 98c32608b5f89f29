// The dimensions that the programs of refuse/ and accept/ use.
#pragma once

#include <tilewright/dsl.hpp>

using namespace tilewright;

inline constexpr Dim<"batch"> B;
inline constexpr Dim<"head"> H;
inline constexpr Dim<"q"> M;
inline constexpr Dim<"kv"> N;
inline constexpr Dim<"d"> D;
inline constexpr Dim<"e"> E;
