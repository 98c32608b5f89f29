// What is refused while a kernel is traced: one Error that names what is wrong, its lines, and what
// is allowed. What C++ refuses is in refuse/.
#include <doctest/doctest.h>

#include <optional>

#include "build.hpp"
#include "dimensions.hpp"
#include "tracing.hpp"

using namespace tilewright::test;

namespace {

std::string here(int line) { return "dsl/errors.cpp:" + std::to_string(line); }

using X = In<"x", f32, B, M>;
using K = In<"k", f32, N>;
using Y = Out<"y", f32, B, M>;

}  // namespace

TEST_CASE("a value made inside a loop and used outside names both lines") {
  int made = 0, used = 0, opened = 0;
  const Error error = error_of(kernel("escape", [&](X x, K k, Y y) {
    auto b = each(B);
    auto m = blocks(M);
    std::optional<Value<Tile<f32>>> top;
    opened = __LINE__ + 1;
    for_blocks(N, [&](auto n) {
      made = __LINE__ + 1;
      top = let("top", reduce_max(load(k(n)), N));
    });
    used = __LINE__ + 1;
    store(y(b, m), load(x(b, m)) + *top);
  }));
  CHECK(error.kind() == ErrorKind::invalid_program);
  CHECK(error.argument() == "top");
  CHECK(says(error, "'top', made at " + here(made) + " inside the loop at " + here(opened)));
  CHECK(error.where() == here(used));
}

TEST_CASE("a Temp is written or read by a kernel, not both") {
  int written = 0, read = 0;
  const Error error = error_of(kernel("both", [&](X x, Temp<"t", f32, B, M> t, Y y) {
    auto b = each(B);
    auto m = blocks(M);
    written = __LINE__ + 1;
    store(t(b, m), load(x(b, m)));
    read = __LINE__ + 1;
    store(y(b, m), load(t(b, m)));
  }));
  CHECK(error.kind() == ErrorKind::invalid_program);
  CHECK(error.argument() == "t");
  CHECK(says(error, "kernel 'both' writes the Temp 't' at " + here(written) + " and reads it",
             "temp-read-and-written"));
  CHECK(error.where() == here(read));
}

TEST_CASE("a Var, a block and a counter stay inside their loop") {
  CHECK(says(error_of(kernel("var",
                             [](X, K k, Y) {
                               std::optional<Var<f32>> sum;
                               for_blocks(N, [&](auto n) {
                                 sum.emplace("sum", reduce_sum(load(k(n)), N));
                               });
                               let("after", *sum);
                             })),
             "Var 'sum', made inside the loop at", "used-outside-scope"));
  CHECK(says(error_of(kernel("block",
                             [](X, K k, Y) {
                               std::optional<Block<Dim<"kv">>> last;
                               for_blocks(N, [&](auto n) { last = n; });
                               let("after", reduce_sum(load(k(*last)), N));
                             })),
             "is used outside of it"));
  CHECK(says(error_of(kernel("counter",
                             [](X x, K, Y) {
                               std::optional<Value<Tile<i32>>> last;
                               for_range(3, [&](auto i) { last = i; });
                               let("after", load(x(*last, 0)));
                             })),
             "is used outside of it"));
}

TEST_CASE("a dimension is in the grid once, and before any loop") {
  int first = 0;
  const Error twice = error_of(kernel("twice", [&](X, Y) {
    first = __LINE__ + 1;
    each(B);
    each(B);
  }));
  CHECK(twice.kind() == ErrorKind::invalid_program);
  CHECK(twice.argument() == "batch");
  CHECK(says(twice, "in the grid twice, first at " + here(first)));
  CHECK(twice.where() == here(first + 1));
  CHECK(says(error_of(kernel("both",
                             [](X, Y) {
                               each(M);
                               blocks(M);
                             })),
             "in the grid twice", "grid-dimension-twice"));
  CHECK(says(error_of(kernel("inside", [](X, K, Y) { for_blocks(N, [](auto) { each(B); }); })),
             "each stands inside a loop", "grid-inside-loop"));
  CHECK(says(error_of(kernel("negative", [](X, Y) { blocks(M, -1); })), "got -1",
             "grid-tile-out-of-range"));
}

TEST_CASE("index and position need a loop over their dimension") {
  const Error error = error_of(kernel("index", [](X, K, Y) { let("i", index(N)); }));
  CHECK(says(error, "index(kv) stands outside a loop over 'kv'", "index-outside-loop"));
  CHECK(says(error_of(kernel("position",
                             [](X, K, Y) {
                               blocks(M);
                               let("p", position(M));
                             })),
             "position(q) stands outside for_blocks", "position-outside-loop"));
  CHECK(says(error_of(kernel("each",
                             [](X, Y) {
                               each(B);
                               let("i", index(B));
                             })),
             "has one program per index here", "dimension-has-no-tile"));
  const Error var = error_of(kernel("var", [](X, K, Y) { Var<f32, N>("v", 0); }));
  CHECK(var.kind() == ErrorKind::shape_mismatch);
  CHECK(var.argument() == "kv");
  CHECK(says(var, "Var \"v\" uses dimension 'kv' whole, and its extent is not bound"));
}

TEST_CASE("a dimension of no tensor has no extent") {
  const Error error = error_of(kernel("unknown", [](X, Y) { for_blocks(N, [](auto) {}); }));
  CHECK(error.kind() == ErrorKind::invalid_program);
  CHECK(says(error, "no tensor of kernel 'unknown' has a dimension 'kv'",
             "dimension-without-extent"));
  CHECK(error.allowed() == "batch, q");
  CHECK(says(error_of(kernel("unknown", [](X, Y) { let("n", extent(N)); })), "'kv'"));
}

