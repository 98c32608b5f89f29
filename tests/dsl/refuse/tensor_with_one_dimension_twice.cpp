// expect: In, Out, InOut, Temp, BlockList: the dimensions of a tensor must differ
// names: "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, M>) {});  // wrong
