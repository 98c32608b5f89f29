// A regrouped attention is several launches, and a CUDA graph captures all of them. Linked with the
// emulator, whose stream it captures by hand.
#include "captured_graph.hpp"

using namespace calls;

TEST_CASE("the launches of a regrouped attention, captured and replayed") {
  auto p = problem(f16, {.batch = 2,
                         .heads = 4,
                         .kv_heads = 2,
                         .seqlen_q = 75,
                         .seqlen_kv = 110,
                         .head_dim = 64,
                         .value_dim = 72});
  p.visible = [](long, long, long q, long k) { return k <= q + 35 && (q + 35 - k) % 9 == 0; };
  const Mask strided(
      [](Index q, Index k) { return k <= position(q) && (position(q) - k) % 9 == 0; });
  const auto plan = Attention{}.mask(strided).regrouped().compile(
      emulator(), {.dtype = f16, .head_dim = 64, .value_dim = 72});
  const Tensors tensors(p, f16);
  const Stream stream(emulator());
  const std::size_t nodes = run_captured(stream, [&] { plan.launch(stream, tensors.views); });
  CHECK(nodes > 1);
  CHECK(nodes <= 4);
  check_results(p, f16, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}
