// expect: kernel(name, lambda): parameters are In, Out, InOut, Temp, Scalar or BlockList, not auto
// names: lambda
#include "../dimensions.hpp"

auto program = kernel("program", [](auto Q) { load(Q(M, D)); });  // wrong
