// What the tests of products share: dense tensors of random numbers on the emulator, and a launch
// that must not fault.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <tilewright/compile.hpp>
#include <vector>

namespace tilewright::test {

inline const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

/// Half the distance between neighbouring numbers of a type near 1.
inline double unit(DType type) { return type == bf16 ? 0x1p-8 : type == f16 ? 0x1p-11 : 0x1p-24; }

/// A dense tensor, its numbers on the host rounded to its type. `seed` 0: NaN, to be written.
class Numbers {
 public:
  Numbers(DType dtype, std::vector<std::int64_t> extents, unsigned seed = 0)
      : dtype_(dtype), extents_(std::move(extents)) {
    std::size_t count = 1;
    for (const std::int64_t extent : extents_) count *= static_cast<std::size_t>(extent);
    numbers_.resize(count);
    std::vector<unsigned char> bytes(count * static_cast<std::size_t>(size_of(dtype)), 0xff);
    for (std::size_t i = 0; i < count && seed != 0; ++i) {
      seed = seed * 1664525u + 1013904223u;
      const float number = static_cast<float>(static_cast<int>(seed) >> 8) * 0x1p-23f;
      put(&bytes[i * static_cast<std::size_t>(size_of(dtype))], number);
      numbers_[i] = get(&bytes[i * static_cast<std::size_t>(size_of(dtype))]);
    }
    buffer_ = Buffer(emulator(), bytes.size());
    if (!bytes.empty()) buffer_.upload(bytes.data(), bytes.size());
  }

  double at(std::initializer_list<std::int64_t> index) const {
    std::int64_t offset = 0, axis = 0;
    for (const std::int64_t i : index)
      offset = offset * extents_[static_cast<std::size_t>(axis++)] + i;
    return numbers_.at(static_cast<std::size_t>(offset));
  }

  void download() {
    std::vector<unsigned char> bytes(buffer_.bytes());
    if (!bytes.empty()) buffer_.download(bytes.data(), bytes.size());
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      numbers_[i] = get(&bytes[i * static_cast<std::size_t>(size_of(dtype_))]);
  }

  operator TensorView() const {  // NOLINT: `{"a", a}` is how a launch is written
    return TensorView::contiguous(buffer_.address(), dtype_, extents_);
  }

 private:
  void put(unsigned char* to, float number) const {
    if (dtype_ == f32) {
      std::memcpy(to, &number, 4);
      return;
    }
    const std::uint16_t half = dtype_ == bf16 ? to_bf16(number) : to_f16(number);
    std::memcpy(to, &half, 2);
  }
  double get(const unsigned char* from) const {
    float number = 0;
    std::uint16_t half = 0;
    std::memcpy(&half, from, 2);
    if (dtype_ == f32) std::memcpy(&number, from, 4);
    return dtype_ == f32 ? number : dtype_ == bf16 ? from_bf16(half) : from_f16(half);
  }

  DType dtype_;
  std::vector<std::int64_t> extents_;
  std::vector<double> numbers_;
  Buffer buffer_;
};

inline void run(const Plan& plan, const std::vector<Binding>& arguments) {
  emulator().emulator()->reset();
  plan.launch(Stream::default_stream(emulator()), arguments);
  const std::string faults = emulator().emulator()->faults();
  CHECK(faults == std::string("[]"));
  emulator().emulator()->reset();
}

}  // namespace tilewright::test
