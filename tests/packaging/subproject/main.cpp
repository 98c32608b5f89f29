// The language alone: headers, nothing linked.
#include <tilewright/dsl.hpp>

constexpr tilewright::Dim<"row"> M;

int main() {
  const auto copy = tilewright::kernel("copy", [](tilewright::In<"x", tilewright::f32, M> X,
                                                  tilewright::Out<"y", tilewright::f32, M> Y) {
    auto m = tilewright::blocks(M);
    tilewright::store(Y(m), tilewright::load(X(m)));
  });
  return copy.name() == "copy" ? 0 : 1;
}
