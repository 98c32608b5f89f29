// What the tests of the builder share: problems with random numbers, their tensors on the emulator,
// and the error of a call. Only the public headers of the library are included.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <tilewright/library.hpp>
#include <vector>

#include "oracle/attention_reference.hpp"

namespace calls {

using namespace tilewright;

inline const Device& emulator() {
  static const Device device = [] {
    ::setenv("TILEWRIGHT_CACHE_DIR", TILEWRIGHT_TEST_CACHE, 1);
    return Device::open("emulator:sm_80");
  }();
  return device;
}

inline double rounded(DType dtype, double x) {
  return dtype == bf16 ? oracle::round_bf16(x) : dtype == f16 ? oracle::round_f16(x) : float(x);
}

/// Numbers in device memory, in the order of the memory.
class Memory {
 public:
  Memory(DType dtype, const std::vector<double>& numbers)
      : dtype_(dtype),
        count_(numbers.size()),
        buffer_(emulator(), numbers.size() * static_cast<std::size_t>(size_of(dtype))) {
    std::vector<unsigned char> bytes(buffer_.bytes());
    const auto size = static_cast<std::size_t>(size_of(dtype));
    for (std::size_t i = 0; i < count_; ++i) {
      const auto number = static_cast<float>(numbers[i]);
      const std::uint16_t half = dtype == bf16 ? to_bf16(number) : to_f16(number);
      std::memcpy(&bytes[i * size], size == 4 ? static_cast<const void*>(&number) : &half, size);
    }
    if (!bytes.empty()) buffer_.upload(bytes.data(), bytes.size());
  }
  /// Of NaNs.
  Memory(DType dtype, std::int64_t count)
      : Memory(dtype, std::vector<double>(static_cast<std::size_t>(count), NAN)) {}

  CUdeviceptr address() const { return buffer_.address(); }
  TensorView view(std::vector<std::int64_t> extents) const {
    return TensorView::contiguous(address(), dtype_, std::move(extents));
  }
  std::vector<double> numbers() const {
    std::vector<unsigned char> bytes(buffer_.bytes());
    if (!bytes.empty()) buffer_.download(bytes.data(), bytes.size());
    std::vector<double> result(count_);
    const auto size = static_cast<std::size_t>(size_of(dtype_));
    for (std::size_t i = 0; i < count_; ++i) {
      float number = 0;
      std::uint16_t half = 0;
      std::memcpy(size == 4 ? static_cast<void*>(&number) : &half, &bytes[i * size], size);
      if (size == 2) number = dtype_ == bf16 ? from_bf16(half) : from_f16(half);
      result[i] = number;
    }
    return result;
  }

 private:
  DType dtype_;
  std::size_t count_;
  Buffer buffer_;
};

/// Contiguous [batch, heads, length, dim] tensors of a problem, rounded to the type.
struct Tensors {
  explicit Tensors(const oracle::Problem& p, DType dtype)
      : q(dtype, p.q),
        k(dtype, p.k),
        v(dtype, p.v),
        out(dtype, p.batch * p.heads * p.seqlen_q * p.value_dim),
        lse(f32, p.batch * p.heads * p.seqlen_q),
        views{.q = q.view({p.batch, p.heads, p.seqlen_q, p.head_dim}),
              .k = k.view({p.batch, p.kv_heads, p.seqlen_kv, p.head_dim}),
              .v = v.view({p.batch, p.kv_heads, p.seqlen_kv, p.value_dim}),
              .out = out.view({p.batch, p.heads, p.seqlen_q, p.value_dim}),
              .lse = lse.view({p.batch, p.heads, p.seqlen_q})} {}

  Memory q, k, v, out, lse;
  AttentionTensors views;
};

inline std::vector<double> random_numbers(DType dtype, long count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (double& number : numbers) number = rounded(dtype, normal(generator));
  return numbers;
}

inline oracle::Problem problem(DType dtype, oracle::Problem p, unsigned seed = 1) {
  p.scale = 1 / std::sqrt(static_cast<double>(p.head_dim));
  p.q = random_numbers(dtype, p.batch * p.heads * p.seqlen_q * p.head_dim, 3 * seed);
  p.k = random_numbers(dtype, p.batch * p.kv_heads * p.seqlen_kv * p.head_dim, 3 * seed + 1);
  p.v = random_numbers(dtype, p.batch * p.kv_heads * p.seqlen_kv * p.value_dim, 3 * seed + 2);
  return p;
}

/// Checks results against the formula: out within twice the error of the plain computation in the
/// same type plus 1e-5 (f32: plus 1e-5 alone), lse within 1e-3 (f32: 1e-4).
inline void check_results(const oracle::Problem& p, DType dtype, const std::vector<double>& out,
                          const std::vector<double>& lse) {
  const auto truth = oracle::attention(p);
  const auto naive = oracle::attention(p, [&](double x) { return rounded(dtype, x); });
  CHECK(oracle::largest_difference(out, truth.out) <= oracle::tolerance(naive, truth));
  CHECK(oracle::largest_difference(lse, truth.lse) <= (dtype == f32 ? 1e-4 : 1e-3));
}

inline std::string faults() { return emulator().emulator()->faults(); }

/// The error that `action` throws, which must name `argument` and say what is allowed.
template <typename Action>
Error refused(ErrorKind kind, const std::string& argument, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(std::string(error.what()));
    CHECK(error.kind() == kind);
    CHECK(error.argument() == argument);
    CHECK_FALSE(error.allowed().empty());
    return error;
  }
  FAIL_CHECK("not refused: " << argument);
  static constexpr ErrorEntry none{"none", ErrorKind::launch_failed, "", ""};
  return Error(none, "");
}

}  // namespace calls
