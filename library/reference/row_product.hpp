// The reference's one hot loop: a few rows times a matrix, written so that any compiler turns the
// innermost loop into vector instructions. Compiled for several CPUs, chosen when it is first
// called.
#pragma once

#include <cstddef>

namespace tilewright::library {

/// Rows computed together, so that each element of the matrix is loaded once for all of them.
inline constexpr std::size_t row_group = 4;

/// c[r][j] = sum over i of a[r][i] * b[i][j], for j in [begin, end) and r < row_group. Each row's
/// sum runs over i in order. Strides are in elements.
void row_product(const double* a, std::size_t a_stride, const double* b, std::size_t b_stride,
                 double* c, std::size_t c_stride, std::size_t depth, std::size_t begin,
                 std::size_t end);
void row_product(const float* a, std::size_t a_stride, const float* b, std::size_t b_stride,
                 float* c, std::size_t c_stride, std::size_t depth, std::size_t begin,
                 std::size_t end);

}  // namespace tilewright::library
