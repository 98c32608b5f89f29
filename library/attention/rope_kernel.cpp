// The kernels of an attention over rotary positions; see kernel.hpp and loops/flash_rope.hpp.
#include "attention/kernel.hpp"
#include "attention/recorded.hpp"
#include "loops/flash_rope.hpp"

namespace tilewright::library {
namespace {

template <DType T>
std::unique_ptr<KernelSource> kernel_of(const ComposedScores& scores, const RopePart& rope) {
  const Turning turning{rope.pairing == RopePairing::interleaved, static_cast<int>(rope.dim),
                        static_cast<int>(rope.head_dim)};
  const auto kept = [](auto made) -> std::unique_ptr<KernelSource> {
    return std::make_unique<decltype(made)>(std::move(made));
  };
  return rope.positions_given ? kept(flash_rope_at<T>(scores, turning))
                              : kept(flash_rope_of<T>(scores, turning));
}

}  // namespace

std::unique_ptr<KernelSource> rope_kernel(const ComposedScores& scores, const RopePart& rope,
                                          DType dtype) {
  if (dtype == bf16) return kernel_of<bf16>(scores, rope);
  if (dtype == f16) return kernel_of<f16>(scores, rope);
  if (dtype == f32) return kernel_of<f32>(scores, rope);
  return nullptr;
}

}  // namespace tilewright::library
