// See kernel.hpp; the kernel itself is loops/flash_forward.hpp.
#include "attention/kernel.hpp"

#include "attention/errors.hpp"
#include "attention/recorded.hpp"
#include "loops/flash_block_list.hpp"
#include "loops/flash_forward.hpp"
#include "loops/flash_gathered.hpp"
#include "loops/flash_regrouped.hpp"
#include "passes/analyze_masks.hpp"
#include "scores/errors.hpp"

namespace tilewright::library {
namespace {

template <typename Kernel>
std::unique_ptr<KernelSource> kept(Kernel kernel) {
  return std::make_unique<Kernel>(std::move(kernel));
}

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const ComposedScores& scores, const AttentionParts& parts) {
  if (parts.block_q != 0)
    return kept(flash_block_list_of<T>(scores, parts.block_q, parts.block_kv));
  if (parts.graph_q != 0) return kept(flash_gathered_of<T>(scores, parts.graph_q, parts.graph_kv));
  if (parts.is_regrouped) return kept(flash_regrouped_of<T>(scores));
  if (parts.row_range.empty()) return kept(flash_forward_of<T>(scores));
  return kept(flash_forward_of<T>(scores, ("flash_" + parts.row_range).c_str()));
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

/// What a mask's bounds may ask a launch for.
ir::Inputs inputs_of(const Mask& mask, const Extents& extents,
                     const std::map<std::string, double>& numbers,
                     const std::map<std::string, HostTable>& tables) {
  ir::Inputs inputs;
  for (const auto& [dim, extent] : extents) inputs.extents[dim] = extent;
  for (const ScoreTree& argument : arguments_of(std::array{mask.tree()})) {
    if (argument->op != Op::load) {
      const auto given = numbers.find(argument->name);
      inputs.scalars[argument->name] = given == numbers.end() ? argument->constant : given->second;
      continue;
    }
    const auto given = tables.find(argument->name);
    if (given == tables.end()) continue;
    ir::HostTensor tensor = ir::HostTensor::zeros(argument->dtype, given->second.extents);
    for (std::size_t i = 0; i < given->second.numbers.size(); ++i)
      tensor.set(static_cast<std::int64_t>(i), given->second.numbers[i]);
    inputs.tensors.emplace(argument->name, std::move(tensor));
  }
  return inputs;
}

}  // namespace

ScoreTree AttentionParts::sink() const {
  if (!has_sinks) return nullptr;
  return table_node(sinks_table, f32, {TableExtent::heads}, {leaf_node(ScoreNode::Leaf::head)});
}

std::vector<ScoreTree> AttentionParts::trees() const {
  std::vector<ScoreTree> all{mask.tree(), score_mod.tree(), sink()};
  if (!rope) return all;
  const ScoreTree zero = constant_node(0, i32);
  const auto table = [&](const char* name, DType dtype, std::vector<TableExtent> extents) {
    all.push_back(table_node(name, dtype, std::move(extents), {zero, zero}));
  };
  table("rope_cos", f32, {TableExtent::any, TableExtent::any});
  table("rope_sin", f32, {TableExtent::any, TableExtent::any});
  if (!rope->positions_given) return all;
  table("positions_q", i32, {TableExtent::batch, TableExtent::seqlen_q});
  table("positions_k", i32, {TableExtent::batch, TableExtent::seqlen_kv});
  return all;
}

RopePart rope_part(const Rope& rope, std::int64_t head_dim) {
  const std::int64_t dim = rope.dim == 0 ? head_dim : rope.dim;
  if (dim < 2 || dim > head_dim || dim % 2 != 0)
    throw Error(errors::attention["rope-dim-unusable"],
                "rotary positions turn pairs of the elements of a head",
                {"rope.dim", std::to_string(dim),
                 "an even number from 2 to the head_dim of " + std::to_string(head_dim), ""});
  return {rope.pairing, dim, head_dim, rope.positions_given};
}

std::unique_ptr<KernelSource> attention_kernel(const AttentionParts& parts, DType dtype) {
  const ComposedScores scores{parts.mask.tree(), parts.score_mod.tree(), parts.sink(),
                              parts.is_regrouped || !parts.row_range.empty()};
  if (parts.rope) return rope_kernel(scores, *parts.rope, dtype);
  if (dtype == bf16) return kernel_of<bf16>(scores, parts);
  if (dtype == f16) return kernel_of<f16>(scores, parts);
  if (dtype == f32) return kernel_of<f32>(scores, parts);
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
                                        const std::map<std::string, double>& numbers,
                                        const std::map<std::string, HostTable>& tables) {
  const ir::Kernel& kernel = program.aligned.scheduled;
  const ir::Operation& loop = *find_loop(kernel);
  if (loop.follows_list()) return std::nullopt;
  ir::Inputs inputs = inputs_of(mask, extents, numbers, tables);
  for (const std::string& name : passes::arguments_of_domain(kernel, loop))
    if (!inputs.tensors.contains(name) && !inputs.scalars.contains(name)) return std::nullopt;
  const auto counts = passes::count_blocks(kernel, loop, inputs);
  return BlockCounts{counts.skipped, counts.full, counts.cut};
}

std::vector<ir::TileClass> tile_classes(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers,
                                        const std::map<std::string, HostTable>& tables,
                                        const std::map<std::string, std::int64_t>& at) {
  const ir::Kernel& kernel = program.aligned.scheduled;
  const ir::Operation& loop = *find_loop(kernel);
  ir::Inputs inputs = inputs_of(mask, extents, numbers, tables);
  for (const std::string& name : passes::arguments_of_domain(kernel, loop))
    if (!inputs.tensors.contains(name) && !inputs.scalars.contains(name))
      throw Error(errors::scores["table-not-there"], "table '" + name + "' is missing",
                  {name, "", "its numbers", ""});
  return passes::tile_classes(kernel, loop, inputs, at);
}

}  // namespace tilewright::library
