// ACSR against plain predicates over all pairs: patterns, densities, round trips, transposes; and
// the segments of a row against the fewest there are, found by trying every way to take a set of
// keys apart.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tilewright/library/acsr.hpp>

using namespace tilewright;

namespace {

using Dense = std::vector<std::uint8_t>;
using Sees = std::function<bool(int q, int k)>;

struct Pattern {
  std::string name;
  Acsr acsr;
  Sees sees;
};

/// With row q at key q.
std::vector<Pattern> patterns(int rows, int keys, int p) {
  return {
      {"window", Acsr::windowed(rows, keys, p, false),
       [=](int q, int k) { return q - p <= k && k <= q + p; }},
      {"causal window", Acsr::windowed(rows, keys, p, true),
       [=](int q, int k) { return q - p <= k && k <= q; }},
      {"blocked", Acsr::blocked(rows, keys, p),
       [=](int q, int k) { return (q / p - 1) * p <= k && k < (q / p + 1) * p; }},
      {"strided", Acsr::strided(rows, keys, p), [=](int q, int k) { return k % p == q % p; }},
      {"causal strided", Acsr::strided(rows, keys, p, true),
       [=](int q, int k) { return k % p == q % p && k <= q; }},
      {"dilated", Acsr::dilated(rows, keys, 3, p),
       [=](int q, int k) { return k % p == q % p && q - 3 * p <= k && k <= q + 3 * p; }},
      {"fixed, local", Acsr::fixed_local(rows, keys, p),
       [=](int q, int k) { return q / p * p <= k && k <= q; }},
      {"fixed, summary", Acsr::fixed_summary(rows, keys, p),
       [=](int q, int k) { return (k + 1) % p == 0 && k <= q; }},
      {"merged strided", Acsr::merged_strided(rows, keys, p),
       [=](int q, int k) { return k <= q && (q - k < p || q % p == k % p); }},
      {"fixed, union", Acsr::fixed_union(rows, keys, p),
       [=](int q, int k) { return k <= q && (q / p * p <= k || (k + 1) % p == 0); }},
      {"longformer", Acsr::longformer(rows, keys, p, 5),
       [=](int q, int k) { return (q - p <= k && k <= q + p) || k < 5 || q < 5; }},
  };
}

Dense dense(int rows, int keys, const Sees& sees) {
  Dense all;
  for (int q = 0; q < rows; ++q)
    for (int k = 0; k < keys; ++k) all.push_back(sees(q, k) ? 1 : 0);
  return all;
}

/// The rows, read off their segments by their definition; a key that two have would count twice.
Dense written_out(const Acsr& acsr) {
  Dense all(static_cast<std::size_t>(acsr.rows() * acsr.keys()));
  for (std::int64_t q = 0; q < acsr.rows(); ++q)
    for (const AcsrSegment& one : acsr.row(q))
      for (int s = 0; s < one.count; ++s)
        ++all.at(static_cast<std::size_t>(q * acsr.keys() + one.start + one.step * s));
  return all;
}

double density(const Acsr& acsr) {
  std::int64_t pairs = 0;
  for (std::int64_t q = 0; q < acsr.rows(); ++q) pairs += acsr.count(q);
  return static_cast<double>(pairs) / static_cast<double>(acsr.rows() * acsr.keys());
}

std::string text(const Acsr& acsr) {
  std::string all;
  for (std::int64_t q = 0; q < acsr.rows(); ++q)
    for (const AcsrSegment& one : acsr.row(q))
      all += "(" + std::to_string(one.start) + "," + std::to_string(one.step) + "," +
             std::to_string(one.count) + ")";
  return all;
}

}  // namespace

TEST_CASE("patterns are what their formulas say, and come back from a dense matrix") {
  for (const auto& [rows, keys] : {std::array{10, 10},
                                   {16, 16},
                                   {32, 32},
                                   {128, 128},
                                   {33, 70},
                                   {70, 33},
                                   {1, 9},
                                   {9, 1},
                                   {0, 4},
                                   {4, 0}})
    for (const int p : {1, 2, 7, 20, 57, 328})
      for (const Pattern& one : patterns(rows, keys, p)) {
        CAPTURE(one.name);
        CAPTURE(p);
        CAPTURE(rows);
        CAPTURE(keys);
        const Dense wanted = dense(rows, keys, one.sees);
        CHECK(one.acsr.dense() == wanted);
        CHECK(written_out(one.acsr) == wanted);
        const Acsr again = Acsr::from_dense(rows, keys, wanted);
        CHECK(written_out(again) == wanted);
        CHECK(again.segments() <= one.acsr.segments());
        std::int64_t widest = 0;
        for (int q = 0; q < rows; ++q) {
          const auto row = wanted.begin() + q * keys;
          CHECK(again.count(q) == std::count(row, row + keys, 1));
          widest = std::max(widest, again.count(q));
          for (int k = 0; k < keys; ++k) CHECK(one.acsr.visible(q, k) == (row[k] != 0));
        }
        CHECK(again.width() == widest);
      }
}

TEST_CASE("long rows") {
  for (const int p : {7, 20, 57, 328})
    for (const Pattern& one : patterns(1000, 1000, p)) {
      CAPTURE(one.name);
      CAPTURE(p);
      const Dense wanted = dense(1000, 1000, one.sees);
      CHECK(one.acsr.dense() == wanted);
      CHECK(written_out(Acsr::from_dense(1000, 1000, wanted)) == wanted);
    }
}

