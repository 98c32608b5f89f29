#include "pipeline.hpp"

#include "emit/describe.hpp"
#include "emit/emitter.hpp"
#include "ir/verify.hpp"
#include "passes/analyze_masks.hpp"

namespace tilewright {

Lowered lower(const ir::Kernel& traced, const passes::Target& target, const ir::Schedule& wish,
              bool aligned, const Snapshot& snapshot) {
  Lowered result{.scheduled = traced.clone(), .schedule = {}, .text = {}};
  ir::Kernel& kernel = result.scheduled;
  kernel.aligned = aligned;
  const auto done = [&](const char* pass) {
    ir::verify(kernel, pass);
    if (snapshot) snapshot(pass, kernel);
  };

  passes::simplify(kernel), done("simplify");
  passes::vector_products(kernel), done("vector_products");
  passes::hoist_invariants(kernel), done("hoist_invariants");
  passes::normalize_masks(kernel), done("normalize_masks");
  passes::share_reciprocals(kernel), done("share_reciprocals");
  passes::fuse_accumulate(kernel), done("fuse_accumulate");
  result.schedule = passes::choose_schedule(kernel, target, wish), done("choose_schedule");
  passes::analyze_masks(kernel), done("analyze_masks");
  passes::apply_masks(kernel), done("apply_masks");
  passes::fold_scale(kernel), done("fold_scale");
  passes::defer_reductions(kernel), done("defer_reductions");
  passes::stage_copies(kernel, result.schedule), done("stage_copies");
  passes::stage_takes(kernel), done("stage_takes");
  passes::reduce_across_warps(kernel), done("reduce_across_warps");
  passes::place_values(kernel, target), done("place_values");
  passes::order_memory(kernel), done("order_memory");
  passes::sink_conditions(kernel), done("sink_conditions");

  result.text = emit::emit_kernel(kernel, emit::describe(traced, kernel));
  return result;
}

}  // namespace tilewright
