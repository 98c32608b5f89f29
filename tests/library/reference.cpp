// The product's reference against the oracle, which shares no code with it: shapes, layouts, masks,
// both types; then the comparison: sound results pass, planted faults fail.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "command/tensors.hpp"
#include "oracle/attention_reference.hpp"
#include "reference/compare.hpp"

namespace {

using namespace tilewright;
using namespace tilewright::library;

double element(const std::vector<std::byte>& bytes, DType type, std::int64_t index) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes.data() + index * 2, 2);
  return type == bf16 ? from_bf16(bits) : from_f16(bits);
}

std::vector<double> logical(const AttentionShape& s, const std::vector<std::byte>& bytes,
                            std::int64_t heads, std::int64_t length, std::int64_t dim) {
  std::vector<double> values;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t i = 0; i < length; ++i)
        for (std::int64_t d = 0; d < dim; ++d) {
          const std::int64_t index = s.layout == Layout::bhsd
                                         ? ((b * heads + h) * length + i) * dim + d
                                         : ((b * length + i) * heads + h) * dim + d;
          values.push_back(element(bytes, s.dtype, index));
        }
  return values;
}

oracle::Problem problem_of(const AttentionShape& s, const command::HostTensors& tensors) {
  oracle::Problem p;
  p.batch = s.batch;
  p.heads = s.heads;
  p.kv_heads = s.kv_heads;
  p.seqlen_q = s.seqlen_q;
  p.seqlen_kv = s.seqlen_kv;
  p.head_dim = s.head_dim;
  p.value_dim = s.value_dim;
  p.scale = s.softmax_scale;
  p.q = logical(s, tensors.q, s.heads, s.seqlen_q, s.head_dim);
  p.k = logical(s, tensors.k, s.kv_heads, s.seqlen_kv, s.head_dim);
  p.v = logical(s, tensors.v, s.kv_heads, s.seqlen_kv, s.value_dim);
  if (s.causal) {
    const long offset =
        s.causal_alignment == CausalAlignment::bottom_right ? p.seqlen_kv - p.seqlen_q : 0;
    p.visible = [offset](long, long, long q, long k) { return k <= q + offset; };
  }
  return p;
}

class NoCompiler : public Variant {
  void visit_kernels(const Request&, const KernelVisitor&) const override {}
  RunResult run(const Request&, const std::string&, const Inputs&) const override { return {}; }
  std::string dump(const Request&, const std::string&, Stage) const override { return {}; }
};

Formula mask_of(const AttentionShape& shape) { return NoCompiler{}.formula({shape, {}, {}}); }

AttentionShape shape_of(std::int64_t heads, std::int64_t kv_heads, std::int64_t seqlen_q,
                        std::int64_t seqlen_kv, std::int64_t head_dim, std::int64_t value_dim) {
  AttentionShape s;
  s.batch = 2;
  s.heads = heads;
  s.kv_heads = kv_heads;
  s.seqlen_q = seqlen_q;
  s.seqlen_kv = seqlen_kv;
  s.head_dim = head_dim;
  s.value_dim = value_dim;
  s.softmax_scale = 1 / std::sqrt(static_cast<double>(head_dim));
  return s;
}

RunResult rounded_result(const AttentionShape& s, const oracle::Answer& answer) {
  RunResult result;
  result.out.resize(answer.out.size() * 2);
  for (std::int64_t b = 0, i = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t q = 0; q < s.seqlen_q; ++q)
        for (std::int64_t e = 0; e < s.value_dim; ++e, ++i) {
          const auto value = static_cast<float>(answer.out[i]);
          const std::uint16_t bits = s.dtype == bf16 ? to_bf16(value) : to_f16(value);
          const auto at = row_offset(s.layout, s.heads, s.seqlen_q, s.value_dim, b, h, q) + e;
          std::memcpy(result.out.data() + at * 2, &bits, 2);
        }
  result.lse.assign(answer.lse.begin(), answer.lse.end());
  return result;
}

Comparison compared(const AttentionShape& s, const command::HostTensors& tensors,
                    const RunResult& result) {
  return compare(s, result, dense_attention(s, tensors.inputs(), mask_of(s), Precision::exact),
                 dense_attention(s, tensors.inputs(), mask_of(s), Precision::same_type));
}

}  // namespace

