// The plain formulas that `--check` trusts, written a second time from the definitions of
// variants.md, pair by pair; of patterns that are drawn, what every draw has.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <sstream>

#include "command/command_line.hpp"
#include "command/shape_options.hpp"
#include "variants/table.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

struct Case {
  Request request;
  Formula formula;
};

Case case_of(const std::string& line) {
  std::istringstream stream("run " + line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  const VariantEntry entry = find_variant(variants(), words[1]);
  Request request =
      command::request_of(command::parse(words, variants()).arguments, entry, variants());
  Formula formula = entry.make()->formula(request);
  return {std::move(request), std::move(formula)};
}

std::vector<std::uint8_t> row_of(const Case& one, long b, long h, long q) {
  std::vector<std::uint8_t> row(static_cast<std::size_t>(one.request.shape.seqlen_kv), 1);
  if (one.formula.visible) one.formula.visible(b, h, q, row);
  return row;
}

/// Calls visit(b, h, q, k) for all pairs.
void each_pair(const AttentionShape& s, const std::function<void(long, long, long, long)>& visit) {
  for (long b = 0; b < s.batch; ++b)
    for (long h = 0; h < s.heads; ++h)
      for (long q = 0; q < s.seqlen_q; ++q)
        for (long k = 0; k < s.seqlen_kv; ++k) visit(b, h, q, k);
}

/// Row q at key p, head h, key k, keys in all.
using Sees = std::function<bool(long p, long k, long h, long q)>;

void check_sees(const std::string& line, const Sees& sees) {
  for (const char* size : {" --seqlen-q 37 --seqlen-kv 37", " --seqlen-q 20 --seqlen-kv 61",
                           " --seqlen-q 61 --seqlen-kv 20", " --seqlen-q 1 --seqlen-kv 1"}) {
    const std::string all = line + size + " --heads 3";
    CAPTURE(all);
    const Case one = case_of(all);
    const AttentionShape& s = one.request.shape;
    long wrong = 0;
    for (long h = 0; h < 3; ++h)
      for (long q = 0; q < s.seqlen_q; ++q) {
        const auto row = row_of(one, 0, h, q);
        for (long k = 0; k < s.seqlen_kv; ++k)
          wrong += (row[static_cast<std::size_t>(k)] != 0) !=
                   sees(q + s.seqlen_kv - s.seqlen_q, k, h, q);
      }
    CHECK(wrong == 0);
  }
}

long floor_div(long x, long by) { return x >= 0 ? x / by : -((-x + by - 1) / by); }

/// What each variant makes of a score, against `wanted(score, p, k, h)`.
void check_scores(const std::string& line,
                  const std::function<double(double, long, long, long)>& wanted) {
  for (const char* size : {" --seqlen-q 37 --seqlen-kv 37", " --seqlen-q 20 --seqlen-kv 61"}) {
    const std::string all = line + size;
    CAPTURE(all);
    const Case one = case_of(all);
    const AttentionShape& s = one.request.shape;
    for (long h = 0; h < s.heads; ++h)
      for (long q = 0; q < s.seqlen_q; ++q) {
        const auto row = row_of(one, 0, h, q);
        std::vector<double> scores(row.size());
        for (std::size_t k = 0; k < scores.size(); ++k)
          scores[k] = std::sin(double(7 * h + 3 * q) + double(k)) * 4;
        const std::vector<double> before = scores;
        one.formula.scored(0, h, q, row, scores);
        for (std::size_t k = 0; k < scores.size(); ++k)
          if (row[k] != 0)
            CHECK(scores[k] == doctest::Approx(wanted(before[k], q + s.seqlen_kv - s.seqlen_q,
                                                      static_cast<long>(k), h))
                                   .epsilon(1e-9));
      }
  }
}

}  // namespace

TEST_CASE("causal in both corners, windows, prefixes, chunks, first tokens") {
  for (const char* variant : {"flash", "standard"}) {
    check_sees(variant, [](long, long, long, long) { return true; });
    check_sees(std::string(variant) + " --causal",
               [](long p, long k, long, long) { return k <= p; });
    check_sees(std::string(variant) + " --causal --causal-alignment top-left",
               [](long, long k, long, long q) { return k <= q; });
  }
  for (const auto& [left, right] : {std::pair{0, 0}, {5, 0}, {7, 9}, {-1, 3}, {4, -1}, {1000, 0}})
    check_sees("sliding_window --window-left " + std::to_string(left) + " --window-right " +
                   std::to_string(right),
               [=, left = left, right = right](long p, long k, long, long) {
                 return (left == -1 || p - k <= left) && (right == -1 || k - p <= right);
               });
  for (const int prefix : {0, 1, 13, 500})
    check_sees("prefix_lm --prefix " + std::to_string(prefix),
               [=](long p, long k, long, long) { return k < prefix || k <= p; });
  for (const int chunk : {1, 7, 16, 500})
    check_sees("chunked --chunk " + std::to_string(chunk), [=](long p, long k, long, long) {
      return k <= p && floor_div(k, chunk) == floor_div(p, chunk);
    });
  check_sees("sinks --window-left 6 --sink-tokens 3",
             [](long p, long k, long, long) { return k < 3 || (k <= p && p - k <= 6); });
  check_sees("sinks", [](long, long, long, long) { return true; });
}

