// The comment over a statement of the generated CUDA is the statement, with the parentheses it
// needs.
#include <doctest/doctest.h>

#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;

}  // namespace

TEST_CASE("signs in comments bind as they do in the program") {
  const auto signs = kernel("signs", [](In<"x", f32, M> X, In<"y", f32, M> Y, Out<"z", f32, M> Z) {
    auto m = blocks(M);
    auto a = let("a", load(X(m))), b = let("b", load(Y(m)));
    auto less = let("less", -(a - b));
    auto twice = let("twice", -(-less));
    auto product = let("product", -(a * b) - -b);
    auto either = let("either", where(!(a < b || a > 2.f), a, product));
    auto plain = let("plain", -a + exp2(-b));
    store(Z(m), less + twice * product + either + plain);
  });
  const std::string text = make_program(signs, "sm_80", {}).aligned.text.text;
  CAPTURE(text);
  for (const char* comment :
       {"less = -(a - b)  ", "twice = -(-less)  ", "product = -(a * b) - -b  ",
        "either = where(!(a < b || a > 2), a, product)  ", "plain = -a + exp2(-b)  "})
    CHECK_MESSAGE(text.find(comment) != std::string::npos, comment);
}
