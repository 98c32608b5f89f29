// expect: store(x, value): only floating types convert; write cast<T>(value)
// names: i32 f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](Out<"sum", f32, B, M> Sum) {
  auto b = each(B);
  auto m = blocks(M);
  store(Sum(b, m), index(M));  // wrong
});
