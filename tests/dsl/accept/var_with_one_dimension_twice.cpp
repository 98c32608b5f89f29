#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, N>) { Var<f32, M, N> acc{"acc", 0}; });
