// expect: kernel(name, lambda): parameters are In, Out, InOut, Temp, Scalar or BlockList, not auto
// names: int
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q, int) { load(Q(M, D)); });  // wrong