TEST_CASE("strides, fixed blocks, and the three ways to join two patterns") {
  for (const long stride : {1L, 4L, 7L, 500L}) {
    const std::string of = " --stride " + std::to_string(stride);
    const auto band = [=](long p, long k) { return p - stride < k && k <= p; };
    const auto comb = [=](long p, long k) { return k <= p && (p - k) % stride == 0; };
    check_sees("strided" + of, [=](long p, long k, long, long) { return comb(p, k); });
    check_sees("factorized" + of,
               [=](long p, long k, long, long) { return band(p, k) || comb(p, k); });
    check_sees("factorized --integration alternating --layer 2" + of,
               [=](long p, long k, long, long) { return band(p, k); });
    check_sees("factorized --integration alternating --layer 3" + of,
               [=](long p, long k, long, long) { return comb(p, k); });
    check_sees("factorized --integration multihead" + of,
               [=](long p, long k, long h, long) { return h % 2 == 0 ? band(p, k) : comb(p, k); });
    for (const long summary : {0L, 1L, stride})
      check_sees(
          "fixed --summary " + std::to_string(summary) + of, [=](long p, long k, long, long) {
            return k <= p &&
                   (floor_div(k, stride) == floor_div(p, stride) || k % stride >= stride - summary);
          });
  }
}

TEST_CASE("dilated, local and global windows, Longformer") {
  for (const auto& [window, dilation] : {std::pair{3L, 1L}, {4L, 3L}, {0L, 2L}, {400L, 5L}}) {
    const std::string of =
        " --window " + std::to_string(window) + " --dilation " + std::to_string(dilation);
    const auto near = [w = window, d = dilation](long p, long k) {
      for (long i = -w; i <= w; ++i)
        if (k == p + i * d) return true;
      return false;
    };
    check_sees("dilated" + of, [=](long p, long k, long, long) { return near(p, k); });
    for (const char* how : {"separate", "shared"})
      check_sees("longformer --global-tokens 5 --global-projections " + std::string(how) + of,
                 [=](long p, long k, long, long q) { return q < 5 || k < 5 || near(p, k); });
  }
  check_sees("global --global-tokens 3 --window 6", [](long p, long k, long, long q) {
    return q < 3 || k < 3 || (p - k <= 6 && k - p <= 6);
  });
  check_sees("local --block-size 10",
             [](long p, long k, long, long) { return floor_div(p, 10) == floor_div(k, 10); });
  // Rows of their own have inputs of their own.
  const Case longformer = case_of("longformer --seqlen-q 30 --global-tokens 5 --heads 2");
  CHECK(longformer.formula.own.rows == 5);
  CHECK(longformer.formula.own.q.size() == 2u * 5 * 64 * 2);
  CHECK(case_of("longformer --global-projections shared").formula.own.rows == 0);
}

