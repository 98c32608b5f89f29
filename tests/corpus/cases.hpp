// The cases of each source, and what their oracles share: random values and comparisons that name
// the first element that is wrong.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "session.hpp"

namespace tilewright::corpus {

using Cases = std::vector<Case>;
void add_reductions(Cases& cases);
void add_scans(Cases& cases);
void add_histograms(Cases& cases);
void add_warps(Cases& cases);
void add_doubles(Cases& cases);
void add_integers(Cases& cases);
void add_locals(Cases& cases);
void add_calls(Cases& cases);
void add_atomics(Cases& cases);
void add_triton(Cases& cases);
void add_handwritten(Cases& cases);
inline Cases all_cases() {
  Cases cases;
  for (const auto add :
       {add_reductions, add_scans, add_histograms, add_warps, add_doubles, add_integers, add_locals,
        add_calls, add_atomics, add_triton, add_handwritten}) {
    add(cases);
  }
  return cases;
}

template <class T>
std::vector<T> random_reals(std::size_t count, unsigned seed, double scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(normal(random));
  return values;
}

template <class T>
std::vector<T> random_integers(std::size_t count, unsigned seed, long long low, long long high) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<long long> uniform(low, high);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(uniform(random));
  return values;
}

template <class T>
std::string equal(const std::vector<T>& got, const std::vector<T>& expected, const char* what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i < got.size() && got[i] == expected[i]) continue;
    return std::string(what) + "[" + std::to_string(i) + "] is " +
           (i < got.size() ? std::to_string(got[i]) : "missing") + ", expected " +
           std::to_string(expected[i]);
  }
  return "";
}

/// |got - expected| <= absolute + relative |expected|, and equal where not finite.
template <class T, class U>
std::string close(const std::vector<T>& got, const std::vector<U>& expected, double relative,
                  double absolute, const char* what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double have = i < got.size() ? static_cast<double>(got[i]) : NAN;
    const double want = static_cast<double>(expected[i]);
    const bool same = have == want || (std::isnan(have) && std::isnan(want) && i < got.size());
    if (same || std::fabs(have - want) <= absolute + relative * std::fabs(want)) continue;
    return std::string(what) + "[" + std::to_string(i) + "] is " + std::to_string(have) +
           ", expected " + std::to_string(want);
  }
  return "";
}

}  // namespace tilewright::corpus
