// From the language to tile IR: the kernels that DESIGN shows, statement by statement, and what the
// builder does to them: equal values merge, names and lines stay, extents that are bound become
// constants.
#include "build.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "ir/print.hpp"
#include "kernel_view.hpp"
#include "kernels.hpp"

using namespace tilewright;
using kernels::B, kernels::D, kernels::E, kernels::M, kernels::N;

inline constexpr Dim<"head"> H;

TEST_CASE("a Temp is an output where it is written and an input where it is read") {
  const auto temporary = [](const ir::Kernel& kernel) {
    const Argument* argument = kernel.find_argument("t");
    REQUIRE(argument != nullptr);
    CHECK(argument->temporary);
    CHECK(argument->dims == std::vector<std::string>{"head"});
    return argument->kind;
  };
  CHECK(temporary(build(kernel("writes", [](In<"x", f32, H> x, Temp<"t", f32, H> t) {
          auto h = blocks(H);
          store(t(h), load(x(h)));
        }))) == Argument::Kind::out);
  const ir::Kernel reads = build(kernel("reads", [](Temp<"t", f32, H> t, Out<"y", f32, H> y) {
    auto h = blocks(H);
    store(y(h), load(t(h)));
  }));
  CHECK(temporary(reads) == Argument::Kind::in);
  CHECK(ir::print(reads).find("temp in t f32[head], out y f32[head]") != std::string::npos);
}

TEST_CASE("flash becomes one loop over kv with its softmax carried") {
  const ir::Kernel kernel = build(kernels::flash, {{D, 128}, {E, 96}});
  const KernelView traced(kernel);

  CHECK(kernel.name == "flash");
  CHECK(kernel.grid == std::vector<std::string>{"batch", "q_head", "q"});
  CHECK(kernel.bound == std::map<std::string, int>{{"d", 128}, {"e", 96}});
  REQUIRE(kernel.arguments.size() == 6);
  CHECK(kernel.arguments[3].kind == Argument::Kind::out);
  CHECK(kernel.arguments[3].dims == std::vector<std::string>{"batch", "q_head", "q", "e"});
  CHECK(kernel.arguments[5].kind == Argument::Kind::scalar);

  const ir::Operation& loop = traced.only(Op::for_blocks);
  CHECK(traced.axis(loop.axis).dim == "kv");
  REQUIRE(loop.regions.size() == 2);
  CHECK(traced.axis(loop.axis).block == loop.regions[1]->arguments[0]);
  CHECK(traced.types(loop.operands) == "f32[q] f32[q] f32[q, e:96]");
  CHECK(traced.names(loop.regions[1]->arguments) == "kv_block row_max row_sum acc");
  CHECK(traced.names(loop.regions[1]->operations.back()->operands) == "m_new row_sum acc");
  CHECK(traced.names(loop.results) == "row_max row_sum acc");
  CHECK(traced.operations(*loop.regions[0]) == "index extent extent sub add index ge yield");
  CHECK(
      traced.operations(*loop.regions[1]) ==
      "extent extent div div load dot scalar mul constant mul max_row max exp2_safe exp2_safe mul "
      "sum_row add mul cast load dot add yield");

  CHECK(traced.type_of("q") == "bf16[q, d:128]");
  CHECK(traced.type_of("s") == "f32[q, kv]");
  CHECK(traced.type_of("p") == "f32[q, kv]");
  CHECK(traced.type_of("alpha") == "f32[q]");
  CHECK(traced.type_of("k") == "bf16[kv, d:128]");  // a load is named after its tensor

  CHECK(traced.line_of("s") == "kernels.hpp:30");
  CHECK(traced.line_of("p").starts_with("kernels.hpp:31 > online_softmax.hpp:"));
  CHECK(to_string(loop.where).ends_with("kernels.hpp:29"));

  REQUIRE(traced.all(Op::store).size() == 2);
  CHECK(traced.all(Op::store)[0]->name == "out");
  CHECK(traced.all(Op::store)[1]->indices.size() == 3);
}

TEST_CASE("the softmax spelled out is the library's, for both half types") {
  for (const KernelSource* source :
       {static_cast<const KernelSource*>(&kernels::spelled_out<bf16>),
        static_cast<const KernelSource*>(&kernels::spelled_out<f16>)}) {
    const ir::Kernel kernel = build(*source, {{D, 64}, {E, 64}});
    const KernelView traced(kernel);
    const ir::Operation& loop = traced.only(Op::for_blocks);
    CHECK(traced.names(loop.regions[1]->operations.back()->operands) == "m_new row_sum acc");
    CHECK(
        traced.operations(*loop.regions[1]) ==
        "extent extent div div load dot scalar mul max_row max exp2_safe exp2_safe mul sum_row add "
        "mul cast load dot add yield");
    CHECK(kernel.axes[0].requested_tile == 64);
  }
  const ir::Kernel half = build(kernels::spelled_out<f16>, {{D, 64}, {E, 64}});
  CHECK(half.arguments[0].dtype == f16);
  CHECK(KernelView(half).type_of("q") == "f16[q, d:64]");
}

