// The variant `flash`: exact attention in one pass over the keys, causal or not, any ratio of query
// to kv heads. The one file that joins the table of variants with the compiler: a Request becomes a
// kernel, a schedule and a plan; the plan's launch becomes a RunResult.
// See variant.hpp for what each answer means; kernel and counts are those of the builder
// (attention/kernel.hpp), the loop is loops/flash_forward.hpp.
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "attention/kernel.hpp"
#include "variants/errors.hpp"
#include "variants/run_plan.hpp"
#include "variants/table.hpp"

namespace tilewright::library {
namespace {

Mask mask_of(const AttentionShape& shape) {
  return shape.causal ? causal(shape.causal_alignment) : Mask();
}

std::unique_ptr<KernelSource> kernel_of(const AttentionShape& shape) {
  if (auto kernel = attention_kernel(mask_of(shape), {}, shape.dtype)) return kernel;
  throw Error(errors::variants["variant-type-unsupported"],
              "flash has no kernel for this element type",
              {"--dtype", std::string(name(shape.dtype)), attention_dtypes, ""});
}

CompileRequest compile_request(const Request& request) {
  return compile_request(request, {{"d", request.shape.head_dim}, {"e", request.shape.value_dim}});
}

class Flash : public Variant {
 public:
  void visit_kernels(const Request& request, const KernelVisitor& visit) const override {
    visit(kernel_of(request.shape), compile_request(request));
  }

  RunResult run(const Request& request, const std::string& where,
                const Inputs& inputs) const override {
    const AttentionShape& shape = request.shape;
    const Plan plan = compile(Device::open(where), *kernel_of(shape), compile_request(request));
    RunResult result = run_plan(plan, request, inputs);
    const auto& tile = plan.program().aligned.schedule.tile;
    result.tile_q = tile.at("q");
    result.tile_kv = tile.at("kv");
    result.blocks = count_blocks(plan.program(), mask_of(shape), kernel_extents(shape)).value();
    return result;
  }

  std::optional<Tiling> tiling(const Request& request, const std::string& arch) const override {
    const auto program = std::make_shared<const Program>(
        make_program(*kernel_of(request.shape), arch, compile_request(request)));
    const auto& tile = program->aligned.schedule.tile;
    const auto classes = [program, shape = request.shape](std::int64_t b, std::int64_t h) {
      return tile_classes(*program, mask_of(shape), kernel_extents(shape), {}, b, h);
    };
    return Tiling{tile.at("q"), tile.at("kv"), classes};
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
