// Oracles of cuda/scans.cu: running sums.
#include "cases.hpp"

namespace tilewright::corpus {
namespace {

template <class T, class Sum = T>
std::vector<Sum> running_sum(const std::vector<T>& x) {
  std::vector<Sum> sums;
  Sum sum = 0;
  for (const T value : x) sums.push_back(sum += static_cast<Sum>(value));
  return sums;
}

}  // namespace

void add_scans(Cases& cases) {
  for (const int n : {1, 200, 256}) {
    const std::string shape = std::to_string(n) + " of 256";
    cases.push_back({"scans", "scan_shuffle", shape, [n](Session& session) {
                       const auto x = random_integers<int>(std::size_t(n), 4, -1000, 1000);
                       const auto in = session.input(x);
                       const auto out = session.output<int>(x.size());
                       session.launch("scan_shuffle", {1, 256}, in, out, n);
                       return equal(session.read(out), running_sum(x), "sum");
                     }});
    cases.push_back({"scans", "scan_buffers", shape, [n](Session& session) {
                       const auto x = random_reals<float>(std::size_t(n), 5);
                       const auto in = session.input(x);
                       const auto out = session.output<float>(x.size());
                       session.launch("scan_buffers", {1, 256, 2048}, in, out, n);
                       return close(session.read(out), running_sum<float, double>(x), 1e-5, 1e-4,
                                    "sum");
                     }});
  }
  cases.push_back({"scans", "scan_single_pass", "5000", [](Session& session) {
                     const int n = 5000, blocks = (n + 255) / 256;
                     const auto x = random_integers<int>(n, 6, -1000, 1000);
                     const auto in = session.input(x);
                     const auto out = session.output<int>(n);
                     const auto state = session.input(std::vector<int>(std::size_t(blocks), 0));
                     const auto sums = session.output<int>(std::size_t(blocks));
                     const auto ticket = session.input(std::vector<unsigned>{0});
                     session.launch("scan_single_pass", {unsigned(blocks), 256}, in, out, n, state,
                                    sums, ticket);
                     return equal(session.read(out), running_sum(x), "sum");
                   }});
}

}  // namespace tilewright::corpus
