// Sinusoidal positions, added to what queries and keys are made of (tilewright/library/
// sinusoidal.hpp): the projections of the model are left out, so they are added to q and k.
#pragma once

#include <tilewright/compile.hpp>
#include <tilewright/library/sinusoidal.hpp>
#include <vector>

#include "variants/formula.hpp"
#include "variants/shape.hpp"

namespace tilewright::library {

/// Where row 0 of the queries, or key 0, stands: the last row at the last key, none before 0.
std::int64_t first_query_position(const AttentionShape& shape);
std::int64_t first_key_position(const AttentionShape& shape);

class AddedPositions {
 public:
  /// Compiles the sum. All heads of a token are one row of the model, heads * head_dim wide.
  AddedPositions(const Device& device, const AttentionShape& shape, SinusoidalLayout layout);
  /// q and k among `all` become sums in memory of their own, which must live until the launch ends.
  void add(const Stream& stream, std::vector<Binding>& all);

 private:
  void add(const Stream& stream, TensorView& tensor, std::int64_t first);

  const Device& device_;
  AttentionShape shape_;
  SinusoidalLayout layout_;
  SinusoidalPlan plan_;
  std::vector<Buffer> kept_;
};

}  // namespace tilewright::library
