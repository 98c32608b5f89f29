// What the tests of plans share: small kernels that hand numbers on through temporaries, and
// tensors of floats on the emulator.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <tilewright/compile.hpp>
#include <tilewright/dsl.hpp>
#include <tilewright/error.hpp>
#include <vector>
#include "ir/errors.hpp"
#include "plan_errors.hpp"
#include "program_errors.hpp"
#include "runtime/errors.hpp"

namespace plans {

using namespace tilewright;

inline constexpr Dim<"row"> R;
inline constexpr Dim<"column"> C;

/// a = 2 x, b = a + 1, c = b b, y = c - 3: each step hands on to the next.
inline auto twice = kernel("twice", [](In<"x", f32, R, C> X, Temp<"a", f32, R, C> A) {
  auto r = each(R);
  auto c = blocks(C);
  store(A(r, c), load(X(r, c)) * 2.f);
});
inline auto plus_one = kernel("plus_one", [](Temp<"a", f32, R, C> A, Temp<"b", f32, R, C> B) {
  auto r = each(R);
  auto c = blocks(C);
  store(B(r, c), load(A(r, c)) + 1.f);
});
inline auto squared = kernel("squared", [](Temp<"b", f32, R, C> B, Temp<"c", f32, R, C> S) {
  auto r = each(R);
  auto c = blocks(C);
  auto b = let("value", load(B(r, c)));
  store(S(r, c), b * b);
});
inline auto minus_three = kernel("minus_three", [](Temp<"c", f32, R, C> S, Out<"y", f32, R, C> Y) {
  auto r = each(R);
  auto c = blocks(C);
  store(Y(r, c), load(S(r, c)) - 3.f);
});
inline double expected(double x) { return (2 * x + 1) * (2 * x + 1) - 3; }

inline const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

/// The four kernels above in one plan.
inline Plan chain() {
  const Device& device = emulator();
  return {compile(device, twice), compile(device, plus_one), compile(device, squared),
          compile(device, minus_three)};
}

/// A row-major tensor of floats: first, first + 1/8, …
class Floats {
 public:
  Floats(std::int64_t rows, std::int64_t columns, float first)
      : rows_(rows), columns_(columns), buffer_(emulator(), bytes()), start(first) {
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = at(i);
    buffer_.upload(values.data(), bytes());
  }
  float at(std::size_t i) const { return start + static_cast<float>(i % 64) / 8; }
  TensorView view() const {
    return TensorView::contiguous(buffer_.address(), f32, {rows_, columns_});
  }
  std::vector<float> values() const {
    std::vector<float> values(static_cast<std::size_t>(rows_ * columns_));
    buffer_.download(values.data(), bytes());
    return values;
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(rows_ * columns_) * sizeof(float); }
  std::int64_t rows_, columns_;
  Buffer buffer_;
  float start;
};

/// The error that `action` throws, checked for its id and the argument it names.
template <typename Action>
Error refused(const ErrorEntry& entry, const std::string& argument, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(std::string(error.what()));
    CHECK(std::string(error.id()) == std::string(entry.id));
    CHECK(error.argument() == argument);
    CHECK_FALSE(error.allowed().empty());
    return error;
  }
  FAIL_CHECK("not refused: " << argument);
  return Error(entry, "");
}

inline bool says(const Error& error, const std::string& text) {
  const bool found = std::string(error.what()).find(text) != std::string::npos;
  if (!found) MESSAGE(error.what());
  return found;
}

}  // namespace plans
