// Of the blank project: it has the name of a file of Tilewright.
#pragma once
namespace blank {
inline constexpr int one = 1;
}
