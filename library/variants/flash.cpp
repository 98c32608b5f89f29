// The variant `flash`: exact attention in one pass over the keys, causal or not, any ratio of query
// to kv heads. The one file that joins the table of variants with the compiler: a Request becomes a
// kernel, a schedule and a plan; the plan's launch becomes a RunResult.
// See variant.hpp for what each answer means; the kernel itself is loops/flash_forward.hpp.
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "loops/flash_forward.hpp"
#include "passes/analyze_masks.hpp"
#include "variants/errors.hpp"
#include "variants/run_plan.hpp"
#include "variants/table.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const AttentionShape& shape) {
  const auto keep = [](auto made) { return std::make_unique<decltype(made)>(std::move(made)); };
  if (!shape.causal) return keep(flash_forward<T>(everything));
  if (shape.causal_alignment == CausalAlignment::top_left)
    return keep(flash_forward<T>(causal_top_left));
  return keep(flash_forward<T>(causal_bottom_right));
}

std::unique_ptr<KernelSource> kernel_of(const AttentionShape& shape) {
  if (shape.dtype == DType::bf16) return kernel_of<DType::bf16>(shape);
  if (shape.dtype == DType::f16) return kernel_of<DType::f16>(shape);
  if (shape.dtype == DType::f32) return kernel_of<DType::f32>(shape);
  throw Error(errors::variants["variant-type-unsupported"],
              "flash has no kernel for this element type",
              {"--dtype", std::string(name(shape.dtype)), "bf16, f16, f32", ""});
}

CompileRequest compile_request(const Request& request) {
  return compile_request(request, {{D, request.shape.head_dim}, {E, request.shape.value_dim}});
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

BlockCounts count(const Program& program, const AttentionShape& shape) {
  const ir::Kernel& kernel = program.aligned.scheduled;
  const std::map<std::string, std::int64_t> extents = {
      {"extent(batch)", shape.batch},      {"extent(q_head)", shape.heads},
      {"extent(kv_head)", shape.kv_heads}, {"extent(q)", shape.seqlen_q},
      {"extent(kv)", shape.seqlen_kv},     {"extent(d)", shape.head_dim},
      {"extent(e)", shape.value_dim}};
  const auto counts = passes::count_blocks(
      kernel, *find_loop(kernel), [&](const std::string& symbol) { return extents.at(symbol); });
  return {counts.skipped, counts.full, counts.cut};
}

class Flash : public Variant {
 public:
  void visit_kernels(const Request& request, const KernelVisitor& visit) const override {
    visit(kernel_of(request.shape), compile_request(request));
  }

  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    const Plan plan =
        compile(Device::open(where), *kernel_of(request.shape), compile_request(request));
    RunResult result = run_plan(plan, request.shape, inputs);
    const auto& tile = plan.program().aligned.schedule.tile;
    result.tile_q = tile.at(M);
    result.tile_kv = tile.at(N);
    result.blocks = count(plan.program(), request.shape);
    return result;
  }

  std::string dump(const Request& request, const std::string& arch, Stage stage) const override {
    std::vector<Program> programs;
    programs.push_back(make_program(*kernel_of(request.shape), arch, compile_request(request)));
    return dump_programs(programs, "flash", arch, stage);
  }
};

}  // namespace

std::unique_ptr<Variant> make_flash() { return std::make_unique<Flash>(); }

}  // namespace tilewright::library
