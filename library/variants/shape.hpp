// What one attention problem is, in plain data: extents, element type, memory layout, mask
// alignment.
//
// Everything in the library that talks about a problem (variants, reference, command) talks about
// this struct. Extents may be 0 (batch, heads, lengths): the result is then empty or neutral.
// Checked by command/validate.hpp before anything is compiled.
#pragma once

#include <cstdint>
#include <string_view>
#include <tilewright/dsl/causal_alignment.hpp>
#include <tilewright/dsl/dtype.hpp>
#include <tilewright/library/attention.hpp>

namespace tilewright::library {

/// Order of the dimensions in memory, outermost first; tensors are contiguous in it.
enum class Layout { bhsd, bshd };

/// The largest head or value dimension there are kernels for.
inline constexpr std::int64_t max_head_dim = 256;

struct AttentionShape {
  std::int64_t batch = 1;
  std::int64_t heads = 8;     ///< query heads; a multiple of kv_heads
  std::int64_t kv_heads = 8;  ///< query head h reads kv head h / (heads / kv_heads)
  std::int64_t seqlen_q = 512;
  std::int64_t seqlen_kv = 512;
  std::int64_t head_dim = 64;   ///< of q and k
  std::int64_t value_dim = 64;  ///< of v and out
  DType dtype = DType::bf16;    ///< of q, k, v and out; the softmax is in f32 for each
  Layout layout = Layout::bhsd;
  bool causal = false;
  CausalAlignment causal_alignment = CausalAlignment::bottom_right;
  DotPrecision dot_precision = DotPrecision::f32;
  double softmax_scale = 0.125;  ///< of q . k, before the natural exponential

  std::int64_t q_elements() const { return batch * heads * seqlen_q * head_dim; }
  std::int64_t k_elements() const { return batch * kv_heads * seqlen_kv * head_dim; }
  std::int64_t v_elements() const { return batch * kv_heads * seqlen_kv * value_dim; }
  std::int64_t out_elements() const { return batch * heads * seqlen_q * value_dim; }
  std::int64_t lse_elements() const { return batch * heads * seqlen_q; }

  /// Position of query row q among the keys is q + this: causal visibility is key <= position.
  std::int64_t position_offset() const {
    return causal_alignment == CausalAlignment::bottom_right ? seqlen_kv - seqlen_q : 0;
  }
};

/// Offset of element (b, h, s, 0) in a contiguous tensor of `heads` heads and `length` rows.
inline std::int64_t row_offset(Layout layout, std::int64_t heads, std::int64_t length,
                               std::int64_t dim, std::int64_t b, std::int64_t h, std::int64_t s) {
  return layout == Layout::bhsd ? ((b * heads + h) * length + s) * dim
                                : ((b * length + s) * heads + h) * dim;
}

constexpr std::string_view name(Layout layout) { return layout == Layout::bhsd ? "bhsd" : "bshd"; }

}  // namespace tilewright::library
