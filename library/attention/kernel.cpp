// See kernel.hpp; the kernel itself is loops/flash_forward.hpp.
#include "attention/kernel.hpp"

#include "attention/recorded.hpp"
#include "loops/flash_forward.hpp"
#include "passes/analyze_masks.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const ComposedScores& scores) {
  auto made = flash_forward_of<T>(scores);
  return std::make_unique<decltype(made)>(std::move(made));
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

}  // namespace

ScoreTree AttentionParts::sink() const {
  if (!has_sinks) return nullptr;
  return table_node(sinks_table, f32, {TableExtent::heads}, {leaf_node(ScoreNode::Leaf::head)});
}

std::unique_ptr<KernelSource> attention_kernel(const AttentionParts& parts, DType dtype) {
  const ComposedScores scores{parts.mask.tree(), parts.score_mod.tree(), parts.sink()};
  if (dtype == bf16) return kernel_of<bf16>(scores);
  if (dtype == f16) return kernel_of<f16>(scores);
  if (dtype == f32) return kernel_of<f32>(scores);
  return nullptr;
}

Extents kernel_extents(const AttentionExtents& extents, std::int64_t head_dim,
                       std::int64_t value_dim) {
  return {{B, extents.batch},    {HQ, extents.heads},    {HK, extents.kv_heads},
          {M, extents.seqlen_q}, {N, extents.seqlen_kv}, {D, head_dim},
          {E, value_dim}};
}

std::optional<BlockCounts> count_blocks(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers) {
  std::map<std::string, std::int64_t> symbols;
  for (const auto& [dim, extent] : extents) symbols["extent(" + dim + ")"] = extent;
  for (const ScoreTree& argument : arguments_of(std::array{mask.tree()})) {
    const auto given = numbers.find(argument->name);
    symbols["scalar(" + argument->name + ")"] =
        static_cast<std::int64_t>(given == numbers.end() ? argument->constant : given->second);
  }
  const ir::Kernel& kernel = program.aligned.scheduled;
  bool known = true;
  const auto counts =
      passes::count_blocks(kernel, *find_loop(kernel), [&](const std::string& symbol) {
        const auto found = symbols.find(symbol);
        known = known && found != symbols.end();
        return found == symbols.end() ? std::int64_t{0} : found->second;
      });
  if (!known) return std::nullopt;
  return BlockCounts{counts.skipped, counts.full, counts.cut};
}

}  // namespace tilewright::library
