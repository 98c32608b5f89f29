// The oracle: attention by its formula, in double precision, over all pairs, in plain loops.
//
// It shares no code with anything under test: its own loops, its own rounding, masks as predicates
// over (b, h, q, k). Slow on purpose. A variant's test describes its formula here a second time.
// Tests of the oracle itself: tests/oracle/oracle.cpp, with a worked example by hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace oracle {

/// Tensors are row-major [batch, heads, rows, elements]; heads is a multiple of kv_heads.
struct Problem {
  long batch = 1, heads = 1, kv_heads = 1;
  long seqlen_q = 0, seqlen_kv = 0;
  long head_dim = 0, value_dim = 0;
  double scale = 1;
  std::vector<double> q, k, v;
  /// Empty: every pair is visible.
  std::function<bool(long b, long h, long q, long k)> visible;
  /// Applied to scale * q . k before the mask; empty: unchanged.
  std::function<double(double score, long b, long h, long q, long k)> score;
};

struct Answer {
  std::vector<double> out;  ///< [batch, heads, seqlen_q, value_dim]; 0 in a row that sees no key
  std::vector<double> lse;  ///< [batch, heads, seqlen_q], natural; -inf in a row that sees no key
};

/// `round_input` is applied to P before P V and to the output: the identity for the truth, a 16-bit
/// type's rounding for the naive computation that sets the tolerance.
inline Answer attention(const Problem& p,
                        const std::function<double(double)>& round_input = nullptr) {
  const auto rounded = [&](double x) { return round_input ? round_input(x) : x; };
  Answer answer;
  for (long b = 0; b < p.batch; ++b) {
    for (long h = 0; h < p.heads; ++h) {
      const long kv_head = h / (p.heads / p.kv_heads);
      for (long i = 0; i < p.seqlen_q; ++i) {
        const double* q = &p.q[((b * p.heads + h) * p.seqlen_q + i) * p.head_dim];
        std::vector<double> score(p.seqlen_kv, -std::numeric_limits<double>::infinity());
        double largest = -std::numeric_limits<double>::infinity();
        for (long j = 0; j < p.seqlen_kv; ++j) {
          if (p.visible && !p.visible(b, h, i, j)) continue;
          const double* k = &p.k[((b * p.kv_heads + kv_head) * p.seqlen_kv + j) * p.head_dim];
          double dot = 0;
          for (long d = 0; d < p.head_dim; ++d) dot += q[d] * k[d];
          score[j] = p.score ? p.score(p.scale * dot, b, h, i, j) : p.scale * dot;
          largest = std::max(largest, score[j]);
        }
        if (largest == -std::numeric_limits<double>::infinity()) {
          answer.out.insert(answer.out.end(), p.value_dim, 0.0);
          answer.lse.push_back(largest);
          continue;
        }
        double sum = 0;
        for (const double s : score) sum += std::exp(s - largest);
        std::vector<double> out(p.value_dim, 0.0);
        for (long j = 0; j < p.seqlen_kv; ++j) {
          const double weight = rounded(std::exp(score[j] - largest) / sum);
          if (weight == 0) continue;  // a hidden value may be anything, even NaN
          const double* v = &p.v[((b * p.kv_heads + kv_head) * p.seqlen_kv + j) * p.value_dim];
          for (long e = 0; e < p.value_dim; ++e) out[e] += weight * v[e];
        }
        for (const double o : out) answer.out.push_back(rounded(o));
        answer.lse.push_back(largest + std::log(sum));
      }
    }
  }
  return answer;
}

/// To the nearest number with `precision` significant bits and exponents from `smallest` on (below
/// it the spacing stays that of `smallest`), ties to even; from `overflow` on, infinity.
inline double round_float(double x, int precision, int smallest, double overflow) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  std::frexp(x, &exponent);  // x = m * 2^exponent, 0.5 <= m < 1
  const int last = std::max(exponent, smallest) - precision;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -last)), last);
  return std::abs(rounded) >= overflow ? std::copysign(HUGE_VAL, x) : rounded;
}
inline double round_bf16(double x) { return round_float(x, 8, -125, 0x1p128); }
inline double round_f16(double x) { return round_float(x, 11, -13, 65536.0); }

/// Largest |a - b|; +inf where one is NaN or the infinities differ.
inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return HUGE_VAL;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    const double gap = std::abs(a[i] - b[i]);
    largest = std::max(largest, std::isnan(gap) ? HUGE_VAL : gap);
  }
  return largest;
}

/// What a 16-bit kernel's output may be off by: twice the naive computation's error, plus 1e-5.
inline double tolerance(const Answer& naive, const Answer& truth) {
  return 2 * largest_difference(naive.out, truth.out) + 1e-5;
}

/// Position of row q is q + this under a causal mask; a key is visible up to that position.
inline long bottom_right(const Problem& p) { return p.seqlen_kv - p.seqlen_q; }

}  // namespace oracle
