// Oracles of cuda/locals.cu: the same on the host.
#include <algorithm>
#include <cstring>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

struct Record {
  double weight;
  short tag;
  unsigned char bytes[6];
};

double record_of(int x) {
  Record all[5];
  for (int k = 0; k < 5; ++k) {
    all[k].weight = x * 0.5 + k;
    all[k].tag = short(x - k);
    for (int b = 0; b < 6; ++b) all[k].bytes[b] = (unsigned char)(x >> b);
  }
  const int chosen = int(unsigned(x) % 5u), byte = int(unsigned(x) % 6u);
  all[chosen].bytes[byte] += 1;
  unsigned char raw[sizeof(Record)];
  std::memcpy(raw, &all[chosen], sizeof raw);
  return all[chosen].weight + all[chosen].tag + raw[10 + byte] + all[(chosen + 1) % 5].bytes[byte];
}

}  // namespace

void add_locals(Cases& cases) {
  cases.push_back({"locals", "sort_rows", "70 x 24", [](Session& session) {
                     const int rows = 70;
                     auto x = random_integers<int>(rows * 24, 19, -500, 500);
                     const auto in = session.input(x);
                     const auto out = session.output<int>(x.size());
                     session.launch("sort_rows", {2, 64}, in, out, rows);
                     for (int r = 0; r < rows; ++r)
                       std::sort(x.begin() + 24 * r, x.begin() + 24 * (r + 1));
                     return equal(session.read(out), x, "value");
                   }});
  cases.push_back({"locals", "records", "100", [](Session& session) {
                     const int n = 100;
                     const auto x = random_integers<int>(n, 20, -100000, 100000);
                     const auto in = session.input(x);
                     const auto out = session.output<double>(n);
                     session.launch("records", {1, 128}, in, out, n);
                     std::vector<double> expected;
                     for (const int value : x) expected.push_back(record_of(value));
                     return equal(session.read(out), expected, "value");
                   }});
}

}  // namespace tilewright::corpus
