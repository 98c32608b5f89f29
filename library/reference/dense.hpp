// The product's own reference, behind `--check`: dense attention over all pairs, on the CPU.
//
// The same plain formula runs twice: in double precision for the truth, and in the input's own type
// (f32 sums, P rounded before P V, the output rounded) for how much error that type must cost.
// compare.hpp turns the two into a tolerance. No tile, block list or schedule appears here.
// tests/library/reference.cpp holds it against an oracle that shares no code with it.
#pragma once

#include <vector>

#include "variants/variant.hpp"

namespace tilewright::library {

enum class Precision {
  exact,           ///< double throughout
  same_type,       ///< as a plain kernel of shape.dtype would round, the factors of its products to
                   ///< TF32 too where shape.dot_precision asks for it
  rounded_scores,  ///< so too, and the scaled scores are rounded to shape.dtype
};

/// Row-major [batch, heads, seqlen_q, value_dim] and [batch, heads, seqlen_q], whatever the layout
/// of the inputs. A row that sees no key has 0 and -infinity.
struct DenseResult {
  std::vector<double> out;
  std::vector<double> lse;
};

/// O = softmax(scale * Q K^T, masked) V, O(Sq * Skv * (D + Dv)) per head, on all cores.
/// with the formula's scores and sinks. `inputs` are in shape.layout and shape.dtype.
DenseResult dense_attention(const AttentionShape& shape, const Inputs& inputs,
                            const Formula& formula, Precision precision);

}  // namespace tilewright::library
