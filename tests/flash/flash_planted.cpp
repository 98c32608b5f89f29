// The check must be able to fail: a right run passes it, and the same run with one key of 1000
// dropped, two kv heads swapped or one row of LSE off by 1e-3 does not. The faults go through the
// whole way: the kernel runs on the spoilt inputs, and the comparison is the one behind `--check`.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "command/tensors.hpp"
#include "flash_device.hpp"
#include "reference/compare.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

class Check {
 public:
  Check() {
    (void)test::emulator();  // sets the cache
    AttentionShape& s = request_.shape;
    s.heads = 4, s.kv_heads = 2, s.seqlen_q = 16, s.seqlen_kv = 1000;
    tensors_ = command::random_tensors(s, 9);
    const RowMask mask = flash_->visible(request_);
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
  std::unique_ptr<Variant> flash_ = make_flash();
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
