// Oracles of triton/kernels.py: the formulas in double precision, dense. The PTX is Triton's for
// sm_80; the numbers of threads and bytes of shared memory are what triton/remake.py prints.
#include <cstring>
#include <limits>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

using half = unsigned short;

double widened(half bits, bool brain) {
  if (brain) {
    const unsigned word = unsigned(bits) << 16;
    float value;
    std::memcpy(&value, &word, 4);
    return value;
  }
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                 : exponent == 0 ? std::ldexp(fraction, -24)
                                 : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

/// To nearest even; no overflow and no NaN comes here.
half narrowed(double value, bool brain) {
  const unsigned sign = std::signbit(value) ? 0x8000 : 0;
  value = std::fabs(value);
  const int bits = brain ? 7 : 10, bias = brain ? 127 : 15;
  int exponent = 0;
  std::frexp(value, &exponent);
  const int last = std::max(exponent - 1, 1 - bias) - bits;
  const unsigned units = unsigned(std::nearbyint(std::ldexp(value, -last)));
  return half(sign | (units + (unsigned(last + bits + bias - 1) << bits)));
}

std::vector<half> random_halves(std::size_t count, unsigned seed, bool brain, double scale = 1) {
  std::vector<half> made;
  for (const double value : random_reals<double>(count, seed, scale))
    made.push_back(narrowed(value, brain));
  return made;
}

std::vector<double> widened(const std::vector<half>& values, bool brain) {
  std::vector<double> made;
  for (const half value : values) made.push_back(widened(value, brain));
  return made;
}

std::string with_type(const char* name, bool brain) {
  return std::string("triton_") + name + (brain ? "_bf16" : "_f16");
}

constexpr CUdeviceptr no_scratch = 0;  // two parameters that Triton adds and these kernels ignore

void add_softmax(Cases& cases, bool brain, int columns) {
  cases.push_back(
      {with_type("softmax", brain), "row_softmax", "5 x " + std::to_string(columns),
       [=](Session& session) {
         const int rows = 5, stride = columns + 3;
         const auto x = random_halves(std::size_t(rows * stride), 30, brain, 3);
         const auto in = session.input(x);
         const auto out = session.output<half>(std::size_t(rows * columns));
         session.launch("row_softmax", {unsigned(rows), 128, 16}, in, out, columns, stride, columns,
                        no_scratch, no_scratch);
         std::vector<double> expected;
         for (int r = 0; r < rows; ++r) {
           double most = -INFINITY, sum = 0;
           const auto at = [&](int c) { return widened(x[std::size_t(r * stride + c)], brain); };
           for (int c = 0; c < columns; ++c) most = std::max(most, at(c));
           for (int c = 0; c < columns; ++c) sum += std::exp(at(c) - most);
           for (int c = 0; c < columns; ++c) expected.push_back(std::exp(at(c) - most) / sum);
         }
         const double step = brain ? 0x1p-8 : 0x1p-11;
         return close(widened(session.read(out), brain), expected, 1.1 * step, 1e-7, "value");
       }});
}

void add_layer_norm(Cases& cases) {
  cases.push_back({"triton_layer_norm", "layer_norm", "3 x 700", [](Session& session) {
                     const int rows = 3, columns = 700;
                     const float epsilon = 1e-5f;
                     const auto x = random_reals<float>(rows * columns, 31),
                                w = random_reals<float>(columns, 32);
                     const auto in = session.input(x), weight = session.input(w);
                     const auto out = session.output<float>(rows * columns);
                     session.launch("layer_norm", {rows, 128, 1024}, in, weight, out, columns,
                                    epsilon, no_scratch, no_scratch);
                     std::vector<double> expected;
                     for (int r = 0; r < rows; ++r) {
                       double mean = 0, square = 0;
                       for (int c = 0; c < columns; ++c) mean += x[std::size_t(r * columns + c)];
                       mean /= columns;
                       for (int c = 0; c < columns; ++c)
                         square += std::pow(x[std::size_t(r * columns + c)] - mean, 2) / columns;
                       for (int c = 0; c < columns; ++c) {
                         expected.push_back((x[std::size_t(r * columns + c)] - mean) /
                                            std::sqrt(square + double(epsilon)) *
                                            w[std::size_t(c)]);
                       }
                     }
                     return close(session.read(out), expected, 1e-5, 1e-5, "value");
                   }});
}

void add_matmul(Cases& cases, bool brain) {
  cases.push_back(
      {with_type("matmul", brain), "matmul", "100 x 80 x 144", [=](Session& session) {
         const int m = 100, n = 80, k = 144;
         const auto a = random_halves(m * k, 33, brain), b = random_halves(k * n, 34, brain);
         const auto in_a = session.input(a), in_b = session.input(b);
         const auto out = session.output<half>(m * n);
         session.launch("matmul", {4, 128, 16384}, in_a, in_b, out, m, n, k, k, n, n, no_scratch,
                        no_scratch);
         std::vector<double> expected(m * n, 0);
         for (int i = 0; i < m; ++i) {
           for (int j = 0; j < n; ++j) {
             double& sum = expected[std::size_t(i * n + j)];
             for (int x = 0; x < k; ++x)
               sum += widened(a[std::size_t(i * k + x)], brain) *
                      widened(b[std::size_t(x * n + j)], brain);
           }
         }
         const double step = brain ? 0x1p-8 : 0x1p-11;
         return close(widened(session.read(out), brain), expected, 1.1 * step, 1e-4, "value");
       }});
}

void add_attention(Cases& cases, bool brain, bool causal, int keys) {
  const std::string file = with_type("attention", brain) + (causal ? "_causal" : "");
  cases.push_back(
      {file, "attention", "2 heads, 100 x " + std::to_string(keys), [=](Session& session) {
         const int heads = 2, queries = 100, head = 64;
         const float scale = 0.125f;
         const auto q = random_halves(std::size_t(heads * queries * head), 35, brain);
         const auto k = random_halves(std::size_t(heads * keys * head), 36, brain);
         const auto v = random_halves(std::size_t(heads * keys * head), 37, brain);
         const auto in_q = session.input(q), in_k = session.input(k), in_v = session.input(v);
         const auto out = session.output<half>(q.size());
         const auto lse = session.output<float>(std::size_t(heads * queries));
         session.launch("attention", {2, 128, 24576, unsigned(heads)}, in_q, in_k, in_v, out, lse,
                        scale, queries, keys, no_scratch, no_scratch);
         std::vector<double> expected, expected_lse;
         for (int h = 0; h < heads; ++h) {
           for (int i = 0; i < queries; ++i) {
             std::vector<double> scores;
             double most = -INFINITY, sum = 0;
             for (int j = 0; j < (causal ? std::min(keys, i + 1) : keys); ++j) {
               double score = 0;
               for (int x = 0; x < head; ++x) {
                 score += widened(q[std::size_t((h * queries + i) * head + x)], brain) *
                          widened(k[std::size_t((h * keys + j) * head + x)], brain);
               }
               scores.push_back(score * double(scale));
               most = std::max(most, scores.back());
             }
             for (const double score : scores) sum += std::exp(score - most);
             expected_lse.push_back(most + std::log(sum));
             for (int x = 0; x < head; ++x) {
               double value = 0;
               for (std::size_t j = 0; j < scores.size(); ++j) {
                 value += std::exp(scores[j] - most) *
                          widened(v[(std::size_t(h * keys) + j) * head + std::size_t(x)], brain);
               }
               expected.push_back(value / sum);  // not a number where there is no key
             }
           }
         }
         // The weights are rounded to the element type before the second product.
         const double step = brain ? 0x1p-8 : 0x1p-11;
         const std::string wrong =
             close(widened(session.read(out), brain), expected, 2 * step, 2 * step, "out");
         return wrong.empty() ? close(session.read(lse), expected_lse, 1e-5, 1e-5, "lse") : wrong;
       }});
}

}  // namespace

void add_triton(Cases& cases) {
  for (const bool brain : {false, true}) {
    add_softmax(cases, brain, 500);
    add_softmax(cases, brain, 3);
    add_matmul(cases, brain);
    for (const int keys : {90, 0}) add_attention(cases, brain, false, keys);
    for (const int keys : {100, 0}) add_attention(cases, brain, true, keys);
  }
  add_layer_norm(cases);
}

}  // namespace tilewright::corpus
