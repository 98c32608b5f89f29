// The check must be able to fail: a right run passes it, and the same run with one key of 1000
// dropped, two kv heads swapped or one row of LSE off by 1e-3 does not. The faults go through the
// whole way: the kernel runs on the spoilt inputs, and the comparison is the one behind `--check`.
// So do a mask that is one key off, a scale off by one unit of bf16, rows that are not stored,
// another type's rounding, and an empty row that is not neutral.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "command/tensors.hpp"
#include "flash_device.hpp"
#include "reference/compare.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

class Check {
 public:
  explicit Check(
      const std::function<void(AttentionShape&)>& change = [](AttentionShape&) {},
      std::uint64_t seed = 9) {
    (void)test::emulator();  // sets the cache
    AttentionShape& s = request_.shape;
    s.heads = 4, s.kv_heads = 2, s.seqlen_q = 16, s.seqlen_kv = 1000;
    change(s);
    tensors_ = command::random_tensors(s, seed);
    const Formula mask = flash_->formula(request_);
    exact_ = dense_attention(s, tensors_.inputs(), mask, Precision::exact);
    same_type_ = dense_attention(s, tensors_.inputs(), mask, Precision::same_type);
  }
  RunResult run(const command::HostTensors& tensors, const AttentionShape& shape) const {
    return flash_->run({shape, {}, {}}, "emulator:sm_80", tensors.inputs());
  }
  Comparison operator()(const RunResult& result) const {
    return compare(request_.shape, result, exact_, same_type_);
  }
  const AttentionShape& shape() const { return request_.shape; }
  const command::HostTensors& tensors() const { return tensors_; }

 private:
  std::unique_ptr<Variant> flash_ = find_variant(variants(), "flash").make();
  Request request_;
  command::HostTensors tensors_;
  DenseResult exact_, same_type_;
};

}  // namespace

TEST_CASE("a right run passes, planted faults do not") {
  const Check check;
  const RunResult good = check.run(check.tensors(), check.shape());
  CHECK(good.faults.empty());
  REQUIRE(check(good).ok());

  SUBCASE("one key of 1000 dropped") {
    // Key 777 is taken out of every head: the kernel sees 999 keys, as a loop that missed one.
    command::HostTensors spoilt = check.tensors();
    AttentionShape shorter = check.shape();
    const std::size_t row = static_cast<std::size_t>(shorter.head_dim) * 2;
    for (auto* tensor : {&spoilt.k, &spoilt.v})
      for (std::size_t head = 2; head-- > 0;) {
        const auto at = tensor->begin() + static_cast<std::ptrdiff_t>((head * 1000 + 777) * row);
        tensor->erase(at, at + static_cast<std::ptrdiff_t>(row));
      }
    shorter.seqlen_kv = 999;
    const Comparison c = check(check.run(spoilt, shorter));
    CHECK(c.max_abs_error > c.tolerance);
    CHECK(c.max_abs_error_lse > c.tolerance_lse);
  }
  SUBCASE("two kv heads swapped") {
    command::HostTensors spoilt = check.tensors();
    for (auto* tensor : {&spoilt.k, &spoilt.v}) {
      const auto half = static_cast<std::ptrdiff_t>(tensor->size() / 2);
      std::swap_ranges(tensor->begin(), tensor->begin() + half, tensor->begin() + half);
    }
    const Comparison c = check(check.run(spoilt, check.shape()));
    CHECK(c.max_abs_error > c.tolerance);
    CHECK(c.max_abs_error_lse > c.tolerance_lse);
  }
  SUBCASE("one row of LSE off by 1e-3") {
    RunResult spoilt = good;
    spoilt.lse[37] += 1e-3f;
    const Comparison c = check(spoilt);
    CHECK(c.max_abs_error <= c.tolerance);
    CHECK(c.max_abs_error_lse > c.tolerance_lse);
  }
  SUBCASE("one element of out off by its tolerance") {
    RunResult spoilt = good;
    std::uint16_t bits = 0;
    std::memcpy(&bits, spoilt.out.data() + 500, 2);
    bits = to_bf16(from_bf16(bits) + static_cast<float>(2.1 * check(good).tolerance));
    std::memcpy(spoilt.out.data() + 500, &bits, 2);
    CHECK_FALSE(check(spoilt).ok());
  }
}

namespace {

using Spoil = std::function<void(AttentionShape& shape, command::HostTensors& tensors)>;

/// A right run passes, and one that took other arguments does not.
Comparison spoilt_run(const Check& check, const Spoil& spoil) {
  REQUIRE(check(check.run(check.tensors(), check.shape())).ok());
  AttentionShape shape = check.shape();
  command::HostTensors tensors = check.tensors();
  spoil(shape, tensors);
  return check(check.run(tensors, shape));
}

}  // namespace

