// A kernel of one's own and a bundled attention in one file: `causal(M, N)` of the language and
// `causal()` of the library stand beside each other, with every name of both visible.
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>

#include "calls.hpp"

using namespace calls;

namespace {

constexpr Dim<"q"> M;
constexpr Dim<"kv"> N;

auto visible_keys = kernel("visible_keys", [](In<"x", f32, N> X, Out<"count", f32, M> Count) {
  auto m = blocks(M);
  Var<f32, M> count{"count", 0.f};
  for_blocks(N, causal(M, N, top_left), [&](auto n) {
    count = count + reduce_sum(where(index(M) >= index(N), load(X(n)), 0.f), N);
  });
  store(Count(m), count);
});

}  // namespace

TEST_CASE("both causal() are found in one file, and both run") {
  const long rows = 21, keys = 30, d = 16;
  const Memory ones(f32, std::vector<double>(keys, 1)), count(f32, rows);
  const Plan plan = compile(emulator(), visible_keys);
  plan.launch(Stream::default_stream(emulator()),
              {{"x", ones.view({keys})}, {"count", count.view({rows})}});
  const auto counted = count.numbers();
  for (long i = 0; i < rows; ++i) CHECK(counted[static_cast<std::size_t>(i)] == i + 1);

  auto p = problem(bf16, {.seqlen_q = rows, .seqlen_kv = keys, .head_dim = d, .value_dim = d});
  p.visible = [](long, long, long q, long k) { return k <= q; };
  const Tensors tensors(p, bf16);
  Attention{}
      .mask(causal(top_left))
      .compile(emulator(), {.head_dim = d})
      .launch(Stream::default_stream(emulator()), tensors.views);
  check_results(p, bf16, tensors.out.numbers(), tensors.lse.numbers());
}
