// What the tasks share and what is not their point: attention by its formula in plain loops, and
// the verdict. Tensors with numbers: ../tensor.hpp.
#pragma once

#include <cmath>
#include <cstdio>
#include <tilewright/library.hpp>
#include <vector>

#include "../tensor.hpp"

namespace task {

using namespace tilewright;
using example::Tensor;

struct Problem {
  int batch = 1, heads = 1, kv_heads = 1, rows = 1, keys = 1, dim = 1;
  double scale() const { return 1 / std::sqrt(static_cast<double>(dim)); }
};

/// The largest error of out(b, h, i, c) and lse(b, h, i) against the formula in double precision;
/// q, k and v are called the same way, sees(i, j) says whether row i sees key j.
template <typename Q, typename K, typename V, typename Sees, typename Out, typename Lse>
double largest_error(const Problem& p, const Q& q, const K& k, const V& v, const Sees& sees,
                     const Out& out, const Lse& lse) {
  double error = 0;
  for (int b = 0; b < p.batch; ++b)
    for (int h = 0; h < p.heads; ++h)
      for (int i = 0; i < p.rows; ++i) {
        const int kv = h / (p.heads / p.kv_heads);
        std::vector<double> value(static_cast<std::size_t>(p.dim));
        double sum = 0;
        for (int j = 0; j < p.keys; ++j) {
          if (!sees(i, j)) continue;
          double s = 0;
          for (int c = 0; c < p.dim; ++c) s += q(b, h, i, c) * k(b, kv, j, c);
          const double weight = std::exp(s * p.scale());
          sum += weight;
          for (int c = 0; c < p.dim; ++c)
            value[static_cast<std::size_t>(c)] += weight * v(b, kv, j, c);
        }
        for (int c = 0; c < p.dim; ++c) {
          const double want = sum == 0 ? 0 : value[static_cast<std::size_t>(c)] / sum;
          error = example::worse(error, std::fabs(out(b, h, i, c) - want));
        }
        const double given = lse(b, h, i), want = std::log(sum);
        if (given != want) error = example::worse(error, std::fabs(given - want));
      }
  return error;
}

/// Prints the verdict; the program's exit status. The emulator's faults count as a wrong result.
inline int verdict(const char* what, const Device& device, double error, double allowed = 0.02) {
  const std::string faults = device.is_emulator() ? device.emulator()->faults() : "[]";
  const bool ok = error <= allowed && faults == "[]";
  std::printf("%s on %s: max error %.2g, allowed %.2g: %s\n", what, device.spec().c_str(), error,
              allowed, ok ? "ok" : "WRONG");
  if (faults != "[]") std::printf("faults: %s\n", faults.c_str());
  return ok ? 0 : 1;
}

/// The end of a task that could not run: nothing to compile with, no device, a wrong argument.
inline int failed(const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

}  // namespace task
