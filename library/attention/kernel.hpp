// The kernel behind an Attention, and what follows from it: the one place where the builder and the
// variant `flash` of the command meet the language.
#pragma once

#include <memory>
#include <optional>
#include <tilewright/compile.hpp>
#include <tilewright/library/attention.hpp>

#include "variants/variant.hpp"

namespace tilewright::library {

/// Null for an element type without a kernel: each caller refuses it in its own words.
std::unique_ptr<KernelSource> attention_kernel(const Mask& mask, const ScoreMod& score_mod,
                                               DType dtype);
inline constexpr const char* attention_dtypes = "bf16, f16, f32";

/// Extents by the names of the kernel's dimensions.
Extents kernel_extents(const AttentionExtents& extents, std::int64_t head_dim,
                       std::int64_t value_dim);
inline AttentionExtents extents_of(const AttentionShape& s) {
  return {s.batch, s.heads, s.kv_heads, s.seqlen_q, s.seqlen_kv};
}
inline Extents kernel_extents(const AttentionShape& shape) {
  return kernel_extents(extents_of(shape), shape.head_dim, shape.value_dim);
}

/// Tiles of `program`'s loop over the keys by class, summed over sequences and query heads; for a
/// mask with numbers of its own, those given and else their defaults. Nothing where the bounds are
/// read from a table of the launch.
std::optional<BlockCounts> count_blocks(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers = {});

/// The same tiles one by one for sequence `batch` and query head `head`, row-major [tiles of rows,
/// tiles of keys]. Empty where the bounds are read from a table of the launch.
std::vector<ir::TileClass> tile_classes(const Program& program, const Mask& mask,
                                        const Extents& extents,
                                        const std::map<std::string, double>& numbers,
                                        std::int64_t batch, std::int64_t head);

}  // namespace tilewright::library
