// What is refused before the compiler or the plan sees it, in the words of those who call: the
// fields of AttentionRequest and AttentionTensors.
#include <cmath>
#include <tilewright/error.hpp>
#include <utility>

#include "attention/errors.hpp"
#include "attention/kernel.hpp"
#include "attention/state.hpp"
#include "attention/tensor_checks.hpp"
#include "passes/errors.hpp"

namespace tilewright::library {
namespace {

void require_dim(const char* field, std::int64_t value) {
  if (value >= 1 && value <= max_head_dim) return;
  throw Error(errors::attention["request-out-of-range"], std::string(field) + " is out of range",
              {field, std::to_string(value), "1 to " + std::to_string(max_head_dim), ""});
}

void require_ratio(std::int64_t heads, std::int64_t kv_heads) {
  if (heads == 0 || (kv_heads != 0 && heads % kv_heads == 0)) return;
  throw Error(errors::attention["kv-heads-do-not-divide"],
              "query heads must be a multiple of kv heads",
              {"kv_heads", std::to_string(kv_heads),
               "a divisor of the " + std::to_string(heads) + " query heads", ""});
}

}  // namespace

void check(const AttentionExtents& extents) {
  constexpr std::int64_t most = 2'147'483'647;
  for (const auto& [field, value] : {std::pair{"batch", extents.batch},
                                     {"heads", extents.heads},
                                     {"kv_heads", extents.kv_heads},
                                     {"seqlen_q", extents.seqlen_q},
                                     {"seqlen_kv", extents.seqlen_kv}})
    if (value < 0 || value > most)
      throw Error(errors::attention["extents-out-of-range"],
                  std::string(field) + " is out of range",
                  {field, std::to_string(value), "0 to " + std::to_string(most), ""});
  require_ratio(extents.heads, extents.kv_heads);
}

void check(const AttentionRequest& request) {
  if (request.dtype != bf16 && request.dtype != f16 && request.dtype != f32)
    throw Error(errors::attention["request-type-unsupported"],
                "there is no attention kernel for this element type",
                {"dtype", std::string(name(request.dtype)), attention_dtypes, ""});
  require_dim("head_dim", request.head_dim);
  if (request.value_dim != 0) require_dim("value_dim", request.value_dim);
  if (request.dot_precision == DotPrecision::tf32 && request.dtype != f32)
    throw Error(errors::passes["tf32-without-f32"],
                "dot_precision tf32 is a way to make products of f32, not of " +
                    std::string(name(request.dtype)),
                {"dot_precision", "tf32", "f32, or dtype f32", ""});
}

AttentionExtents check(const AttentionTensors& tensors, const AttentionRequest& request) {
  Extent batch{"batch"}, heads{"heads"}, kv_heads{"kv_heads"};
  Extent seqlen_q{"seqlen_q"}, seqlen_kv{"seqlen_kv"};
  Extent head_dim{"head_dim", request.head_dim, the_request};
  Extent value_dim{"value_dim", request.value_dim, the_request};
  check_tensor({"q", tensors.q, {&batch, &heads, &seqlen_q, &head_dim}});
  check_tensor({"k", tensors.k, {&batch, &kv_heads, &seqlen_kv, &head_dim}});
  check_tensor({"v", tensors.v, {&batch, &kv_heads, &seqlen_kv, &value_dim}});
  check_tensor({"out", tensors.out, {&batch, &heads, &seqlen_q, &value_dim}});
  if (is_given(tensors.lse))
    check_tensor({"lse", tensors.lse, {&batch, &heads, &seqlen_q, nullptr}});
  require_ratio(heads.value, kv_heads.value);
  if (tensors.softmax_scale && !std::isfinite(*tensors.softmax_scale))
    throw Error(errors::attention["softmax-scale-not-finite"],
                "softmax_scale is not a finite number",
                {"softmax_scale", std::to_string(*tensors.softmax_scale), "a finite number", ""});
  return {batch.value, heads.value, kv_heads.value, seqlen_q.value, seqlen_kv.value};
}

}  // namespace tilewright::library
