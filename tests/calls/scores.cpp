// Masks and score functions composed by a caller, against the formula written a second time in
// plain C++: the catalogue, lambdas, combinations, numbers and tables of the launch.
#include "calls.hpp"

using namespace calls;

namespace {

using Visible = std::function<bool(long, long, long, long)>;
using Changed = std::function<double(double, long, long, long, long)>;

oracle::Problem sized(long q, long kv, long heads = 4, long dim = 64) {
  return problem(bf16, {.batch = 2,
                        .heads = heads,
                        .kv_heads = heads / 2,
                        .seqlen_q = q,
                        .seqlen_kv = kv,
                        .head_dim = dim,
                        .value_dim = dim});
}

const std::pair<long, long> lengths[] = {{1, 1}, {63, 64}, {65, 257}, {257, 65}, {200, 333}};

using Numbers = std::vector<std::pair<std::string, double>>;
using Tables = std::vector<std::pair<std::string, TensorView>>;

void check(const AttentionPlan& plan, const oracle::Problem& p, const Numbers& numbers = {},
           const Tables& tables = {}) {
  const Tensors tensors(p, bf16);
  AttentionTensors given = tensors.views;
  given.numbers = numbers;
  given.tables = tables;
  plan.launch(Stream::default_stream(emulator()), given);
  check_results(p, bf16, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}

AttentionPlan compiled(const Attention& attention, long dim = 64) {
  return attention.compile(emulator(), {.head_dim = dim});
}

void check_mask(const Mask& mask, const std::function<Visible(long offset)>& formula) {
  INFO(mask.text());
  const AttentionPlan plan = compiled(Attention{}.mask(mask));
  for (const auto& [q, kv] : lengths) {
    CAPTURE(q);
    CAPTURE(kv);
    oracle::Problem p = sized(q, kv);
    p.visible = formula(kv - q);
    check(plan, p);
  }
}

}  // namespace

TEST_CASE("the named masks") {
  check_mask(causal(),
             [](long off) { return [=](long, long, long q, long k) { return k <= q + off; }; });
  check_mask(causal(top_left),
             [](long) { return [=](long, long, long q, long k) { return k <= q; }; });
  for (const int width : {1, 63, 64, 65, 1000})
    check_mask(sliding_window(width), [=](long off) {
      return [=](long, long, long q, long k) { return q + off - width < k && k <= q + off; };
    });
  for (const auto& [left, right] : {std::pair{0, 0}, {5, 70}, {-1, 3}, {64, -1}, {-1, -1}})
    check_mask(window(left, right), [left = left, right = right](long off) {
      return [=](long, long, long q, long k) {
        return (left < 0 || k >= q + off - left) && (right < 0 || k <= q + off + right);
      };
    });
  for (const int prefix : {0, 40, 129})
    check_mask(prefix_lm(prefix), [=](long off) {
      return [=](long, long, long q, long k) { return k < prefix || k <= q + off; };
    });
  for (const int width : {1, 50, 64})
    check_mask(chunked(width), [=](long off) {
      const auto chunk = [=](long x) { return x >= 0 ? x / width : -1 - (-1 - x) / width; };
      return [=](long, long, long q, long k) { return k <= q + off && chunk(k) == chunk(q + off); };
    });
}

TEST_CASE("lambdas of two and of four, and what is composed of them") {
  check_mask(
      Mask([](Index q, Index k) { return (position(q) - k) % 3 == 0; }) && causal(), [](long off) {
        return [=](long, long, long q, long k) { return k <= q + off && (q + off - k) % 3 == 0; };
      });
  check_mask(Mask([](Index b, Index h, Index q, Index k) {
               return k < 20 * (h + 1) + b || max(q - k, k - q) <= 7;
             }),
             [](long) {
               return [](long b, long h, long q, long k) {
                 return k < 20 * (h + 1) + b || std::abs(q - k) <= 7;
               };
             });
  check_mask(!sliding_window(33) && causal(), [](long off) {
    return [=](long, long, long q, long k) { return k <= q + off - 33; };
  });
}

TEST_CASE("score functions: softcap, ALiBi, one of one's own, and one after the other") {
  const Memory slopes(f32, [] {
    const std::vector<float> given = alibi_slopes(4);
    return std::vector<double>(given.begin(), given.end());
  }());
  const Tables tables{{"slopes", slopes.view({4})}};
  const auto with = [](oracle::Problem p, Changed change, long off, bool causal) {
    p.score = std::move(change);
    if (causal) p.visible = [=](long, long, long q, long k) { return k <= q + off; };
    return p;
  };
  const AttentionPlan cap = compiled(Attention{}.score(softcap(1.5)).mask(causal()));
  const AttentionPlan far = compiled(Attention{}.score(alibi()));
  const AttentionPlan both = compiled(Attention{}.score(softcap(2) | alibi()).mask(causal()));
  const AttentionPlan own =
      compiled(Attention{}.score([](Score s, Index b, Index h, Index q, Index k) {
        return where(q == k, s * 0.5, s + 0.01 * (h + b)) - Score(abs(q - k)) / 64;
      }));
  const AttentionPlan key_first =  // dimensions are met in the other order
      compiled(Attention{}.score(
          [](Score s, Index, Index, Index q, Index k) { return where(k > q, s * 0.5, s); }));
  for (const auto& [q, kv] : lengths) {
    CAPTURE(q);
    CAPTURE(kv);
    const long off = kv - q;
    const auto capped = [](double s, double most) { return most * std::tanh(s / most); };
    const auto biased = [=](double s, long h, long row, long key) {
      return s - std::exp2(-2.0 * static_cast<double>(h + 1)) *
                     static_cast<double>(std::abs(row + off - key));
    };
    check(cap, with(
                   sized(q, kv), [=](double s, long, long, long, long) { return capped(s, 1.5); },
                   off, true));
    check(far,
          with(
              sized(q, kv),
              [=](double s, long, long h, long row, long key) { return biased(s, h, row, key); },
              off, false),
          {}, tables);
    check(both,
          with(
              sized(q, kv),
              [=](double s, long, long h, long row, long key) {
                return biased(capped(s, 2), h, row, key);
              },
              off, true),
          {}, tables);
    check(own, with(
                   sized(q, kv),
                   [](double s, long b, long h, long row, long key) {
                     return (row == key ? s * 0.5 : s + 0.01 * static_cast<double>(h + b)) -
                            static_cast<double>(std::abs(row - key)) / 64;
                   },
                   off, false));
    check(key_first,
          with(
              sized(q, kv),
              [](double s, long, long, long row, long key) { return key > row ? s * 0.5 : s; }, off,
              false));
  }
}

TEST_CASE("the slopes of ALiBi, as the paper's code gives them") {
  const auto close = [](const std::vector<float>& got, const std::vector<double>& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(static_cast<double>(got[i]) == doctest::Approx(want[i]).epsilon(1e-4));
  };
  close(alibi_slopes(8), {.5, .25, .125, .0625, .03125, .015625, .0078125, .00390625});
  close(alibi_slopes(6), {.25, .0625, .015625, .00390625, .5, .125});
  close(alibi_slopes(3), {.0625, .00390625, .25});
  close(alibi_slopes(1), {.00390625});
  close(alibi_slopes(12), {.5, .25, .125, .0625, .03125, .015625, .0078125, .00390625, .707107,
                           .353553, .176777, .088388});
}

TEST_CASE("numbers and tables of the launch: one plan, other windows, lengths by sequence") {
  const AttentionPlan plan = compiled(Attention{}.mask(sliding_window(4)));
  for (const int width : {1, 4, 90}) {
    oracle::Problem p = sized(100, 150);
    p.visible = [=](long, long, long q, long k) { return q + 50 - width < k && k <= q + 50; };
    check(plan, p, {{"window", width}});
  }
  const IndexTable lengths_of("kv_lengths", {TableExtent::batch});
  const AttentionPlan padded =
      compiled(Attention{}.mask([=](Index b, Index, Index, Index k) { return k < lengths_of(b); }));
  const AttentionExtents some{.batch = 2, .heads = 4, .kv_heads = 4, .seqlen_q = 9, .seqlen_kv = 9};
  CHECK(padded.explain(some).find("tiles of keys: as a table of the launch says") !=
        std::string::npos);
  const Device& device = emulator();
  Buffer table(device, 8);
  for (const auto& [first, second] : {std::pair{0, 150}, {149, 1}}) {
    const std::int32_t numbers[2] = {first, second};
    table.upload(numbers, 8);
    oracle::Problem p = sized(100, 150);
    p.visible = [=, a = first, b = second](long batch, long, long, long k) {
      return k < (batch == 0 ? a : b);
    };
    check(padded, p, {}, {{"kv_lengths", TensorView::contiguous(table.address(), i32, {2})}});
  }
}

TEST_CASE("the number of visited and full blocks is the ideal one, at any window") {
  const auto ideal = [](long q, long kv, long bm, long bn, const Visible& visible) {
    long visited = 0, full = 0;
    for (long m = 0; m < q; m += bm)
      for (long n = 0; n < kv; n += bn) {
        long seen = 0, pairs = 0;
        for (long i = m; i < std::min(q, m + bm); ++i)
          for (long j = n; j < std::min(kv, n + bn); ++j) {
            ++pairs;
            seen += visible(0, 0, i, j);
          }
        visited += seen > 0;
        full += seen == pairs;
      }
    return std::pair{visited, full};
  };
  const auto tile = [](const AttentionPlan& plan, const std::string& of) {
    const std::string line = "tile " + of + " ", text = plan.schedule();
    const auto at = text.find(line);
    REQUIRE(at != std::string::npos);
    return std::stol(text.substr(at + line.size()));
  };
  const auto counted = [](const AttentionPlan& plan, long q, long kv) {
    const std::string text = plan.explain({.seqlen_q = q, .seqlen_kv = kv});
    long skipped = 0, full = 0, cut = 0;
    const auto at = text.find("tiles of keys: ");
    REQUIRE(at != std::string::npos);
    REQUIRE(std::sscanf(text.c_str() + at, "tiles of keys: %ld skipped, %ld full, %ld cut",
                        &skipped, &full, &cut) == 3);
    return std::pair{full + cut, full};
  };
  for (const int width : {1, 63, 64, 65, 129, 5000}) {
    const AttentionPlan plan = compiled(Attention{}.mask(sliding_window(width)));
    const AttentionPlan chunks = compiled(Attention{}.mask(chunked(width)));
    const AttentionPlan prefix = compiled(Attention{}.mask(prefix_lm(width)));
    const long bm = tile(plan, "q"), bn = tile(plan, "kv");
    for (const auto& [q, kv] :
         {std::pair{257L, 257L}, {1000L, 1000L}, {65L, 1000L}, {1000L, 65L}}) {
      CAPTURE(width);
      CAPTURE(q);
      CAPTURE(kv);
      const long off = kv - q;
      CHECK(counted(plan, q, kv) == ideal(q, kv, bm, bn, [=](long, long, long i, long j) {
              return i + off - width < j && j <= i + off;
            }));
      CHECK(counted(prefix, q, kv) == ideal(q, kv, bm, bn, [=](long, long, long i, long j) {
              return j < width || j <= i + off;
            }));
      CHECK(counted(chunks, q, kv) == ideal(q, kv, bm, bn, [=](long, long, long i, long j) {
              const long p = i + off;
              return j <= p && p >= 0 && j / width == p / width;
            }));
    }
  }
}

TEST_CASE("what does not fit is refused by name") {
  const AttentionPlan plan = compiled(Attention{}.mask(sliding_window(4)).score(alibi()));
  const oracle::Problem p = sized(8, 8);
  const Tensors tensors(p, bf16);
  const Memory slopes(f32, std::vector<double>(4, 1));
  const auto launch = [&](const Numbers& numbers, const Tables& tables) {
    AttentionTensors given = tensors.views;
    given.numbers = numbers;
    given.tables = tables;
    plan.launch(Stream::default_stream(emulator()), given);
  };
  const auto refuse = [](const std::string& id, const std::string& argument, auto action) {
    const ErrorKind kind =
        id == "extent-disagrees" ? ErrorKind::shape_mismatch : ErrorKind::invalid_argument;
    CHECK(refused(kind, argument, action).id() == id);
  };
  const Tables good{{"slopes", slopes.view({4})}};
  launch({{"window", 3}}, good);
  refuse("score-table-missing", "slopes", [&] { launch({}, {}); });
  refuse("score-argument-unknown", "widow", [&] { launch({{"widow", 3}}, good); });
  refuse("score-argument-unknown", "bias", [&] { launch({}, {{"bias", slopes.view({4})}}); });
  refuse("score-number-unusable", "window", [&] { launch({{"window", 2.5}}, good); });
  refuse("score-number-unusable", "window", [&] { launch({{"window", 2147483647}}, good); });
  refuse("mask-number-out-of-range", "window_right", [] { window(-1, 2147483647); });
  refuse("score-argument-twice", "window", [&] { launch({{"window", 3}, {"window", 4}}, good); });
  refuse("extent-disagrees", "slopes", [&] { launch({}, {{"slopes", slopes.view({3})}}); });
  refuse("mask-number-out-of-range", "width", [] { sliding_window(0); });
  refuse("mask-number-out-of-range", "window_left", [] { window(-2, 0); });
  refuse("mask-number-out-of-range", "cap", [] { softcap(0); });
  refuse("score-name-unusable", "name", [] { Index::scalar("q", 1); });
  refuse("score-name-unusable", "name", [] { Index::scalar("two words", 1); });
  refuse("score-name-ambiguous", "window",
         [] { compiled(Attention{}.mask(sliding_window(4) || sliding_window(5))); });
  refuse("table-without-extents", "ids", [] { IndexTable("ids", {}); });
  refuse("table-indices-disagree", "ids", [] {
    return IndexTable("ids", {TableExtent::batch, TableExtent::any})(1);
  });
  refuse("index-too-large", "Index", [] { return Index(1LL << 31); });
}

TEST_CASE("a fraction stays one") {
  CHECK(Score(0.25 * position(3)).text() == "0.25 * position(3)");
  static_assert(!std::is_convertible_v<double, Index> && !std::is_convertible_v<bool, Index>);
}

TEST_CASE("texts") {
  CHECK(sliding_window(9).text() == "k > position(q) - window && k <= position(q)");
  CHECK(Mask().text() == "true");
  CHECK((softcap(2) | alibi()).text() ==
        "softcap * tanh(s / softcap) - slopes[h] * abs(position(q) - k)");
  CHECK(Mask([](Index q, Index k) { return !(q * (k + 1) == -q % 3) || k < 2 - 3; }).text() ==
        "!(q * (k + 1) == -q % 3) || k < -1");
}
