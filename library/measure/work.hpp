// How much work an attention is, as the field counts it: what a time is divided by.
#pragma once

#include <tilewright/library/attention.hpp>

namespace tilewright::library {

struct Work {
  double flops = 0;
  double bytes = 0;
};

/// Floating-point operations of two products of Sq x Skv scores, 2 Sq Skv (head_dim + value_dim)
/// for each sequence and query head, times the share of them that is computed: 0.5 for a causal
/// mask, by FlashAttention's convention. Bytes: q, k, v and out once, lse in f32.
Work attention_work(const AttentionExtents& extents, std::int64_t head_dim, std::int64_t value_dim,
                    DType dtype, double share);

}  // namespace tilewright::library
