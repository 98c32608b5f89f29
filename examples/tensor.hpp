// What lessons and tasks share: tensors with pseudorandom numbers on both sides.
#pragma once

#include <cmath>
#include <cstring>
#include <tilewright/arguments.hpp>
#include <vector>

namespace example {

using tilewright::Device;
using tilewright::DType;

/// A contiguous tensor in device memory and its numbers on the host, rounded to the element type.
class Tensor {
 public:
  /// bf16, f16 or f32. `seed` 0: nothing is written, the device will. Else numbers between -2 and
  /// 2.
  Tensor(const Device& device, DType dtype, std::vector<std::int64_t> extents, unsigned seed = 0)
      : dtype_(dtype), extents_(std::move(extents)) {
    std::size_t count = 1;
    for (const std::int64_t extent : extents_) count *= static_cast<std::size_t>(extent);
    numbers_.resize(count);
    buffer_ = tilewright::Buffer(device, count * static_cast<std::size_t>(size_of(dtype)));
    if (seed == 0) return;
    std::vector<unsigned char> bytes(buffer_.bytes());
    for (std::size_t i = 0; i < count; ++i) {
      seed = seed * 1664525u + 1013904223u;
      const float number = static_cast<float>(static_cast<int>(seed) >> 8) * 0x1p-22f;
      numbers_[i] = round_to(dtype, number);
      const std::uint16_t half =
          dtype == tilewright::f16 ? tilewright::to_f16(number) : tilewright::to_bf16(number);
      if (dtype == tilewright::f32)
        std::memcpy(&bytes[4 * i], &number, 4);
      else
        std::memcpy(&bytes[2 * i], &half, 2);
    }
    buffer_.upload(bytes.data(), bytes.size());
  }

  /// The element at these indices, one per dimension, as it was last seen on the host.
  template <typename... Index>
  double operator()(Index... index) const {
    std::size_t at = 0, axis = 0;
    ((at = at * static_cast<std::size_t>(extents_[axis++]) + static_cast<std::size_t>(index)), ...);
    return numbers_[at];
  }

  /// Fetches what the device wrote; waits for it first.
  void download() {
    std::vector<unsigned char> bytes(buffer_.bytes());
    buffer_.download(bytes.data(), bytes.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      std::uint16_t half = 0;
      if (dtype_ == tilewright::f32) {
        std::memcpy(&numbers_[i], &bytes[4 * i], 4);
        continue;
      }
      std::memcpy(&half, &bytes[2 * i], 2);
      numbers_[i] =
          dtype_ == tilewright::f16 ? tilewright::from_f16(half) : tilewright::from_bf16(half);
    }
  }

  operator tilewright::TensorView() const {  // NOLINT: `{"a", a}` is how a launch is written
    return tilewright::TensorView::contiguous(buffer_.address(), dtype_, extents_);
  }

 private:
  DType dtype_;
  std::vector<std::int64_t> extents_;
  std::vector<float> numbers_;
  tilewright::Buffer buffer_;
};

/// The larger of two errors; one that is no number stays.
inline double worse(double error, double other) {
  return other <= error ? error : std::isnan(error) ? error : other;
}

}  // namespace example
