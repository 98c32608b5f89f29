// Kernels that people write in a tile language, in the fewest lines the language allows: layer norm
// of any width, the rotation of rotary positions in both pairings, against plain loops in double
// precision.
#include <doctest/doctest.h>

#include <cmath>
#include <tilewright/dsl.hpp>

#include "kernels/layer_norm.hpp"
#include "kernels/rope.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

template <DType T>
void norms(double tolerance) {
  for (const std::int64_t rows : {1, 17, 65})
    for (const std::int64_t columns : odd_extents) {
      Data x{T, {rows, columns}, noise(rows * columns, 51)}, y{T, {rows, columns}};
      Data gain{f32, {columns}, noise(columns, 52)}, bias{f32, {columns}, noise(columns, 53)};
      const double epsilon = 1.0 / 1024;
      for (std::int64_t i = 0; i < rows; ++i) {
        double mean = 0, squares = 0;
        for (std::int64_t j = 0; j < columns; ++j) mean += x.numbers[at(i * columns + j)];
        mean /= static_cast<double>(columns);
        for (std::int64_t j = 0; j < columns; ++j)
          squares += std::pow(x.numbers[at(i * columns + j)] - mean, 2);
        const double scale = 1 / std::sqrt(squares / static_cast<double>(columns) + epsilon);
        for (std::int64_t j = 0; j < columns; ++j)
          y.expected.push_back((x.numbers[at(i * columns + j)] - mean) * scale *
                                   gain.numbers[at(j)] +
                               bias.numbers[at(j)]);
      }
      y.tolerance = tolerance;
      check(layer_norm<T>(),
            {{{"x", x}, {"gain", gain}, {"bias", bias}, {"y", y}}, {{"epsilon", epsilon}}});
    }
}

template <DType T, bool interleaved>
void rotations(double tolerance) {
  std::vector<std::pair<std::int64_t, std::int64_t>> shapes{{17, 3}, {17, 10}, {65, 15}, {17, 64}};
  for (const std::int64_t rows : odd_extents) shapes.emplace_back(rows, rows == 17 ? 20 : 32);
  for (const auto& [rows, pairs] : shapes) {
    const std::int64_t batch = 2, heads = 3, width = 2 * pairs;
    const std::int64_t size = batch * heads * rows * width;
    Data x{T, {batch, heads, rows, width}, noise(size, 54)}, y{T, x.extents};
    Data c{f32, {rows, pairs}}, s = c;
    for (std::int64_t i = 0; i < rows * pairs; ++i) {
      const double turn =
          static_cast<double>(i / pairs) *
          std::pow(10000, -static_cast<double>(i % pairs) / static_cast<double>(pairs));
      c.numbers.push_back(static_cast<float>(std::cos(turn)));
      s.numbers.push_back(static_cast<float>(std::sin(turn)));
    }
    y.expected.resize(at(size));
    for (std::int64_t row = 0; row < batch * heads * rows; ++row)
      for (std::int64_t p = 0; p < pairs; ++p) {
        const std::int64_t one = row * width + (interleaved ? 2 * p : p);
        const std::int64_t two = row * width + (interleaved ? 2 * p + 1 : p + pairs);
        const double cosine = c.numbers[at(row % rows * pairs + p)];
        const double sine = s.numbers[at(row % rows * pairs + p)];
        y.expected[at(one)] = x.numbers[at(one)] * cosine - x.numbers[at(two)] * sine;
        y.expected[at(two)] = x.numbers[at(two)] * cosine + x.numbers[at(one)] * sine;
      }
    y.tolerance = tolerance;
    check(rope<T, interleaved>(),
          {{{"x", x}, {"cosine", c}, {"sine", s}, {"y", y}}, {}, {{"d", width}}});
  }
}

}  // namespace

TEST_CASE("layer norm of rows of any width") {
  norms<f32>(2e-5);
  norms<bf16>(4e-3);
  norms<f16>(6e-4);
}

TEST_CASE("rotary positions, halves and neighbours") {
  rotations<f32, false>(1e-6);
  rotations<f32, true>(1e-6);
  rotations<bf16, false>(4e-3);
  rotations<bf16, true>(4e-3);
  rotations<f16, false>(6e-4);
  rotations<f16, true>(6e-4);
}
