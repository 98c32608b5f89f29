// See row_product.hpp.
#include "reference/row_product.hpp"

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_THREAD__)
#define TILEWRIGHT_FOR_EACH_CPU \
  __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define TILEWRIGHT_FOR_EACH_CPU
#endif

namespace tilewright::library {
namespace {

// Inlined into each clone below, so that it is compiled with that clone's instructions.
template <typename Real>
[[gnu::always_inline]] inline void product(const Real* a, std::size_t a_stride, const Real* b,
                                           std::size_t b_stride, Real* c, std::size_t c_stride,
                                           std::size_t depth, std::size_t begin, std::size_t end) {
  constexpr std::size_t width = 64 / sizeof(Real);
  std::size_t j = begin;
  for (; j + width <= end; j += width) {
    Real sum[row_group][width] = {};
    for (std::size_t i = 0; i < depth; ++i) {
      const Real* row = b + i * b_stride + j;
      for (std::size_t r = 0; r < row_group; ++r) {
        const Real factor = a[r * a_stride + i];
        for (std::size_t w = 0; w < width; ++w) sum[r][w] += factor * row[w];
      }
    }
    for (std::size_t r = 0; r < row_group; ++r) {
      for (std::size_t w = 0; w < width; ++w) c[r * c_stride + j + w] = sum[r][w];
    }
  }
  for (; j < end; ++j) {
    for (std::size_t r = 0; r < row_group; ++r) {
      Real sum = 0;
      for (std::size_t i = 0; i < depth; ++i) sum += a[r * a_stride + i] * b[i * b_stride + j];
      c[r * c_stride + j] = sum;
    }
  }
}

}  // namespace

TILEWRIGHT_FOR_EACH_CPU
void row_product(const double* a, std::size_t a_stride, const double* b, std::size_t b_stride,
                 double* c, std::size_t c_stride, std::size_t depth, std::size_t begin,
                 std::size_t end) {
  product(a, a_stride, b, b_stride, c, c_stride, depth, begin, end);
}

TILEWRIGHT_FOR_EACH_CPU
void row_product(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride,
                 float* c, std::size_t c_stride, std::size_t depth, std::size_t begin,
                 std::size_t end) {
  product(a, a_stride, b, b_stride, c, c_stride, depth, begin, end);
}

}  // namespace tilewright::library