TEST_CASE("a mask that is one key off") {
  for (const std::int64_t rows : {16, 70}) {
    const Check check(
        [&](AttentionShape& s) { s.causal = true, s.seqlen_q = rows, s.seqlen_kv = 90; });
    // The last key is taken out: aligned at the end, every row misses its own key.
    const Comparison shifted = spoilt_run(check, [](AttentionShape& s, command::HostTensors& t) {
      const std::size_t row = static_cast<std::size_t>(s.head_dim) * 2;
      for (auto* tensor : {&t.k, &t.v})
        for (std::size_t head = 2; head-- > 0;)
          tensor->erase(tensor->begin() + static_cast<std::ptrdiff_t>((head * 90 + 89) * row),
                        tensor->begin() + static_cast<std::ptrdiff_t>((head * 90 + 90) * row));
      s.seqlen_kv = 89;
    });
    CHECK_FALSE(shifted.ok());
    CHECK(shifted.max_abs_error_lse > shifted.tolerance_lse);
  }
}

TEST_CASE("a scale off by one unit of bf16") {
  const Check check;
  const Comparison c = spoilt_run(check, [](AttentionShape& s, command::HostTensors&) {
    s.softmax_scale = s.softmax_scale * (1 + 0x1p-7);
  });
  CHECK(c.max_abs_error_lse > c.tolerance_lse);
}

TEST_CASE(
    "what is stored: a last row that is not, a head in another's place, another type's rounding") {
  const Check check([](AttentionShape& s) { s.dtype = DType::f16, s.seqlen_q = 17; });
  const RunResult good = check.run(check.tensors(), check.shape());
  REQUIRE(check(good).ok());
  RunResult spoilt = good;
  const std::size_t row = static_cast<std::size_t>(check.shape().value_dim) * 2;
  SUBCASE("the last row of one head") {
    std::fill_n(spoilt.out.begin() + static_cast<std::ptrdiff_t>(16 * row), row, std::byte{0});
  }
  SUBCASE("the last row's LSE") { spoilt.lse[16] = 0; }
  SUBCASE("two query heads swapped") {
    const auto head = static_cast<std::ptrdiff_t>(17 * row);
    std::swap_ranges(spoilt.out.begin(), spoilt.out.begin() + head, spoilt.out.begin() + head);
  }
  SUBCASE("rounded to bf16 on the way to f16") {
    for (std::size_t i = 0; i < spoilt.out.size(); i += 2) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, spoilt.out.data() + i, 2);
      bits = to_f16(round_to(DType::bf16, from_f16(bits)));
      std::memcpy(spoilt.out.data() + i, &bits, 2);
    }
  }
  SUBCASE("one NaN") {
    const std::uint16_t nan = 0x7fff;
    std::memcpy(spoilt.out.data() + 2 * 700, &nan, 2);
  }
  CHECK_FALSE(check(spoilt).ok());
}

TEST_CASE("a row without a key: 0 and -infinity, and nothing else") {
  const Check check([](AttentionShape& s) { s.causal = true, s.seqlen_q = 20, s.seqlen_kv = 12; });
  const RunResult good = check.run(check.tensors(), check.shape());
  REQUIRE(check(good).ok());
  CHECK(good.lse[3] == -HUGE_VALF);
  RunResult spoilt = good;
  SUBCASE("a large negative LSE") { spoilt.lse[3] = -1e30f; }
  SUBCASE("the mean of v") {
    const std::uint16_t some = to_bf16(0.25f);
    std::memcpy(spoilt.out.data() + 3 * static_cast<std::size_t>(check.shape().value_dim) * 2,
                &some, 2);
  }
  CHECK_FALSE(check(spoilt).ok());
}

TEST_CASE("large scales: the check passes what is right, and no more") {
  for (const double scale : {1e4, -3e4, 1e5})
    for (const std::uint64_t seed : {1, 2, 3, 4}) {
      CAPTURE(scale);
      CAPTURE(seed);
      // One row: the plain computation may be right by luck, and say nothing about the size of
      // errors.
      const auto change = [&](AttentionShape& s) {
        s.softmax_scale = scale, s.seqlen_kv = 60, s.seqlen_q = 1, s.heads = s.kv_heads = 1;
      };
      const Check check(change, seed);
      const RunResult good = check.run(check.tensors(), check.shape());
      const Comparison c = check(good);
      CAPTURE(c.max_abs_error_lse);
      CAPTURE(c.tolerance_lse);
      CHECK(c.ok());
      RunResult spoilt = good;
      const auto largest = std::max_element(spoilt.lse.begin(), spoilt.lse.end());
      *largest *= 1 + 0x1p-20f;  // sixteen roundings
      CHECK_FALSE(check(spoilt).ok());
    }
}
