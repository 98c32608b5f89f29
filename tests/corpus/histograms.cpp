// Oracles of cuda/histogram.cu: one loop.
#include "cases.hpp"

namespace tilewright::corpus {

void add_histograms(Cases& cases) {
  cases.push_back({"histogram", "histogram_shared", "10007 bytes", [](Session& session) {
                     const int n = 10007;
                     const auto x = random_integers<unsigned char>(n, 7, 0, 255);
                     const auto in = session.input(x);
                     const auto bins = session.input(std::vector<unsigned>(256, 5));
                     session.launch("histogram_shared", {3, 128}, in, bins, n);
                     std::vector<unsigned> expected(256, 5);
                     for (const unsigned char value : x) ++expected[value];
                     return equal(session.read(bins), expected, "bin");
                   }});
  cases.push_back({"histogram", "histogram_matched", "1001 shorts", [](Session& session) {
                     const int n = 1001;
                     const auto x = random_integers<unsigned short>(n, 8, 0, 9);
                     const auto in = session.input(x);
                     const auto bins = session.input(std::vector<unsigned long long>(10, 0));
                     session.launch("histogram_matched", {8, 128}, in, bins, n);
                     std::vector<unsigned long long> expected(10, 0);
                     for (const unsigned short value : x) ++expected[value];
                     return equal(session.read(bins), expected, "bin");
                   }});
}

}  // namespace tilewright::corpus