TEST_CASE("the reference agrees with the oracle") {
  const AttentionShape shapes[] = {
      shape_of(1, 1, 1, 1, 1, 1),    shape_of(6, 2, 17, 33, 40, 24), shape_of(4, 1, 5, 2, 16, 16),
      shape_of(3, 3, 2, 65, 63, 65), shape_of(2, 2, 9, 0, 8, 8),     shape_of(2, 1, 66, 130, 64, 8),
  };
  for (AttentionShape s : shapes) {
    for (int options = 0; options < 12; ++options) {
      s.layout = options % 2 == 0 ? Layout::bhsd : Layout::bshd;
      s.dtype = options / 2 % 2 == 0 ? bf16 : f16;
      s.causal = options >= 4;
      s.causal_alignment = options >= 8 ? CausalAlignment::top_left : CausalAlignment::bottom_right;
      CAPTURE(s.seqlen_q);
      CAPTURE(s.seqlen_kv);
      CAPTURE(options);
      const auto tensors = command::random_tensors(s, 11);
      const oracle::Problem p = problem_of(s, tensors);
      const oracle::Answer truth = oracle::attention(p);
      const auto exact = dense_attention(s, tensors.inputs(), mask_of(s), Precision::exact);
      CHECK(oracle::largest_difference(exact.out, truth.out) < 1e-12);
      CHECK(oracle::largest_difference(exact.lse, truth.lse) < 1e-12);

      const auto rounding = s.dtype == bf16 ? oracle::round_bf16 : oracle::round_f16;
      const auto naive = dense_attention(s, tensors.inputs(), mask_of(s), Precision::same_type);
      const double last_place = s.dtype == bf16 ? 0x1p-6 : 0x1p-9;  // where a tie falls differently
      CHECK(oracle::largest_difference(naive.out, oracle::attention(p, rounding).out) <=
            last_place);
      CHECK(oracle::largest_difference(naive.lse, truth.lse) < 2e-5);
    }
  }
}

TEST_CASE("rows with queries, keys and values of their own") {
  for (const auto layout : {Layout::bhsd, Layout::bshd})
    for (const std::int64_t rows : {1, 9, 20}) {
      AttentionShape s = shape_of(4, 2, 20, 30, 16, 24);
      s.layout = layout;
      AttentionShape first = s;
      first.seqlen_q = rows;
      const auto tensors = command::random_tensors(s, 1), own = command::random_tensors(first, 2);
      Formula formula = mask_of(s);
      formula.own = {rows, own.q, own.k, own.v};
      const auto all = dense_attention(s, tensors.inputs(), formula, Precision::exact);
      const auto rest = oracle::attention(problem_of(s, tensors)),
                 wanted = oracle::attention(problem_of(first, own));
      for (std::int64_t head = 0; head < s.batch * s.heads; ++head)
        for (std::int64_t q = 0; q < s.seqlen_q; ++q) {
          const bool is_own = q < rows;
          const auto at = static_cast<std::size_t>(head * s.seqlen_q + q);
          const auto from = is_own ? static_cast<std::size_t>(head * rows + q) : at;
          const oracle::Answer& row = is_own ? wanted : rest;
          CHECK(std::abs(all.lse[at] - row.lse[from]) < 1e-12);
          for (std::size_t e = 0; e < 24; ++e)
            CHECK(std::abs(all.out[at * 24 + e] - row.out[from * 24 + e]) < 1e-12);
        }
    }
}

TEST_CASE("inputs do not depend on the layout, and round as the oracle does") {
  AttentionShape s = shape_of(3, 1, 5, 4, 7, 7);
  const auto heads_first = logical(s, command::random_tensors(s, 5).q, 3, 5, 7);
  s.layout = Layout::bshd;
  CHECK(heads_first == logical(s, command::random_tensors(s, 5).q, 3, 5, 7));
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float wide = from_f16(static_cast<std::uint16_t>(bits));
    if (std::isnan(wide)) continue;
    CHECK(to_f16(wide) == bits);
    const float middle = std::nextafter(wide, 1e30f) * 1.0003f;
    CHECK(from_f16(to_f16(middle)) == oracle::round_f16(middle));
    CHECK(from_bf16(to_bf16(middle)) == oracle::round_bf16(middle));
  }
}