TEST_CASE("densities at 1024, to a tenth of a percent") {
  const auto percent = [](const Acsr& acsr) { return std::lround(1000 * density(acsr)); };
  const auto blocked = [&](int p) { return percent(Acsr::blocked(1024, 1024, p)); };
  const auto windowed = [&](int p) { return percent(Acsr::windowed(1024, 1024, p, false)); };
  const auto strided = [&](int p) { return percent(Acsr::strided(1024, 1024, p)); };
  const int widths[] = {64, 128, 256, 328, 512};
  const long of_blocked[] = {121, 234, 438, 527, 750}, of_windowed[] = {122, 235, 438, 539, 750};
  for (std::size_t i = 0; i < std::size(widths); ++i) {
    CHECK(blocked(widths[i]) == of_blocked[i]);
    CHECK(windowed(widths[i]) == of_windowed[i]);
  }
  CHECK(strided(2) == 500);
  CHECK(strided(4) == 250);
  CHECK(strided(8) == 125);
  CHECK(strided(10) == 100);
  CHECK(percent(Acsr::windowed(4096, 4096, 2048, true)) == 375);
}

TEST_CASE("segments of small examples") {
  CHECK(text(Acsr::windowed(8, 8, 2, false)) ==
        "(0,1,3)(0,1,4)(0,1,5)(1,1,5)(2,1,5)(3,1,5)(4,1,4)(5,1,3)");
  CHECK(text(Acsr::blocked(8, 8, 2)) == "(0,1,2)(0,1,2)(0,1,4)(0,1,4)(2,1,4)(2,1,4)(4,1,4)(4,1,4)");
  CHECK(text(Acsr::strided(8, 8, 3)) == "(0,3,3)(1,3,3)(2,3,2)(0,3,3)(1,3,3)(2,3,2)(0,3,3)(1,3,3)");
  for (const Acsr& one :
       {Acsr::windowed(8, 8, 2, false), Acsr::blocked(8, 8, 2), Acsr::strided(8, 8, 3)})
    CHECK(text(Acsr::from_dense(8, 8, one.dense())) == text(one));
}

TEST_CASE("single keys and empty rows have their neighbours' step") {
  // The rows before a causal stride's second key have one; row 2 sees nothing.
  Dense all = Acsr::strided(9, 9, 3, true).dense();
  std::fill(all.begin() + 2 * 9, all.begin() + 3 * 9, 0);
  const Acsr acsr = Acsr::from_dense(9, 9, all);
  CHECK(acsr.step() == 3);
  for (std::int64_t q = 0; q < 9; ++q) CHECK(acsr.row(q)[0].step == 3);
  CHECK(acsr.count(2) == 0);
  // A step of another row comes from the row before, not from the one after.
  const Dense mixed{1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1};
  const Acsr rows = Acsr::from_dense(3, 5, mixed);
  CHECK(rows.row(1)[0].step == 1);
  CHECK(rows.row(2)[0].step == 4);
  CHECK(rows.step() == 0);
  CHECK(Acsr::from_dense(2, 2, Dense{0, 0, 0, 0}).step() == 1);
}

TEST_CASE("every row of thirteen keys, in the fewest segments") {
  constexpr int keys = 13;
  constexpr unsigned sets = 1u << keys;
  std::vector<unsigned> sequences;
  for (int first = 0; first < keys; ++first) {
    sequences.push_back(1u << first);
    for (int step = 1; first + step < keys; ++step) {
      unsigned sequence = 1u << first;
      for (int key = first + step; key < keys; key += step)
        sequences.push_back(sequence |= 1u << key);
    }
  }
  std::vector<int> fewest(sets, 0);
  for (unsigned set = 1; set < sets; ++set) {
    fewest[set] = keys;
    for (const unsigned one : sequences)
      if ((set & one) == one) fewest[set] = std::min(fewest[set], 1 + fewest[set & ~one]);
  }
  int most = 0;
  for (unsigned set = 0; set < sets; ++set) {
    Dense row;
    for (int key = 0; key < keys; ++key) row.push_back(set >> key & 1);
    most = std::max(most, fewest[set]);
    const Acsr made = Acsr::from_dense(1, keys, row);
    CHECK(written_out(made) == row);
    CHECK(made.segments() == std::max(fewest[set], 1));
  }
  CHECK(most == 4);
}

TEST_CASE("the transpose, where it is of segments again") {
  for (const auto& [rows, keys] : {std::array{32, 32}, {20, 50}, {50, 20}})
    for (const int p : {2, 7, 20})
      for (const Pattern& one : patterns(rows, keys, p)) {
        CAPTURE(one.name);
        const Acsr turned = one.acsr.transpose();
        CHECK(turned.rows() == keys);
        CHECK(written_out(turned) ==
              dense(keys, rows, [&](int k, int q) { return one.sees(q, k); }));
        CHECK(written_out(turned.transpose()) == one.acsr.dense());
        if (one.name == "window" || one.name == "blocked" || one.name == "strided")
          CHECK(turned.segments() == 1);
      }
}

TEST_CASE("the causal part") {
  for (const auto& [rows, keys] : {std::array{16, 16}, {9, 23}, {23, 9}})
    for (const Pattern& one : patterns(rows, keys, 4)) {
      CAPTURE(one.name);
      for (const CausalAlignment side : {bottom_right, top_left}) {
        const int ahead = side == bottom_right ? keys - rows : 0;
        CHECK(written_out(one.acsr.causal(side)) ==
              dense(rows, keys, [&](int q, int k) { return one.sees(q, k) && k <= q + ahead; }));
      }
    }
}
