// expect: Var: the dimensions of a Var must differ
// names: "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, N>) {
  Var<f32, M, M> acc{"acc", 0};  // wrong
});