TEST_CASE("packed sequences, a neighborhood, SPLAT's patterns") {
  const Case packed = case_of("varlen --seqlens 3,0,10 --seqlens-kv 5,2,4 --causal --heads 1");
  const long first_row[] = {0, 3, 3}, rows[] = {3, 0, 10}, first_key[] = {0, 5, 7},
             keys[] = {5, 2, 4};
  for (int i = 0; i < 3; ++i)
    for (long r = 0; r < rows[i]; ++r) {
      const auto row = row_of(packed, 0, 0, first_row[i] + r);
      for (long k = 0; k < 11; ++k) {
        const bool own = k >= first_key[i] && k < first_key[i] + keys[i];
        CHECK((row[static_cast<std::size_t>(k)] != 0) ==
              (own && k - first_key[i] <= r + keys[i] - rows[i]));
      }
    }
  const Case grid = case_of("neighborhood --grid 6x9 --kernel-size 3 --heads 1");
  // variants.md, B14: along an axis of 6, windows of 3 start at 0, 0, 1, 2, 3, 3.
  const long six[] = {0, 0, 1, 2, 3, 3}, nine[] = {0, 0, 1, 2, 3, 4, 5, 6, 6};
  each_pair(grid.request.shape, [&](long, long, long q, long k) {
    const long y = six[q / 9], x = nine[q % 9];
    const bool sees = k / 9 >= y && k / 9 < y + 3 && k % 9 >= x && k % 9 < x + 3;
    CHECK((row_of(grid, 0, 0, q)[static_cast<std::size_t>(k)] != 0) == sees);
  });
  const auto square = [](const std::string& pattern, const std::function<bool(long, long)>& sees) {
    const Case one = case_of("acsr --seqlen-q 40 --heads 1 --width 7 --pattern " + pattern);
    long wrong = 0;
    for (long q = 0; q < 40; ++q)
      for (long k = 0; k < 40; ++k)
        wrong += (row_of(one, 0, 0, q)[static_cast<std::size_t>(k)] != 0) != sees(q, k);
    CAPTURE(pattern);
    CHECK(wrong == 0);
  };
  square("window", [](long i, long j) { return std::labs(i - j) <= 7; });
  square("causal_window", [](long i, long j) { return i - 7 <= j && j <= i; });
  square("blocked", [](long i, long j) { return (i / 7 - 1) * 7 <= j && j < (i / 7 + 1) * 7; });
  square("strided", [](long i, long j) { return j % 7 == i % 7; });
  square("causal_strided", [](long i, long j) { return j % 7 == i % 7 && j <= i; });
  square("dilated --dilation 3",
         [](long i, long j) { return j % 3 == i % 3 && i - 21 <= j && j <= i + 21; });
  square("fixed_local", [](long i, long j) { return i / 7 * 7 <= j && j <= i; });
  square("fixed_summary", [](long i, long j) { return (j + 1) % 7 == 0 && j <= i; });
  square("merged_strided", [](long i, long j) { return j <= i && (i < j + 7 || i % 7 == j % 7); });
  square("fixed_union",
         [](long i, long j) { return j <= i && (i / 7 * 7 <= j || (j + 1) % 7 == 0); });
  square("longformer --global-tokens 3",
         [](long i, long j) { return (i - 7 <= j && j <= i + 7) || i < 3 || j < 3; });
}

TEST_CASE("what every drawn pattern has") {
  const Case big = case_of("bigbird --seqlen-q 300 --block-size 32 --random-blocks 2 --heads 3");
  std::set<std::string> of_heads;
  for (long h = 0; h < 3; ++h) {
    std::string all;
    for (long i = 0; i < 10; ++i) {  // blocks of rows
      const auto row = row_of(big, 0, h, 32 * i);
      std::set<long> seen;
      for (long k = 0; k < 300; ++k) {
        if (row[static_cast<std::size_t>(k)] != 0) seen.insert(k / 32);
        CHECK(row[static_cast<std::size_t>(k)] == row[static_cast<std::size_t>(k / 32 * 32)]);
      }
      std::set<long> always{0, 9};
      for (long j = std::max(i - 1, 0L); j <= std::min(i + 1, 9L); ++j) always.insert(j);
      const bool global = i == 0 || i == 9;
      CHECK(std::includes(seen.begin(), seen.end(), always.begin(), always.end()));
      CHECK(seen.size() == (global ? 10 : always.size() + 2));
      for (const std::uint8_t one : row) all += static_cast<char>('0' + one);
    }
    of_heads.insert(all);
  }
  CHECK(of_heads.size() == 3);  // drawn for each head
  for (const bool causal : {false, true}) {
    const Case random = case_of("random --random-keys 6 --seqlen-q 50 --seqlen-kv 60 --heads 2" +
                                std::string(causal ? " --causal" : ""));
    for (long h = 0; h < 2; ++h)
      for (long q = 0; q < 50; ++q) {
        const auto row = row_of(random, 0, h, q);
        CHECK(std::count(row.begin(), row.end(), 1) == 6);
        if (causal) CHECK(std::count(row.begin() + q + 11, row.end(), 1) == 0);
      }
  }
  const Case csr = case_of("csr --keys 4 --seqlen-q 50 --seqlen-kv 60 --heads 2");
  for (long q = 0; q < 50; ++q) {
    const auto row = row_of(csr, 0, 0, q);
    CHECK(std::count(row.begin(), row.end(), 1) == q % 5);
    CHECK(row == row_of(csr, 0, 1, q));
  }
  const Case sparse = case_of("block_sparse --block-size 32 --density 0.5 --seqlen-q 640");
  long blocks = 0;
  for (long h = 0; h < 8; ++h)
    for (long i = 0; i < 20; ++i) {
      const auto row = row_of(sparse, 0, h, 32 * i);
      CHECK(row == row_of(sparse, 0, h, 32 * i + 31));
      for (std::size_t j = 0; j < 20; ++j) {
        blocks += row[32 * j];
        CHECK(row[32 * j] == row[32 * j + 31]);
      }
    }
  CHECK(blocks > 1400);
  CHECK(blocks < 1800);  // of 3200
  const Case tree = case_of("tree --draft-tokens 20 --seqlen-q 30 --seqlen-kv 40 --heads 1");
  std::vector<std::vector<std::uint8_t>> rows;
  for (long q = 0; q < 30; ++q) rows.push_back(row_of(tree, 0, 0, q));
  for (std::size_t q = 0; q < 30; ++q)
    for (std::size_t k = 0; k < 40; ++k) {
      if (q < 10) CHECK((rows[q][k] != 0) == (k <= q + 10));
      if (q >= 10 && k < 20) CHECK(rows[q][k] == 1);
      if (q < 10 || k < 20) continue;
      if (k - 20 >= q - 10) CHECK((rows[q][k] != 0) == (k - 20 == q - 10));
      if (rows[q][k] == 0) continue;  // what an ancestor sees of the tree, its child sees
      for (std::size_t j = 20; j < 40; ++j) CHECK(rows[q][j] >= rows[k - 10][j]);
    }
}

