// See work.hpp.
#include "measure/work.hpp"

namespace tilewright::library {

Work attention_work(const AttentionExtents& extents, std::int64_t head_dim, std::int64_t value_dim,
                    DType dtype, double share) {
  const auto real = [](std::int64_t number) { return static_cast<double>(number); };
  const double rows = real(extents.batch) * real(extents.heads) * real(extents.seqlen_q);
  const double keys = real(extents.batch) * real(extents.kv_heads) * real(extents.seqlen_kv);
  const double width = real(head_dim) + real(value_dim);
  return {.flops = 2 * rows * real(extents.seqlen_kv) * width * share,
          .bytes = (rows + keys) * width * size_of(dtype) + 4 * rows};
}

}  // namespace tilewright::library
