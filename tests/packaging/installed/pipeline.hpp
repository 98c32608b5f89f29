// Of the blank project: it has the name of a file of Tilewright.
#pragma once
#include "ir/ir.hpp"
#include "runtime/memory.hpp"
namespace blank {
inline constexpr int three = one + two;
}
