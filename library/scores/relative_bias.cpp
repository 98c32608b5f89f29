// Biases that depend on the distance of key and row alone (tilewright/library/score.hpp), and T5's
// buckets of distances. The compiled kernel reads one number of a table for each score; which
// bucket a distance falls into is settled here, in integers, where no rounding can move it.
#include <tilewright/error.hpp>
#include <tilewright/library/score.hpp>

#include "scores/errors.hpp"

namespace tilewright {
namespace {

void require(bool holds, const char* argument, std::int64_t value, const char* allowed) {
  if (holds) return;
  throw Error(errors::scores["mask-number-out-of-range"],
              std::string(argument) + " is out of range",
              {argument, std::to_string(value), allowed, ""});
}

/// Whether (n / exact)^buckets >= (most / exact)^step, by long multiplication in factors of 2^32.
class Power {
 public:
  explicit Power(std::uint32_t base, int exponent) {
    for (int i = 0; i < exponent; ++i) multiply(base);
  }
  Power& times(std::uint32_t base, int exponent) {
    for (int i = 0; i < exponent; ++i) multiply(base);
    return *this;
  }
  bool operator>=(const Power& other) const {
    if (digits_.size() != other.digits_.size()) return digits_.size() > other.digits_.size();
    for (std::size_t i = digits_.size(); i-- > 0;)
      if (digits_[i] != other.digits_[i]) return digits_[i] > other.digits_[i];
    return true;
  }

 private:
  void multiply(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t& digit : digits_) {
      carry += std::uint64_t{digit} * factor;
      digit = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) digits_.push_back(static_cast<std::uint32_t>(carry));
  }
  std::vector<std::uint32_t> digits_{1};
};

}  // namespace

ScoreMod relative_bias(int reach) {
  require(reach >= 0 && reach <= 1 << 28, "reach", reach, "0 to 268435456");
  return ScoreMod([=](Score s, Index, Index h, Index q, Index k) {
    const ScoreTable bias("relative_bias", {TableExtent::heads, TableExtent::any});
    return s + bias(h, min(max(k - position(q), -reach), reach) + reach);
  });
}

int t5_bucket(int distance, int num_buckets, int max_distance, bool bidirectional) {
  require(num_buckets >= 4 && num_buckets <= 1024, "num_buckets", num_buckets, "4 to 1024");
  const int half = bidirectional ? num_buckets / 2 : num_buckets, exact = half / 2;
  require(max_distance > exact, "max_distance", max_distance, "above a half of the buckets");
  const int first = bidirectional && distance > 0 ? half : 0;
  const int n = bidirectional ? std::abs(distance) : std::max(-distance, 0);
  if (n < exact) return first + n;
  if (n >= max_distance) return first + half - 1;
  // bucket = exact + floor(log(n / exact) / log(most / exact) * wide): the largest step whose power
  // (most / exact)^step does not exceed (n / exact)^wide.
  const auto unsigned_of = [](int x) { return static_cast<std::uint32_t>(x); };
  const int wide = half - exact;
  int step = 0;
  while (step + 1 < wide &&
         Power(unsigned_of(n), wide).times(unsigned_of(exact), step + 1) >=
             Power(unsigned_of(max_distance), step + 1).times(unsigned_of(exact), wide))
    ++step;
  return first + exact + step;
}

std::vector<float> t5_relative_bias(const std::vector<float>& learned, int heads, int num_buckets,
                                    int max_distance, bool bidirectional) {
  require(heads >= 0, "heads", heads, "0 and more");
  require(std::cmp_equal(learned.size(), std::int64_t{num_buckets} * heads), "learned",
          static_cast<std::int64_t>(learned.size()), "num_buckets * heads numbers");
  std::vector<int> buckets;
  for (int far = -max_distance; far <= max_distance; ++far)
    buckets.push_back(t5_bucket(far, num_buckets, max_distance, bidirectional));
  std::vector<float> table;
  for (int h = 0; h < heads; ++h)
    for (const int bucket : buckets)
      table.push_back(learned[static_cast<std::size_t>(bucket * heads + h)]);
  return table;
}

}  // namespace tilewright
