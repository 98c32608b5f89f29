// Vars: the value an expression captures, what a loop carries, and where an assignment says it
// stands.
#include <doctest/doctest.h>

#include "build.hpp"
#include "dimensions.hpp"
#include "kernel_view.hpp"

namespace {

template <typename Body>
ir::Kernel traced_body(const Body& body) {
  auto source = kernel("state", [body](In<"x", f32, M> X, In<"k", f32, N> K, Out<"y", f32, M> Y) {
    auto m = blocks(M);
    body(X, K, Y, m);
  });
  return build(source);
}

}  // namespace

TEST_CASE("a Var in an expression is the value it has where the expression is written") {
  const ir::Kernel kernel = traced_body([](auto X, auto, auto Y, auto m) {
    Var<f32, M> a{"a", load(X(m))};
    auto before = a * 2;  // written before the assignment, recorded after it
    a = a + 1;
    store(Y(m), before);
    store(Y(m), a * 2);
  });
  const KernelView traced(kernel);
  CHECK(traced.operations(kernel.body) == "block load constant add constant mul store mul store");
  const auto stores = traced.all(Op::store);
  const auto muls = traced.all(Op::mul);
  const ir::Operation& add = traced.only(Op::add);
  REQUIRE(muls.size() == 2);
  CHECK(muls[0]->operands[0] == traced.only(Op::load).results[0]);
  CHECK(muls[1]->operands[0] == add.results[0]);
  CHECK(stores[0]->operands[0] == muls[0]->results[0]);
  CHECK(stores[1]->operands[0] == muls[1]->results[0]);
}

TEST_CASE("a Var assigned to another is an assignment, with its own line") {
  std::uint32_t line = 0;
  const ir::Kernel kernel = traced_body([&line](auto X, auto K, auto Y, auto m) {
    Var<f32, M> previous{"previous", 0};
    Var<f32, M> now{"now", load(X(m))};
    for_blocks(N, [&](auto n) {
      previous = now;
      line = __LINE__ + 1;
      now = now * 2 + reduce_sum(load(K(n)), N);
    });
    store(Y(m), previous);
  });
  const KernelView traced(kernel);
  const ir::Operation& loop = traced.only(Op::for_blocks);
  const ir::Region& body = *loop.regions[1];
  REQUIRE(loop.results.size() == 2);
  // previous' is the argument that stands for now: the value it had in the iteration before.
  CHECK(body.operations.back()->operands[0] == body.arguments[2]);
  CHECK(traced.names(loop.results) == "previous now");
  CHECK(traced.all(Op::store)[0]->operands[0] == loop.results[0]);
  CHECK(traced.only(Op::add).where.user.line == line);
  CHECK(kernel.values[static_cast<std::size_t>(traced.only(Op::add).results[0])].name == "now");
}

TEST_CASE("only Vars that the loop assigns are carried, through nested loops too") {
  const ir::Kernel kernel = traced_body([](auto X, auto K, auto Y, auto m) {
    Var<f32, M> read_only{"read_only", load(X(m))};
    Var<f32, M> outer_only{"outer_only", 0};
    Var<f32, M> both{"both", 1};
    Var<f32, M> untouched{"untouched", 2};
    for_range(4, [&](auto) {
      outer_only = outer_only + read_only;
      for_blocks(N, [&](auto n) { both = both * read_only + reduce_sum(load(K(n)), N); });
    });
    store(Y(m), outer_only + both + untouched);
  });
  const KernelView traced(kernel);
  const ir::Operation& outer = traced.only(Op::for_range);
  const ir::Operation& inner = traced.only(Op::for_blocks);
  CHECK(traced.names(outer.results) == "outer_only both");
  CHECK(traced.names(inner.results) == "both");
  CHECK(traced.names(outer.regions[0]->arguments) == "i outer_only both");
  CHECK(inner.operands[0] == outer.regions[0]->arguments[2]);
  // The read-only Var is the load itself, everywhere.
  CHECK(traced.all(Op::mul)[0]->operands[1] == traced.all(Op::load)[0]->results[0]);
  // No hole is left where arguments were taken out.
  for (const ir::Value& value : kernel.values) CHECK(value.name != "untouched");
}

TEST_CASE("two Vars that change places are carried crosswise") {
  const ir::Kernel kernel = traced_body([](auto X, auto, auto Y, auto m) {
    Var<f32, M> a{"a", load(X(m))};
    Var<f32, M> b{"b", 1};
    Var<f32, M> fixed{"fixed", 2};
    for_range(extent(N), [&](auto) {
      auto old = let("old", a);
      a = b;
      b = old;
      b = fixed;
    });
    store(Y(m), a + b);
  });
  const KernelView traced(kernel);
  const ir::Operation& loop = traced.only(Op::for_range);
  const auto& yielded = loop.regions[0]->operations.back()->operands;
  REQUIRE(yielded.size() == 2);
  CHECK(yielded[0] == loop.regions[0]->arguments[2]);
  CHECK(traced.all(Op::constant)[1]->constant == 2);
  CHECK(yielded[1] == traced.all(Op::constant)[1]->results[0]);
}

TEST_CASE("a Var has its dimensions from the start, whatever it starts from") {
  auto source =
      kernel("wide", [](In<"x", f32, M, D> X, Out<"y", f32, M, D> Y, Scalar<"start", f32> start) {
        auto m = blocks(M);
        Var<f32, M, D> from_number{"from_number", 3};
        Var<f32, M, D> from_scalar{"from_scalar", start};
        Var<f32, M, D> from_row{"from_row", reduce_max(load(X(m, D)), D)};
        Var<b1, M> from_bool{"from_bool", true};
        for_range(2, [&](auto) {
          from_number = from_number + start;
          from_scalar = from_scalar + start;
          from_row = 0;
          from_bool = !from_bool;
        });
        store(Y(m, D), where(from_bool, from_number + from_scalar, from_row));
      });
  const ir::Kernel kernel = build(source, {{D, 16}});
  const KernelView traced(kernel);
  const ir::Operation& loop = traced.only(Op::for_range);
  CHECK(traced.types(loop.results) == "f32[q, d:16] f32[q, d:16] f32[q, d:16] b1[q]");
  const std::vector<ValueId> initial(loop.operands.begin() + 1, loop.operands.end());
  CHECK(traced.types(initial) == traced.types(loop.results));
}

TEST_CASE("the softmax of the language: sink, continuation and merge trace and verify") {
  auto source =
      kernel("merged", [](In<"s", f32, M, N> S, In<"v", bf16, N, E> V, In<"sink", f32, B> Sink,
                          In<"out", f32, M, E> Before, In<"lse", f32, M> LseBefore,
                          Out<"y", f32, M, E> Y, Out<"y_lse", f32, M> Lse) {
        auto b = each(B);
        auto m = blocks(M);
        auto first = OnlineSoftmax<M, E>::with_sink(load(Sink(b)));
        auto second = OnlineSoftmax<M, E>::continued(load(Before(m, E)), load(LseBefore(m)));
        for_blocks(N, [&](auto n) { first.update(load(S(m, n)), load(V(n, E)), N); });
        first.merge(second);
        store(Y(m, E), first.result());
        store(Lse(m), first.logsumexp());
      });
  const ir::Kernel kernel = build(source, {{E, 64}});
  const KernelView traced(kernel);
  CHECK(traced.names(traced.only(Op::for_blocks).results) == "row_max row_sum acc");
  CHECK(traced.type_of("beta") == "f32[q]");
  CHECK(traced.line_of("beta").find(" > online_softmax.hpp:") != std::string::npos);
}
