#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, D> Q) { let("q", load(Q(M, D))); });
