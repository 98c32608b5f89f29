// expect: a op b: element types differ; write cast<T>(…) around one of them
// names: i32 f32 "q"
#include "../dimensions.hpp"

auto program = kernel("program", [](In<"q", bf16, B, M, D>) {
  blocks(M);
  let("s", index(M) * 0.5f);  // wrong
});
