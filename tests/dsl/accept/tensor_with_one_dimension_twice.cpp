#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", f32, M, N>) {});