TEST_CASE("scores: softcap, ALiBi, T5's buckets") {
  check_scores("softcap --softcap 3", [](double s, long, long, long) {
    return 3 * (std::exp(2 * s / 3) - 1) / (std::exp(2 * s / 3) + 1);
  });
  check_scores("alibi --heads 4", [](double s, long p, long k, long h) {
    return s - std::ldexp(1.0, static_cast<int>(-2 * (h + 1))) * double(std::labs(p - k));
  });
  // variants.md, A30: heads that are no power of two take every other slope of the next.
  const double twelve[] = {1.0 / 2,       1.0 / 4,       1.0 / 8,      1.0 / 16,
                           1.0 / 32,      1.0 / 64,      1.0 / 128,    1.0 / 256,
                           0.70710678119, 0.35355339059, 0.1767766953, 0.08838834765};
  check_scores("alibi --heads 12", [&](double s, long p, long k, long h) {
    return s - twelve[h] * double(std::labs(p - k));
  });
  // T5: exact up to 8 (both directions), then logarithmically up to 128. The learned numbers are
  // drawn, so what is asked is that distances of one bucket get the same.
  const Case t5 = case_of("t5_bias --seqlen-q 300 --heads 1");
  std::vector<double> bias(300, 0);
  const auto row = row_of(t5, 0, 0, 0);
  t5.formula.scored(0, 0, 0, row, bias);
  const auto same = [&](std::size_t a, std::size_t b) { return bias[a] == bias[b]; };
  for (std::size_t far = 0; far < 8; ++far) CHECK_FALSE(same(far, far + 1));
  const std::size_t first_of[] = {8, 12, 16, 23, 32, 46, 64, 91};  // of each bucket
  for (std::size_t i = 0; i + 1 < std::size(first_of); ++i) {
    CHECK(same(first_of[i], first_of[i + 1] - 1));
    CHECK_FALSE(same(first_of[i], first_of[i + 1]));
  }
  CHECK(same(91, 299));
}

TEST_CASE("rows and keys: rotary and sinusoidal positions") {
  for (const char* pairing : {"half", "interleaved"}) {
    const bool half = pairing == std::string("half");
    const Case rope = case_of(
        "rope --seqlen-q 4 --seqlen-kv 9 --head-dim 8 --rope-dim 6 "
        "--position-scale 2 --rope-base 100 --rope-pairing " +
        std::string(pairing));
    std::vector<double> x{1, 2, 3, 4, 5, 6, 7, 8};
    rope.formula.query(0, 0, 3, x);  // at position 8, halved
    for (int i = 0; i < 3; ++i) {
      const double angle = 4 / std::pow(100, i / 3.0), c = std::cos(angle), s = std::sin(angle);
      const int a = half ? i : 2 * i, b = half ? i + 3 : 2 * i + 1;
      CHECK(x[static_cast<std::size_t>(a)] == doctest::Approx((a + 1) * c - (b + 1) * s));
      CHECK(x[static_cast<std::size_t>(b)] == doctest::Approx((b + 1) * c + (a + 1) * s));
    }
    CHECK(x[6] == 7);
    CHECK(x[7] == 8);
  }
  const Case sums = case_of("sinusoidal --seqlen-q 4 --seqlen-kv 9 --head-dim 8 --heads 2");
  std::vector<double> x(8);
  sums.formula.query(0, 1, 3, x);  // elements 8 to 15 of a model 16 wide, at position 8
  for (std::size_t e = 0; e < 8; ++e) {
    const double angle = 8 / std::pow(10000, double((8 + e) / 2 * 2) / 16);
    CHECK(x[e] == doctest::Approx(e % 2 == 0 ? std::sin(angle) : std::cos(angle)));
  }
}
