// See tilewright/library/merge.hpp; the kernel is loops/merge.hpp.
#include <tilewright/library/merge.hpp>

#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "attention/errors.hpp"
#include "attention/tensor_checks.hpp"
#include "loops/merge.hpp"
#include "variants/shape.hpp"

namespace tilewright {
namespace {

Plan compiled(const Device& device, const MergeRequest& request) {
  const CompileRequest made{.extents = {{library::E, request.value_dim}}, .schedule = {}};
  if (request.dtype == bf16) return compile(device, library::merge_partials<bf16>(), made);
  if (request.dtype == f16) return compile(device, library::merge_partials<f16>(), made);
  if (request.dtype == f32) return compile(device, library::merge_partials<f32>(), made);
  throw Error(errors::attention["request-type-unsupported"],
              "there is no merge for this element type",
              {"dtype", std::string(name(request.dtype)), "bf16, f16, f32", ""});
}

/// Lanes of a warp read the logsumexp that one of them would write.
void refuse_in_place(const char* name, const TensorView& result, const char* input,
                     const TensorView& read) {
  if (result.data == 0 || result.data != read.data) return;
  throw Error(errors::attention["merge-in-place"],
              "tensor '" + std::string(name) + "' begins where '" + input + "' does",
              {name, "the memory of '" + std::string(input) + "'", "memory of its own", ""});
}

}  // namespace

struct MergePlan::State {
  Plan plan;
  MergeRequest request;
};

MergePlan compile_merge(const Device& device, const MergeRequest& request) {
  if (request.value_dim < 1 || request.value_dim > library::max_head_dim)
    throw Error(errors::attention["request-out-of-range"], "value_dim is out of range",
                {"value_dim", std::to_string(request.value_dim),
                 "1 to " + std::to_string(library::max_head_dim), ""});
  return MergePlan(std::make_shared<const MergePlan::State>(
      MergePlan::State{compiled(device, request), request}));
}

const Device& MergePlan::device() const { return state_->plan.device(); }
std::string MergePlan::cuda_source() const { return state_->plan.cuda_source(); }

void MergePlan::launch(const Stream& stream, MergeTensors tensors) const {
  using library::Extent;
  Extent batch{"batch"}, heads{"heads"}, rows{"seqlen_q"};
  Extent value_dim{"value_dim", state_->request.value_dim, library::the_request};
  const auto require = [&](const char* name, const TensorView& view, bool is_lse) {
    library::check_tensor({name, view, {&batch, &heads, &rows, is_lse ? nullptr : &value_dim}});
  };
  require("out_a", tensors.out_a, false);
  require("lse_a", tensors.lse_a, true);
  require("out_b", tensors.out_b, false);
  require("lse_b", tensors.lse_b, true);
  require("out", tensors.out, false);
  const bool wants_lse = library::is_given(tensors.lse);
  if (wants_lse) require("lse", tensors.lse, true);
  refuse_in_place("out", tensors.out, "out_a", tensors.out_a);
  refuse_in_place("out", tensors.out, "out_b", tensors.out_b);
  refuse_in_place("lse", tensors.lse, "lse_a", tensors.lse_a);
  refuse_in_place("lse", tensors.lse, "lse_b", tensors.lse_b);
  std::vector<Binding> arguments;
  arguments.reserve(6);
  arguments.emplace_back("out_a", std::move(tensors.out_a));
  arguments.emplace_back("lse_a", std::move(tensors.lse_a));
  arguments.emplace_back("out_b", std::move(tensors.out_b));
  arguments.emplace_back("lse_b", std::move(tensors.lse_b));
  arguments.emplace_back("out", std::move(tensors.out));
  if (wants_lse) arguments.emplace_back("lse", std::move(tensors.lse));
  state_->plan.launch(stream, arguments);
}

}  // namespace tilewright
