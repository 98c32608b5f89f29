// The text form of kernels, of provenance and of integer expressions.
#include <doctest/doctest.h>

#include "ir/domain.hpp"
#include "ir/print.hpp"
#include "softmax_kernel.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;
using namespace tilewright::test;
using ir::IntExpr;

namespace {

std::string text(const IntExpr& e) {
  return e.print([](const std::string& symbol) { return symbol; });
}
IntExpr sym(const char* name) { return IntExpr::symbol(name); }

}  // namespace

TEST_CASE("provenance keeps two components of a path") {
  CHECK(to_string({{"/somewhere/src/user.cpp", 19}, {}}) == "src/user.cpp:19");
  CHECK(to_string({{"user.cpp", 19}, {"/usr/include/tilewright/dsl/online_softmax.hpp", 31}}) ==
        "user.cpp:19 > dsl/online_softmax.hpp:31");
  CHECK(to_string({}) == "");
}

TEST_CASE("a kernel's text") {
  KernelBuilder b("double_rows");
  b.tensor(Argument::Kind::in, "x", DType::f16, {"batch", "m"});
  b.tensor(Argument::Kind::out, "y", DType::f32, {"batch"});
  const ValueId batch = b.each("batch");
  const ir::AxisId m = b.loop_axis("m", 16);
  const ValueId zero = b.constant(DType::f32, 0);
  const auto sum = b.for_blocks(
      m, {zero},
      [&] {
        return b.apply(Op::lt, {b.index(m), b.scalar("limit", DType::i32)});
      },
      [&](const KernelBuilder::Values& c) -> KernelBuilder::Values {
        const ValueId x = b.name(b.load("x", {b.at(batch), b.over(m)}), "x");
        return {b.apply(Op::add, {c[0], b.reduce(Op::reduce_sum, b.cast(DType::f32, x), m)})};
      });
  b.store("y", {b.at(batch)}, b.name(sum[0], "x"));
  verify(b.kernel, "test");
  CHECK(print(b.kernel) ==
        R"(kernel double_rows(in x f16[batch, m], out y f32[batch], scalar limit i32)
  grid [batch]
  axis m loop tile 16 block %m_block
  %0 = each batch : i32  // examples/user.cpp:1
  %2 = constant 0 : f32  // examples/user.cpp:2
  %x.2 = for_blocks %2 over m : f32 {  // examples/user.cpp:3
  mask():
    %3 = index over m : i32[m:16]  // examples/user.cpp:4
    %4 = scalar limit : i32  // examples/user.cpp:5
    %5 = lt %3, %4 : b1[m:16]  // examples/user.cpp:6
    yield %5  // examples/user.cpp:7
  body(%m_block: i32, %6: f32):
    %x = load x(%0, m:block) : f16[m:16]  // examples/user.cpp:8
    %8 = cast %x : f32[m:16]  // examples/user.cpp:10
    %9 = reduce_sum %8 over m : f32  // examples/user.cpp:11
    %10 = add %6, %9 : f32  // examples/user.cpp:12
    yield %10  // examples/user.cpp:13
  }
  store y(%0) %x.2  // examples/user.cpp:15
)");
}

TEST_CASE("numbers print shortest") {
  CHECK(ir::print_number(0.1) == "0.1");
  CHECK(ir::print_number(64) == "64");
  CHECK(ir::print_number(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("integer expressions fold and print with few parentheses") {
  const IntExpr x = sym("x"), y = sym("y"), q = sym("first(q)");
  CHECK(text(x + 0) == "x");
  CHECK(text(IntExpr(3) + x) == "x + 3");
  CHECK(text(x + 3 - 5) == "x - 2");
  CHECK(text(x - x) == "0");
  CHECK(text(x * 1) == "x");
  CHECK(text(x * 0) == "0");
  CHECK(text((x + y) * 2) == "(x + y) * 2");
  CHECK(text(x - (y - 1)) == "x - (y - 1)");
  CHECK(text(x * (y * 2)) == "x * (y * 2)");
  CHECK(text(minimum(x, x)) == "x");
  CHECK(text(floor_div(q + 1, 64)) == "(first(q) + 1) / 64");
  CHECK(text(floor_div(q - 1, 64)) == "floor_div(first(q) - 1, 64)");
  CHECK(text(floor_div(q, x)) == "floor_div(first(q), x)");
  CHECK(text(floor_div(maximum(x, 0), 8)) == "max(x, 0) / 8");
  CHECK(text(floor_div(floor_div(x, 4), 8)) == "floor_div(x, 32)");
  CHECK(text(mod(q, 8) + 1) == "first(q) % 8 + 1");
  CHECK(floor_div(IntExpr(-7), 2) == IntExpr(-4));
  CHECK(mod(IntExpr(-7), 2) == IntExpr(1));
  const auto value = [](const std::string& name) { return name == "x" ? -9 : 4; };
  CHECK((floor_div(x, y) + mod(x, y)).evaluate(value) == -3 + 3);
  CHECK_THROWS_AS(floor_div(x, y - 4).evaluate(value), Error);
}

TEST_CASE("classes of tiles from intervals that overlap, touch or are empty") {
  ir::Domain domain;
  domain.visited = {{1, 3}, {3, 5}, {9, 7}};
  domain.hidden = {{-4, 1}, {5, 100}};
  const auto classes = classify(domain, 8, [](const std::string&) { return 0; });
  using C = ir::TileClass;
  CHECK(classes == std::vector<C>{C::skipped, C::cut, C::full, C::full, C::full, C::cut, C::skipped,
                                  C::skipped});
  CHECK(classify(domain, 0, [](const std::string&) { return 0; }).empty());
}
