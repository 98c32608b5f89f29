// expect: kernel(name, lambda): parameters must be In, Out, InOut, Temp or Scalar, not auto
// names: lambda
#include "../dimensions.hpp"

auto program = kernel("program", [](auto Q) { load(Q(M, D)); });  // wrong
