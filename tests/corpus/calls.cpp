// Oracles of cuda/calls.cu: the same functions on the host.
#include "cases.hpp"

namespace tilewright::corpus {
namespace {

int weigh(int x, short y, unsigned char z) { return x * 3 + y - z; }

double join(double x, float scale) {
  const int low = int(x);
  const double high = x - low;
  return low < 0 ? -high : std::fma(high, double(scale), low);
}

int collatz(unsigned x) {
  int steps = 0;
  for (; x != 1 && steps < 200; ++steps) x = x % 2 == 0 ? x / 2 : 3 * x + 1;
  return steps;
}

double result_of(int x, int i) {
  double result = weigh(x, short(i), (unsigned char)(x));
  if (x % 2 == 0) {
    result += join(x * 0.37, 2.0f);
  } else {
    for (int k = 0; k < 9; ++k) {
      const int at = (k * 5 + i) % 9;
      result += weigh(x, short(at), (unsigned char)(x + at)) * (k + 1);
    }
  }
  for (int k = 0; k < i % 4; ++k) result += collatz(unsigned(x & 1023) + unsigned(k) + 1);
  return result;
}

}  // namespace

void add_calls(Cases& cases) {
  cases.push_back({"calls", "calls", "150", [](Session& session) {
                     const int n = 150;
                     const auto x = random_integers<int>(n, 21, -100000, 100000);
                     const auto in = session.input(x);
                     const auto out = session.output<double>(n);
                     session.launch("calls", {3, 64}, in, out, n);
                     std::vector<double> expected;
                     for (int i = 0; i < n; ++i)
                       expected.push_back(result_of(x[std::size_t(i)], i));
                     return equal(session.read(out), expected, "value");
                   }});
  cases.push_back({"calls", "calls_barrier", "128", [](Session& session) {
                     auto x = random_integers<float>(128, 22, -100, 100);
                     const auto in = session.input(x);
                     const auto out = session.output<float>(128);
                     session.launch("calls_barrier", {1, 128}, in, out);
                     for (int k = 0; k < 3; ++k) {
                       const auto before = x;
                       for (std::size_t i = 0; i < 128; ++i) x[i] += before[(i + 1) % 128];
                     }
                     return equal(session.read(out), x, "value");
                   }});
  cases.push_back(
      {"calls", "calls_pointer", "100", [](Session& session) {
         const int n = 100;
         const auto x = random_integers<int>(n, 23, 0, 100000);
         const auto in = session.input(x);
         const auto out = session.output<int>(n);
         session.launch("calls_pointer", {1, 128}, in, out, n);
         std::vector<int> expected;
         for (int i = 0; i < n; ++i) {
           const int value = x[std::size_t(i)];
           expected.push_back(value % 3 == 0 ? value + i : value % 3 == 1 ? value - i : value * i);
         }
         return equal(session.read(out), expected, "value");
       }});
}

}  // namespace tilewright::corpus
