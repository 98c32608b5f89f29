// Oracles of ptx/hand_*.ptx: the products in plain loops, tf32 operands rounded as cvt.rna does,
// and the vector that was passed on.
#include <cstring>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

/// Ten fraction bits, ties away from zero.
float tensor_float(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x1000) & ~0x1fffu;
  std::memcpy(&value, &bits, 4);
  return value;
}

void add_bytes(Cases& cases, int m, int n, int k) {
  const std::string shape =
      std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
  cases.push_back({"hand_gemm_s8", "gemm_s8", shape, [=](Session& session) {
                     const auto a = random_integers<signed char>(std::size_t(m * k), 40, -128, 127);
                     const auto b = random_integers<signed char>(std::size_t(n * k), 41, -128, 127);
                     const auto in_a = session.input(a), in_b = session.input(b);
                     const auto out = session.output<int>(std::size_t(m * n));
                     session.launch("gemm_s8",
                                    {unsigned(n + 31) / 32, 128, 0, unsigned(m + 63) / 64}, in_a,
                                    in_b, out, m, n, k);
                     std::vector<int> expected;
                     for (int i = 0; i < m; ++i) {
                       for (int j = 0; j < n; ++j) {
                         int sum = 0;
                         for (int x = 0; x < k; ++x)
                           sum += a[std::size_t(i * k + x)] * b[std::size_t(j * k + x)];
                         expected.push_back(sum);
                       }
                     }
                     return equal(session.read(out), expected, "C");
                   }});
}

void add_tensor_floats(Cases& cases, int m, int n, int k) {
  const std::string shape =
      std::to_string(m) + " x " + std::to_string(n) + " x " + std::to_string(k);
  cases.push_back({"hand_gemm_tf32", "gemm_tf32", shape, [=](Session& session) {
                     const auto a = random_reals<float>(std::size_t(m * k), 42);
                     const auto b = random_reals<float>(std::size_t(n * k), 43);
                     const auto in_a = session.input(a), in_b = session.input(b);
                     const auto out = session.output<float>(std::size_t(m * n));
                     session.launch("gemm_tf32",
                                    {unsigned(n + 7) / 8, 32, 0, unsigned(m + 15) / 16}, in_a, in_b,
                                    out, m, n, k);
                     std::vector<double> expected;
                     for (int i = 0; i < m; ++i) {
                       for (int j = 0; j < n; ++j) {
                         double sum = 0;
                         for (int x = 0; x < k; ++x) {
                           sum += double(tensor_float(a[std::size_t(i * k + x)])) *
                                  double(tensor_float(b[std::size_t(j * k + x)]));
                         }
                         expected.push_back(sum);
                       }
                     }
                     return close(session.read(out), expected, 1e-5, 1e-5, "C");
                   }});
}

}  // namespace

void add_handwritten(Cases& cases) {
  add_bytes(cases, 70, 40, 80);
  add_bytes(cases, 64, 33, 96);
  add_tensor_floats(cases, 20, 13, 44);
  add_tensor_floats(cases, 16, 8, 8);
  cases.push_back({"hand_relay", "relay", "5 blocks, 320", [](Session& session) {
                     const int n = 320, blocks = 5;
                     const auto x = random_integers<int>(n, 44, -1000, 1000);
                     const auto vectors = session.output<int>(n * (blocks + 1));
                     CORPUS_OK(cuMemcpyHtoD(vectors.address, x.data(), n * sizeof(int)));
                     std::vector<int> counters(blocks + 1, 0);
                     counters[0] = n / 64;
                     const auto flags = session.input(counters);
                     session.launch("relay", {blocks, 128}, vectors, flags, n);
                     std::vector<int> expected;
                     for (int b = 0, added = 0; b <= blocks; added += ++b) {
                       for (const int value : x) expected.push_back(value + added);
                     }
                     return equal(session.read(vectors), expected, "vector");
                   }});
}

}  // namespace tilewright::corpus