TEST_CASE("whole dimensions need an extent, extents need a dimension") {
  const auto source = kernel("whole", [](In<"x", f32, B, D> x, Out<"y", f32, B> y) {
    auto b = each(B);
    store(y(b), reduce_sum(load(x(b, D)), D));
  });
  const Error unbound = error_of(source);
  CHECK(unbound.kind() == ErrorKind::shape_mismatch);
  CHECK(unbound.argument() == "d");
  CHECK(says(unbound, "'x' uses dimension 'd' whole", "extent-not-bound"));
  const Error other = error_of(source, {{"d", 8}, {"dd", 8}});
  CHECK(other.kind() == ErrorKind::invalid_argument);
  CHECK(other.argument() == "dd");
  CHECK(std::string(other.id()) == "dimension-not-in-kernel");
  CHECK(other.allowed() == "batch, d");
  for (const std::int64_t extent : {std::int64_t{0}, std::int64_t{-3}, std::int64_t{1} << 31}) {
    const Error size = error_of(source, {{"d", extent}});
    CHECK(size.kind() == ErrorKind::invalid_argument);
    CHECK(size.value() == std::to_string(extent));
    CHECK(std::string(size.id()) == "extent-out-of-range");
  }
  CHECK(build(source, {{"d", 8}}).axes.size() == 1);
}

TEST_CASE("arguments and names") {
  CHECK(says(error_of(kernel("twice", [](In<"x", f32, M>, Out<"x", f32, M>) {})),
             "declares the argument 'x' twice", "argument-declared-twice"));
  CHECK(says(error_of(kernel("two words", [](X, Y) {})), "must be an identifier",
             "not-an-identifier"));
  CHECK(says(error_of(kernel("tensor", [](In<"1x", f32, M>) {})), "got \"1x\""));
  CHECK(says(error_of(kernel("value", [](X x, Y) { let("", load(x(0, 0))); })), "got \"\""));
}

TEST_CASE("two tilings of one dimension do not meet") {
  CHECK(says(error_of(kernel("tilings",
                             [](X x, Y) {
                               auto m = blocks(M);
                               auto row = let("row", load(x(0, m)));
                               for_blocks(M,
                                          [&](auto other) { let("s", row + load(x(0, other))); });
                             })),
             "two tilings of dimension 'q' meet", "tilings-meet"));
  CHECK(says(error_of(kernel("store",
                             [](X x, Y y) {
                               auto m = blocks(M);
                               auto row = let("row", load(x(0, m)));
                               for_blocks(M, [&](auto other) { store(y(0, other), row); });
                             })),
             "two tilings of dimension 'q' meet"));
  CHECK(says(error_of(kernel("var",
                             [](X x, Y) {
                               blocks(M);
                               Var<f32, M> v{"v", 0};
                               for_blocks(M, [&](auto other) { v = load(x(0, other)); });
                             })),
             "holds another tiling of dimension 'q'", "var-of-another-tiling"));
}

TEST_CASE("masks have no effect") {
  CHECK(says(error_of(kernel("store",
                             [](X, K, Y y) {
                               auto mask = [&](auto) {
                                 store(y(0, 0), 1.f);
                                 return index(N) > 3;
                               };
                               for_blocks(N, mask, [](auto) {});
                             })),
             "a store inside a mask", "effect-inside-mask"));
  CHECK(says(error_of(kernel("var",
                             [](X, K, Y) {
                               Var<f32> v{"v", 0};
                               auto mask = [&](auto) {
                                 v = 1;
                                 return index(N) > 3;
                               };
                               for_blocks(N, mask, [](auto) {});
                             })),
             "an assignment to a Var inside a mask", "effect-inside-mask"));
}

TEST_CASE("statements stand in a kernel, and values stay in theirs") {
  const auto outside = [](const auto& statement) {
    try {
      statement();
    } catch (const Error& error) {
      CHECK(std::string(error.id()) == "statement-outside-kernel");
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const int line = __LINE__ + 1;
  const std::string let_outside = outside([] { let("x", extent(M)); });
  CHECK(let_outside.find("let stands outside a kernel") != std::string::npos);
  CHECK(let_outside.starts_with(here(line)));
  CHECK(outside([] { Var<f32>("v", 0); }).find("outside a kernel") != std::string::npos);
  CHECK(outside([] { for_range(3, [](auto) {}); }).find("for_range stands outside") !=
        std::string::npos);
  CHECK(outside([] { OnlineSoftmax<M, E> s; }).find("OnlineSoftmax stands outside") !=
        std::string::npos);

  std::optional<Value<Tile<i32>>> kept;
  build(kernel("first", [&](X, Y) { kept = let("n", extent(M)); }));
  CHECK(says(error_of(kernel("second", [&](X, Y) { let("m", *kept + 1); })),
             "a value made in one kernel is used in another", "value-of-another-kernel"));
  CHECK(says(error_of(kernel("number", [](X, Y) { let("m", extent(M) + (1LL << 40)); })),
             "must fit in 32 bits", "integer-too-wide"));
}

TEST_CASE("an error leaves nothing behind: the next trace starts anew") {
  for (int i = 0; i < 2; ++i) {
    error_of(kernel("broken", [](X, K, Y) {
      for_blocks(N, [](auto) {
        OnlineSoftmax<M, E> s;  // has no tiles of q here
      });
    }));
    CHECK(says(error_of(kernel("position",
                               [](X, K, Y) {
                                 blocks(M);
                                 let("p", position(M));
                               })),
               "stands outside for_blocks"));
  }
}
