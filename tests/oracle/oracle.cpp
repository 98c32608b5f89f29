// The oracle against numbers worked out elsewhere: a small example by hand, masks by their
// pictures, rounding by its definition. If these hold, the other tests may believe it.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "attention_reference.hpp"

namespace {

using oracle::Answer;
using oracle::Problem;

constexpr double infinity = HUGE_VAL;

/// Two queries, three keys, dimension 2.
Problem worked_example() {
  Problem p;
  p.seqlen_q = 2;
  p.seqlen_kv = 3;
  p.head_dim = p.value_dim = 2;
  p.scale = 1 / std::sqrt(2.0);
  p.q = {1, 0, 0, 1};
  p.k = {1, 0, 0, 1, 1, 1};
  p.v = {1, 2, 3, 4, 5, 6};
  return p;
}

void require_close(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element ", i);
    CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  }
}

Problem random_problem(long heads, long kv_heads, long seqlen_q, long seqlen_kv, long dim,
                       unsigned seed) {
  Problem p;
  p.heads = heads;
  p.kv_heads = kv_heads;
  p.seqlen_q = seqlen_q;
  p.seqlen_kv = seqlen_kv;
  p.head_dim = p.value_dim = dim;
  p.scale = 1 / std::sqrt(static_cast<double>(dim));
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  const auto fill = [&](std::vector<double>& x, long count) {
    for (long i = 0; i < count; ++i) x.push_back(oracle::round_bf16(normal(generator)));
  };
  fill(p.q, heads * seqlen_q * dim);
  fill(p.k, kv_heads * seqlen_kv * dim);
  fill(p.v, kv_heads * seqlen_kv * dim);
  return p;
}

std::string picture(long seqlen_q, long seqlen_kv, long offset) {
  std::string rows;
  for (long q = 0; q < seqlen_q; ++q) {
    for (long k = 0; k < seqlen_kv; ++k) rows += k <= q + offset ? '1' : '0';
    rows += ' ';
  }
  return rows;
}

}  // namespace

TEST_CASE("the worked example, dense") {
  const Answer a = oracle::attention(worked_example());
  require_close(a.out, {3, 4, 3.406673, 4.406673});
  require_close(a.lse, {1.620621, 1.620621});
}

TEST_CASE("the worked example, causal bottom-right and top-left") {
  Problem p = worked_example();
  const long offset = oracle::bottom_right(p);
  p.visible = [offset](long, long, long q, long k) { return k <= q + offset; };
  require_close(oracle::attention(p).out, {1.660477, 2.660477, 3.406673, 4.406673});
  require_close(oracle::attention(p).lse, {1.107940, 1.620621});
  p.visible = [](long, long, long q, long k) { return k <= q; };
  require_close(oracle::attention(p).out, {1, 2, 2.339523, 3.339523});
  require_close(oracle::attention(p).lse, {0.707107, 1.107940});
}

TEST_CASE("alignments, as pictures") {
  CHECK(picture(2, 5, 3) == "11110 11111 ");
  CHECK(picture(2, 5, 0) == "10000 11000 ");
  CHECK(picture(5, 2, -3) == "00 00 00 10 11 ");
}

TEST_CASE("a row that sees no key has 0 and -inf") {
  Problem p = random_problem(1, 1, 5, 2, 4, 1);
  p.visible = [](long, long, long q, long k) { return k <= q - 3; };
  const Answer a = oracle::attention(p);
  for (long i = 0; i < 12; ++i) CHECK(a.out[i] == 0);
  for (long i = 0; i < 3; ++i) CHECK(a.lse[i] == -infinity);
  CHECK(std::isfinite(a.lse[3]));
  p.seqlen_kv = 0;
  CHECK(oracle::attention(p).lse == std::vector<double>(5, -infinity));
}

TEST_CASE("kv heads are shared by contiguous groups of query heads") {
  Problem p = random_problem(6, 2, 3, 4, 2, 2);
  for (long i = 0; i < 8; ++i) {
    p.v[i] = 1;
    p.v[8 + i] = 2;
  }
  const Answer a = oracle::attention(p);
  for (long h = 0; h < 6; ++h) CHECK(a.out[h * 6] == doctest::Approx(h < 3 ? 1 : 2));
}

TEST_CASE("shifting every score moves the LSE and leaves the output") {
  Problem p = random_problem(2, 1, 4, 7, 8, 3);
  const Answer plain = oracle::attention(p);
  p.score = [](double s, long, long, long, long) { return s + 3; };
  const Answer shifted = oracle::attention(p);
  CHECK(oracle::largest_difference(plain.out, shifted.out) < 1e-13);
  for (std::size_t i = 0; i < plain.lse.size(); ++i) {
    CHECK(shifted.lse[i] - plain.lse[i] == doctest::Approx(3));
  }
}

TEST_CASE("rounding is to nearest, ties to even, with denormals and overflow") {
  CHECK(oracle::round_bf16(1 + 0x1p-8) == 1);  // a tie, down to even
  CHECK(oracle::round_bf16(1 + 3 * 0x1p-8) == 1 + 0x1p-6);
  CHECK(oracle::round_bf16(1 + 0x1p-8 + 0x1p-20) == 1 + 0x1p-7);
  CHECK(oracle::round_f16(1 + 0x1p-11) == 1);
  CHECK(oracle::round_f16(65519) == 65504);
  CHECK(oracle::round_f16(65520) == infinity);
  CHECK(oracle::round_f16(0x1p-24) == 0x1p-24);
  CHECK(oracle::round_f16(0x1p-25) == 0);
  CHECK(oracle::round_f16(-1.5 * 0x1p-24) == -0x1p-23);
}

TEST_CASE("planted faults exceed the tolerance") {
  Problem p = random_problem(2, 2, 3, 1000, 32, 4);
  const Answer truth = oracle::attention(p);
  const double allowed = oracle::tolerance(oracle::attention(p, oracle::round_bf16), truth);
  CHECK(allowed < 5e-3);

  p.visible = [](long, long, long, long k) { return k != 500; };
  CHECK(oracle::largest_difference(oracle::attention(p).out, truth.out) > allowed);
  p.visible = nullptr;
  std::rotate(p.k.begin(), p.k.begin() + 32000, p.k.end());
  std::rotate(p.v.begin(), p.v.begin() + 32000, p.v.end());
  CHECK(oracle::largest_difference(oracle::attention(p).out, truth.out) > allowed);
}