TEST_CASE("a correctly rounded result passes, with every type and mask") {
  for (const DType type : {bf16, f16}) {
    for (const bool causal : {false, true}) {
      AttentionShape s = shape_of(2, 1, 40, 100, 64, 64);
      s.dtype = type;
      s.causal = causal;
      const auto tensors = command::random_tensors(s, 3);
      const auto answer = oracle::attention(problem_of(s, tensors));
      const Comparison c = compared(s, tensors, rounded_result(s, answer));
      CHECK(c.ok());
      CHECK(c.tolerance < (type == bf16 ? 0.05 : 0.01));
      CHECK(c.tolerance_lse < 2e-4);
    }
  }
}

TEST_CASE("planted faults fail the comparison") {
  const AttentionShape s = shape_of(4, 2, 8, 1000, 64, 64);
  const auto tensors = command::random_tensors(s, 9);
  const oracle::Problem p = problem_of(s, tensors);
  const RunResult good = rounded_result(s, oracle::attention(p));
  REQUIRE(compared(s, tensors, good).ok());

  SUBCASE("one key of 1000 dropped") {
    oracle::Problem faulty = p;
    faulty.visible = [](long, long, long, long k) { return k != 777; };
    const Comparison c = compared(s, tensors, rounded_result(s, oracle::attention(faulty)));
    CHECK(c.max_abs_error > c.tolerance);
    CHECK(c.max_abs_error_lse > c.tolerance_lse);
  }
  SUBCASE("one key dropped in one row: its LSE tells") {
    oracle::Problem faulty = p;
    faulty.visible = [](long b, long h, long q, long k) {
      return b != 1 || h != 3 || q != 5 || k != 999;
    };
    CHECK_FALSE(compared(s, tensors, rounded_result(s, oracle::attention(faulty))).ok());
  }
  SUBCASE("two kv heads swapped") {
    oracle::Problem faulty = p;
    std::rotate(faulty.k.begin(), faulty.k.begin() + 64000, faulty.k.begin() + 128000);
    std::rotate(faulty.v.begin(), faulty.v.begin() + 64000, faulty.v.begin() + 128000);
    const Comparison c = compared(s, tensors, rounded_result(s, oracle::attention(faulty)));
    CHECK(c.max_abs_error > c.tolerance);
  }
  SUBCASE("one row of LSE off by 1e-3") {
    RunResult faulty = good;
    faulty.lse[13] += 1e-3f;
    const Comparison c = compared(s, tensors, faulty);
    CHECK(c.max_abs_error <= c.tolerance);
    CHECK(c.max_abs_error_lse > c.tolerance_lse);
  }
  SUBCASE("a NaN, and an LSE that should not be infinite") {
    RunResult faulty = good;
    const std::uint16_t nan = to_bf16(std::numeric_limits<float>::quiet_NaN());
    std::memcpy(faulty.out.data() + 100, &nan, 2);
    faulty.lse[0] = -std::numeric_limits<float>::infinity();
    const Comparison c = compared(s, tensors, faulty);
    CHECK(c.max_abs_error == std::numeric_limits<double>::max());
    CHECK(c.max_abs_error_lse == std::numeric_limits<double>::max());
  }
}

TEST_CASE("what is hidden may be anything") {
  AttentionShape s = shape_of(1, 1, 3, 6, 4, 4);
  s.batch = 1;
  s.causal = true;
  s.causal_alignment = CausalAlignment::top_left;
  auto tensors = command::random_tensors(s, 1);
  const auto clean = dense_attention(s, tensors.inputs(), mask_of(s), Precision::exact);
  const std::uint16_t nan = to_bf16(std::numeric_limits<float>::quiet_NaN());
  for (int i = 2 * 4; i < 6 * 4; ++i) std::memcpy(tensors.v.data() + i * 2, &nan, 2);
  const auto poisoned = dense_attention(s, tensors.inputs(), mask_of(s), Precision::exact);
  for (int i = 0; i < 8; ++i) CHECK(poisoned.out[i] == doctest::Approx(clean.out[i]));
  CHECK(std::isnan(poisoned.out[8]));
}
