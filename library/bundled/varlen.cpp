#include "variants/recipe.hpp"

namespace tilewright::library::bundled {
namespace {

/// Cumulative lengths; `keys` not given: those of the rows.
std::vector<std::int32_t> bounds(const Problem& at, const char* option) {
  std::vector<int> lengths = at.integers(option, 0);
  if (lengths.empty()) lengths = at.integers("--seqlens", 0);
  std::vector<std::int32_t> sums{0};
  for (const int length : lengths) {
    at.require_table(option, {std::int64_t{sums.back()} + length});
    sums.push_back(sums.back() + length);
  }
  return sums;
}

}  // namespace

VariantEntry varlen() {
  return variant({
      .origin = "packed sequences (flash_attn_varlen_func), document masks",
      .summary = "sequences one after the other: a row sees its own alone, and stands in it",
      .mask = "document_start[q] <= k < document_end[q]",
      .options = {{"--seqlens", "100,0,1,155,256", "rows of each sequence", false, "A,B,…"},
                  {"--seqlens-kv", "", "keys of each; not given: as many", false, "A,B,…"}},
      .cases = {"--causal", "--seqlens 64,64,128", "--seqlens 1,0,0,62 --seqlens-kv 0,7,200,64",
                "--seqlens 100,50,7 --seqlens-kv 3,260,7 --causal --heads 4 --kv-heads 2"},
      .shape =
          [](const Problem& at, AttentionShape& shape) {
            shape.seqlen_q = bounds(at, "--seqlens").back();
            shape.seqlen_kv = bounds(at, "--seqlens-kv").back();
          },
      .compose =
          [](const Problem& at) {
            return Composition{.cu_seqlens_q = bounds(at, "--seqlens"),
                               .cu_seqlens_k = bounds(at, "--seqlens-kv")};
          },
  });
}

}  // namespace tilewright::library::bundled
