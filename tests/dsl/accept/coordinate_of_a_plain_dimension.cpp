#include "../dimensions.hpp"

auto program = kernel(
    "program", [](In<"k", f32, N>) { for_blocks(N, causal(flatten(M, H)[M], N), [](auto) {}); });
