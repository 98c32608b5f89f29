// Two attentions over different keys become one: the merge of partial results by their logsumexp.
//
//   auto merge = compile_merge(Device::open(), {.dtype = bf16, .value_dim = 128});
//   merge.launch(stream, {.out_a = a, .lse_a = la, .out_b = b, .lse_b = lb, .out = out, .lse =
//   lse});
//
// out = (e^lse_a out_a + e^lse_b out_b) / (e^lse_a + e^lse_b), lse = log(e^lse_a + e^lse_b), row by
// row: what one attention over all the keys gives. A row that saw no key on one side (0, -inf)
// takes the other's; on both, it gives 0 and -inf. Uses: keys split over launches or devices (ring
// attention), a shared prefix (examples/tasks/lse_and_merge.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tilewright/arguments.hpp>

namespace tilewright {

/// What a merge is compiled for.
struct MergeRequest {
  DType dtype = DType::bf16;   ///< of out_a, out_b and out: bf16, f16 or f32; computed in f32
  std::int64_t value_dim = 0;  ///< elements of a row, 1 to 256; must be given
};

/// What one launch works on; any strides. The results may not overlap what is read.
struct MergeTensors {
  TensorView out_a = {}, lse_a = {};  ///< [batch, heads, seqlen_q, value_dim]; f32 without the last
  TensorView out_b = {}, lse_b = {};  ///< the same
  TensorView out = {};
  TensorView lse = {};  ///< not given: not written
};

/// A compiled and loaded merge: a value whose copies share what was loaded.
class MergePlan {
 public:
  /// Puts the work into `stream`, as AttentionPlan::launch does. Throws Error naming the tensor:
  /// invalid_argument, shape_mismatch, unsupported.
  void launch(const Stream& stream, MergeTensors tensors) const;

  const Device& device() const;
  std::string cuda_source() const;

 private:
  friend MergePlan compile_merge(const Device& device, const MergeRequest& request);
  struct State;
  explicit MergePlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Compiles (or finds in the cache) and loads. Throws Error naming "dtype" or "value_dim"; missing
/// without NVRTC.
MergePlan compile_merge(const Device& device, const MergeRequest& request);

}  // namespace tilewright
