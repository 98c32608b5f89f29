#include "../dimensions.hpp"

auto program =
    kernel("program", [](const In<"q", f32, M, D>& Q, Scalar<"n", i32>) { load(Q(M, D)); });
