// Oracles of cuda/reductions.cu: plain loops over each row.
#include "cases.hpp"

namespace tilewright::corpus {

void add_reductions(Cases& cases) {
  for (const int columns : {1, 33, 1000}) {
    const std::string shape = "7 x " + std::to_string(columns);
    cases.push_back({"reductions", "row_sum", shape, [columns](Session& session) {
                       const auto x = random_reals<float>(std::size_t(7 * columns), 1);
                       const auto in = session.input(x);
                       const auto out = session.output<float>(7);
                       session.launch("row_sum", {7, 128}, in, out, columns);
                       std::vector<double> expected(7, 0);
                       for (int i = 0; i < 7 * columns; ++i)
                         expected[std::size_t(i / columns)] += x[std::size_t(i)];
                       return close(session.read(out), expected, 1e-5, 1e-4, "sum");
                     }});
    cases.push_back({"reductions", "row_argmin", shape, [columns](Session& session) {
                       const auto x = random_integers<float>(std::size_t(7 * columns), 2, -50, 50);
                       const auto in = session.input(x);
                       const auto out = session.output<int>(7);
                       session.launch("row_argmin", {7, 96}, in, out, columns);
                       std::vector<int> expected(7, 0);
                       for (int r = 0; r < 7; ++r) {
                         for (int i = 1; i < columns; ++i) {
                           int& best = expected[std::size_t(r)];
                           if (x[std::size_t(r * columns + i)] < x[std::size_t(r * columns + best)])
                             best = i;
                         }
                       }
                       return equal(session.read(out), expected, "place");
                     }});
    cases.push_back({"reductions", "row_sum_f64", shape, [columns](Session& session) {
                       const auto x = random_reals<double>(std::size_t(7 * columns), 3);
                       const auto in = session.input(x);
                       const auto out = session.output<double>(7);
                       session.launch("row_sum_f64", {7, 128, 1024}, in, out, columns);
                       std::vector<long double> expected(7, 0);
                       for (int i = 0; i < 7 * columns; ++i)
                         expected[std::size_t(i / columns)] += x[std::size_t(i)];
                       return close(session.read(out), expected, 1e-13, 1e-12, "sum");
                     }});
  }
}

}  // namespace tilewright::corpus
