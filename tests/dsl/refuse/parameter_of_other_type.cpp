// expect: kernel(name, lambda): parameters must be In, Out, InOut, Temp or Scalar, not auto
// names: int
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q, int) { load(Q(M, D)); });  // wrong
