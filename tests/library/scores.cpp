// Masks and score functions asked on the host, against the formulas in plain C++: every element of
// small matrices, with numbers and tables of a launch.
#include "scores/evaluate.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <tilewright/error.hpp>

using namespace tilewright;
using namespace tilewright::library;

namespace {

long floor_div(long a, long b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

/// Compares at every element of 2 x 3 matrices of 7 rows and 11 keys.
void check(const ScoreTree& tree, const ScoreSetting& setting,
           const std::function<double(long b, long h, long q, long k)>& formula) {
  for (long b = 0; b < 2; ++b)
    for (long h = 0; h < 3; ++h)
      for (long q = 0; q < setting.seqlen_q; ++q)
        for (long k = 0; k < setting.seqlen_kv; ++k) {
          const double score = 0.25 * static_cast<double>(q - k + h);
          const double got = evaluate(tree, setting, {b, h, q, k, score});
          CHECK(got == doctest::Approx(formula(b, h, q, k)).epsilon(1e-12));
        }
}

const ScoreSetting setting{.seqlen_q = 7, .seqlen_kv = 11, .heads = 3};

}  // namespace

TEST_CASE("integers: division and remainder round down, by zero they are zero") {
  const Index q = detail::row_index(), k = detail::key_index();
  check(((q - k) / 3 * 100 + (q - k) % 3).tree(), setting, [](long, long, long q, long k) {
    const long x = q - k, y = floor_div(x, 3);
    return static_cast<double>(100 * y + x - 3 * y);
  });
  check(((q - k) / -4 + (q - k) % (k - k)).tree(), setting,
        [](long, long, long q, long k) { return static_cast<double>(floor_div(q - k, -4)); });
  check((min(q, k) * max(q, k) + abs(q - k) - -Index::heads() +
         Index::seqlen_q() * Index::seqlen_kv())
            .tree(),
        setting, [](long, long, long q, long k) {
          return static_cast<double>(q * k + std::labs(q - k) + 3 + 77);
        });
}

TEST_CASE("masks with the numbers of a launch, or their defaults") {
  for (const double window : {0., 2., 5.}) {
    ScoreSetting launch = setting;
    if (window != 0) launch.numbers = {{"window", window}};
    const long width = window == 0 ? 4 : static_cast<long>(window);
    check(sliding_window(4).tree(), launch, [=](long, long, long q, long k) {
      const long p = q + 4;
      return k > p - width && k <= p ? 1. : 0.;
    });
  }
  check((!chunked(3) || prefix_lm(2)).tree(), setting, [](long, long, long q, long k) {
    const long p = q + 4;
    return !(k <= p && k / 3 == p / 3) || k < 2 || k <= p ? 1. : 0.;
  });
}

TEST_CASE("scores with tables; past the end they read zero") {
  ScoreSetting launch = setting;
  launch.tables["slopes"] = {{2}, {0.5, 0.25}};  // of three heads
  check((softcap(2) | alibi()).tree(), launch, [](long, long h, long q, long k) {
    const double s = 0.25 * static_cast<double>(q - k + h);
    const double slope = h == 0 ? 0.5 : h == 1 ? 0.25 : 0;
    return 2 * std::tanh(s / 2) - slope * static_cast<double>(std::labs(q + 4 - k));
  });
  const ScoreMod functions([](Score s, Index b, Index, Index, Index) {
    return where(b == 1, exp(s) + log(exp2(s)), max(tanh(s), 0.5) / log2(Score(8.)));
  });
  check(functions.tree(), setting, [](long b, long h, long q, long k) {
    const double s = 0.25 * static_cast<double>(q - k + h);
    return b == 1 ? std::exp(s) + s * std::log(2.) : std::max(std::tanh(s), 0.5) / 3;
  });
}

TEST_CASE("a table that nobody gave is named") {
  std::string id, argument;
  try {
    evaluate(alibi().tree(), setting, {});
  } catch (const Error& error) {
    id = error.id();
    argument = error.argument();
  }
  CHECK(id == "table-not-there");
  CHECK(argument == "slopes");
}

TEST_CASE("a tree that doubles itself sixty times is computed and written in no time") {
  Index x = detail::row_index() + detail::key_index();
  Index wide = x;
  for (int i = 0; i < 60; ++i) x = min(x + x, x - x + 5), wide = max(wide, wide);
  const double got = evaluate(x.tree(), setting, {0, 0, 2, 1, 0});
  CHECK(got == 5);
  CHECK(evaluate(wide.tree(), setting, {0, 0, 2, 1, 0}) == 3);
  CHECK(x.text().size() < 20000);
}