TEST_CASE("equal values merge where one is in sight of the other") {
  auto source = kernel("merge", [](In<"x", f32, B, M> X, In<"z", f32, N> Z, Out<"y", f32, B, M> Y) {
    auto b = each(B);
    auto m = blocks(M);
    let("twice", load(X(b, m)) * 2);
    store(Y(b, m), load(X(b, m)) * 2 + 1);
    for_blocks(N, [&](auto n) { let("inside", load(X(b, m)) * 2 + reduce_max(load(Z(n)), N)); });
    for_blocks(N, [&](auto n) { let("again", load(X(b, m)) * 2 + reduce_max(load(Z(n)), N)); });
  });
  const ir::Kernel kernel = build(source);
  const KernelView traced(kernel);
  // x is loaded once and doubled once. z is loaded in both loops, for neither sees into the other.
  CHECK(traced.operations(kernel.body) ==
        "each block load constant mul constant add store for_blocks for_blocks");
  for (const ir::Operation* loop : traced.all(Op::for_blocks))
    CHECK(traced.operations(*loop->regions[1]) == "load max_row add yield");
  CHECK(traced.all(Op::load).size() == 3);
}

TEST_CASE("a constant's sign and type count when values merge") {
  auto source = kernel("zeros", [](In<"x", f32, M> X, Out<"y", f32, M> Y) {
    auto m = blocks(M);
    store(Y(m), load(X(m)) * -0.f + 0.f);
  });
  const ir::Kernel kernel = build(source);
  CHECK(KernelView(kernel).all(Op::constant).size() == 2);
}

TEST_CASE("a mask written with position() is the one causal() gives") {
  const auto traced_with = [](const auto& mask) {
    auto source =
        kernel("masked", [mask](In<"q", f32, M> Q, In<"k", f32, N> K, Out<"y", f32, M> Y) {
          auto m = blocks(M);
          Var<f32, M> sum{"sum", 0};
          for_blocks(N, mask, [&](auto n) { sum = sum + reduce_sum(load(Q(m)) * load(K(n)), N); });
          store(Y(m), sum);
        });
    return ir::print(build(source));
  };
  const std::string expected = traced_with(causal(M, N));
  CHECK(traced_with(position(M) >= index(N)) == expected);
  CHECK(traced_with(causal(M, N, bottom_right)) == expected);
  CHECK(traced_with([](auto) { return position(M) >= index(N); }) == expected);
  CHECK(traced_with(index(M) >= index(N)) == traced_with(causal(M, N, top_left)));
  CHECK(traced_with(causal(M, N, top_left)) != expected);
}

TEST_CASE("an index may be any number, also one that was loaded") {
  auto source = kernel("paged", [](In<"k", f16, B, H, N, D> K, In<"page", i32, B, M> Page,
                                   In<"pages", i32, B> Pages, Out<"y", f32, B, D> Y) {
    auto b = each(B);
    Var<f32, D> sum{"sum", 0};
    for_range(load(Pages(b)), [&](auto i) {
      sum = sum + cast<f32>(load(K(load(Page(b, i)), extent(H) - 1, i % 16, D)));
    });
    store(Y(b, D), sum);
  });
  const ir::Kernel kernel = build(source, {{D, 32}});
  const KernelView traced(kernel);
  const ir::Operation& loop = traced.only(Op::for_range);
  REQUIRE(loop.operands.size() == 2);
  CHECK(traced.type_of("pages") == "i32");
  CHECK(traced.types(loop.results) == "f32[d:32]");
  CHECK(traced.operations(*loop.regions[0]) ==
        "load extent constant sub constant mod load cast add yield");
}

TEST_CASE("an extent that is bound is a constant, another is not") {
  auto source = kernel("extents", [](In<"x", f32, M, D> X, Out<"y", f32, M> Y) {
    auto m = blocks(M);
    store(Y(m), reduce_sum(load(X(m, D)), D) / cast<f32>(extent(D) + extent(M)));
  });
  const ir::Kernel kernel = build(source, {{D, 80}});
  const KernelView traced(kernel);
  REQUIRE(traced.all(Op::extent).size() == 1);
  CHECK(traced.all(Op::extent)[0]->name == "q");
  REQUIRE(traced.all(Op::constant).size() == 1);
  CHECK(traced.all(Op::constant)[0]->constant == 80);
}
