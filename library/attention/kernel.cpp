// See kernel.hpp; the kernel itself is loops/flash_forward.hpp.
#include "attention/kernel.hpp"

#include "attention/mask_form.hpp"
#include "loops/flash_forward.hpp"
#include "passes/analyze_masks.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const MaskForm& mask) {
  const auto keep = [](auto made) { return std::make_unique<decltype(made)>(std::move(made)); };
  if (!mask.causal) return keep(flash_forward<T>(everything));
  if (mask.alignment == top_left) return keep(flash_forward<T>(causal_top_left));
  return keep(flash_forward<T>(causal_bottom_right));
}

const ir::Operation* find_loop(const ir::Kernel& kernel) {
  for (const auto& operation : kernel.body.operations)
    if (operation->op == Op::for_blocks) return operation.get();
  return nullptr;
}

}  // namespace

std::unique_ptr<KernelSource> attention_kernel(const Mask& mask, DType dtype) {
  const MaskForm& form = MaskForm::of(mask);
  if (dtype == bf16) return kernel_of<bf16>(form);
  if (dtype == f16) return kernel_of<f16>(form);
  if (dtype == f32) return kernel_of<f32>(form);
  return nullptr;
}

Extents kernel_extents(const AttentionExtents& extents, std::int64_t head_dim,
                       std::int64_t value_dim) {
  return {{B, extents.batch},    {HQ, extents.heads},    {HK, extents.kv_heads},
          {M, extents.seqlen_q}, {N, extents.seqlen_kv}, {D, head_dim},
          {E, value_dim}};
}

BlockCounts count_blocks(const Program& program, const Extents& extents) {
  const ir::Kernel& kernel = program.aligned.scheduled;
  const auto counts =
      passes::count_blocks(kernel, *find_loop(kernel), [&](const std::string& symbol) {
        constexpr std::string_view before = "extent(";
        return extents.at(symbol.substr(before.size(), symbol.size() - before.size() - 1));
      });
  return {counts.skipped, counts.full, counts.cut};
}

}  // namespace tilewright::library
