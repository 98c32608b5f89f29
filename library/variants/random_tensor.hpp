// Tensors of normal numbers, as `run` draws them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "variants/shape.hpp"

namespace tilewright::library {

/// Contiguous in shape.layout, rounded to shape.dtype, by logical index [batch, head, row,
/// element]: the values do not depend on the layout. `stream` tells one tensor from another.
std::vector<std::byte> random_tensor(const AttentionShape& shape, std::uint64_t seed,
                                     std::uint32_t stream, std::int64_t heads, std::int64_t length,
                                     std::int64_t dim);

}  // namespace tilewright::library
