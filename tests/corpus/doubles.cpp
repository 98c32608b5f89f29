// Oracles of cuda/doubles.cu: the host's libm. Library functions of CUDA are within two units in
// the last place in double precision and four in single, the approximate ones they are built on
// aside.
#include <cfenv>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

constexpr int n = 300;

double product_toward_zero(double a, double b) {
  double near = a * b;  // the rest by fma
  const double rest = std::fma(a, b, -near);
  if ((near > 0 && rest < 0) || (near < 0 && rest > 0)) near = std::nextafter(near, 0.0);
  return near;
}

double arithmetic(double a, double b, int k) {
  switch (k) {
    case 0: return a + b;
    case 1: return a * b - a;
    case 2: return a / b;
    case 3: return std::sqrt(std::fabs(a));
    case 4: return 1.0 / b;
    case 5: return std::fma(a, b, 0.125);
    case 6: return std::fmod(a, b);
    case 7: return product_toward_zero(a, b);
    case 8: return double((long long)(a)) + double(unsigned(std::fabs(b))) + double(float(a));
    default:
      return std::fmin(a, b) + std::fmax(std::nearbyint(a), std::floor(b)) +
             std::copysign(std::trunc(a), b);
  }
}

double function(double a, int k) {
  switch (k) {
    case 0: return std::exp(a);
    case 1: return std::log(std::fabs(a) + 1e-3);
    case 2: return std::sin(a);
    case 3: return std::cos(a);
    case 4: return std::tanh(a);
    case 5: return std::pow(std::fabs(a) + 0.5, 1.7);
    case 6: return 1 / std::sqrt(std::fabs(a) + 0.25);
    case 7: return std::erf(a);
    case 8: return std::exp2(a);
    default: return std::atan2(a, 2.0);
  }
}

double single_function(float a, int k) {
  const double x = a;
  switch (k) {
    case 0: return std::exp(x);
    case 1: return std::log(double(std::fabs(a) + 1e-3f));
    case 2: return std::sin(x);
    case 3: return std::tanh(x);
    case 4: return std::pow(double(std::fabs(a) + 0.5f), double(1.7f));
    case 5: return a / (std::fabs(a) + 0.1f);
    case 6: return std::sqrt(std::fabs(x));
    case 7: return std::erf(x);
    case 8: return std::cbrt(x);
    default: return std::fmod(a, 0.7f);
  }
}

}  // namespace

void add_doubles(Cases& cases) {
  cases.push_back({"doubles", "arithmetic", "300", [](Session& session) {
                     const auto a = random_reals<double>(n, 11, 1000),
                                b = random_reals<double>(n, 12, 30);
                     const auto in_a = session.input(a), in_b = session.input(b);
                     const auto out = session.output<double>(10 * n);
                     session.launch("arithmetic", {3, 128}, in_a, in_b, out, n);
                     std::vector<double> expected;
                     for (std::size_t i = 0; i < n; ++i) {
                       for (int k = 0; k < 10; ++k) expected.push_back(arithmetic(a[i], b[i], k));
                     }
                     return equal(session.read(out), expected, "value");
                   }});
  cases.push_back({"doubles", "functions", "300", [](Session& session) {
                     const auto a = random_reals<double>(n, 13, 5);
                     const auto in = session.input(a);
                     const auto out = session.output<double>(10 * n);
                     session.launch("functions", {3, 128}, in, out, n);
                     std::vector<double> expected;
                     for (std::size_t i = 0; i < n; ++i) {
                       for (int k = 0; k < 10; ++k) expected.push_back(function(a[i], k));
                     }
                     return close(session.read(out), expected, 4 * 0x1p-53, 1e-16, "value");
                   }});
  cases.push_back({"doubles", "single_functions", "300", [](Session& session) {
                     const auto a = random_reals<float>(n, 14, 5);
                     const auto in = session.input(a);
                     const auto out = session.output<float>(10 * n);
                     session.launch("single_functions", {3, 128}, in, out, n);
                     std::vector<double> expected;
                     for (std::size_t i = 0; i < n; ++i) {
                       for (int k = 0; k < 10; ++k) expected.push_back(single_function(a[i], k));
                     }
                     return close(session.read(out), expected, 9 * 0x1p-24, 1e-7, "value");
                   }});
}

}  // namespace tilewright::corpus
