// See compressed.hpp.
#include "attention/compressed.hpp"

#include "attention/recorded.hpp"
#include "loops/compressed_forward.hpp"
#include "loops/standard_forward.hpp"

namespace tilewright::library {
namespace {

/// Scores, and where they stand.
struct CompressedScores : ComposedScores {
  ScoreTree place_of, count_of;  ///< null: not asked for

  void arguments() const { declare_arguments(std::array{score_mod, place_of, count_of}); }

  template <typename Batch, typename Head>
  auto place(const Batch& b, const Head& h,
             const std::source_location at = std::source_location::current()) const {
    return recorded<Tile<i32, Dim<"q">, Dim<"kv">>>(place_of, b, h, no_value, at);
  }
  template <typename Batch, typename Head>
  auto count(const Batch& b, const Head& h,
             const std::source_location at = std::source_location::current()) const {
    return let("count", recorded<Tile<i32, Dim<"q">>>(count_of, b, h, no_value, at), at);
  }
};

template <typename Kernel>
std::shared_ptr<const KernelSource> kept(Kernel kernel) {
  return std::make_shared<const Kernel>(std::move(kernel));
}

template <DType T>
std::vector<CompressedKernel> kernels_of(const CompressedParts& parts, std::int64_t head_dim,
                                         std::int64_t value_dim) {
  const CompressedScores scores{
      {nullptr, parts.score_mod.tree(), nullptr}, parts.places.place, parts.places.count};
  const CompressedScores weights{{}, parts.places.place, nullptr};
  const std::string place(Place.name);
  return {{kept(sddmm<T, f32>(scores, parts.block_q, parts.block_kv)),
           {{std::string(D.name), head_dim}, {place, parts.width}}},
          {kept(standard_weights<f32, Place>(everything)), {{place, parts.width}}},
          {kept(spmm<T, f32>(weights, parts.block_q, parts.block_kv)),
           {{std::string(E.name), value_dim}, {place, parts.width}}}};
}

}  // namespace

std::vector<CompressedKernel> compressed_kernels(const CompressedParts& parts, DType dtype,
                                                 std::int64_t head_dim, std::int64_t value_dim) {
  if (dtype == bf16) return kernels_of<bf16>(parts, head_dim, value_dim);
  if (dtype == f16) return kernels_of<f16>(parts, head_dim, value_dim);
  if (dtype == f32) return kernels_of<f32>(parts, head_dim, value_dim);
  return {};
}

}  // namespace tilewright::library
