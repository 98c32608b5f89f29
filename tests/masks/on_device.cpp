// Masks with congruences and tables compiled and run on the emulator: results against the formula
// in double precision, and as many tensor operations as visited tiles cost, counted by pairs.
#include <nlohmann/json.hpp>

#include "../calls/calls.hpp"

using namespace calls;

namespace {

using Visible = std::function<bool(long, long, long, long)>;
using Tables = std::vector<std::pair<std::string, std::vector<double>>>;

constexpr long tile_q = 64, tile_kv = 32;

oracle::Problem sized(long q, long kv) {
  return problem(bf16, {.batch = 1,
                        .heads = 2,
                        .kv_heads = 1,
                        .seqlen_q = q,
                        .seqlen_kv = kv,
                        .head_dim = 64,
                        .value_dim = 64});
}

/// Of all launches so far.
double tensor_ops() {
  return nlohmann::json::parse(emulator().emulator()->counters()).at("tensor_ops").get<double>();
}

AttentionPlan compiled(const Mask& mask) {
  return Attention{}.mask(mask).compile(emulator(),
                                        {.head_dim = 64, .schedule = "tile q 64\ntile kv 32\n"});
}

/// Tensor operations of one launch.
double launch(const AttentionPlan& plan, const oracle::Problem& p, const Tables& tables = {},
              const std::vector<std::pair<std::string, double>>& numbers = {}) {
  const Tensors tensors(p, bf16);
  AttentionTensors given = tensors.views;
  given.numbers = numbers;
  std::vector<std::unique_ptr<Buffer>> buffers;
  for (const auto& [name, values] : tables) {
    const std::vector<std::int32_t> integers(values.begin(), values.end());
    buffers.push_back(std::make_unique<Buffer>(emulator(), integers.size() * 4));
    buffers.back()->upload(integers.data(), integers.size() * 4);
    given.tables.emplace_back(name,
                              TensorView::contiguous(buffers.back()->address(), i32,
                                                     {static_cast<std::int64_t>(integers.size())}));
  }
  const double before = tensor_ops();
  plan.launch(Stream::default_stream(emulator()), given);
  check_results(p, bf16, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
  return tensor_ops() - before;
}

const std::pair<long, long> lengths[] = {{200, 333}, {129, 70}, {1, 100}};

/// What a visited tile costs: of the launch that visits all.
double cost_of_a_tile() {
  static const double cost = [] {
    const oracle::Problem p = sized(128, 160);
    return launch(compiled(Mask{}), p) / (2 * 2 * 5);
  }();
  return cost;
}

/// Sinks and the like: a table for each length.
using Read = std::function<Tables(long q, long kv)>;

void check(const std::string& what, const Mask& mask,
           const std::function<Visible(long offset, const Tables& tables)>& formula,
           const Read& read = {}, const std::vector<std::pair<std::string, double>>& numbers = {}) {
  CAPTURE(what);
  const AttentionPlan plan = compiled(mask);
  for (const auto& [q, kv] : lengths) {
    CAPTURE(q);
    CAPTURE(kv);
    const Tables tables = read ? read(q, kv) : Tables{};
    oracle::Problem p = sized(q, kv);
    p.visible = formula(kv - q, tables);
    long visited = 0;
    for (long i = 0; i < q; i += tile_q)
      for (long j = 0; j < kv; j += tile_kv) {
        bool any = false;
        for (long row = i; row < std::min(i + tile_q, q); ++row)
          for (long k = j; k < std::min(j + tile_kv, kv); ++k) any = any || p.visible(0, 0, row, k);
        visited += any;
      }
    CHECK(launch(plan, p, tables, numbers) == 2 * static_cast<double>(visited) * cost_of_a_tile());
  }
}

/// Without tables: a formula of the row's position and the key.
void plain(const std::string& what, const Mask& mask,
           const std::function<bool(long p, long k)>& formula,
           const std::vector<std::pair<std::string, double>>& numbers = {}) {
  check(
      what, mask,
      [&](long off, const Tables&) -> Visible {
        return [=](long, long, long q, long k) { return formula(q + off, k); };
      },
      {}, numbers);
}

long mod(long x, long t) { return (x % t + t) % t; }
long quotient(long x, long t) { return (x - mod(x, t)) / t; }

}  // namespace

TEST_CASE("congruences") {
  const Index l = Index::scalar("l", 50);
  const auto of = [](auto&& lambda) { return Mask(lambda); };
  plain("strided",
        of([](Index q, Index k) { return k <= position(q) && (position(q) - k) % 150 == 0; }),
        [](long p, long k) { return k <= p && mod(p - k, 150) == 0; });
  for (const double value : {131.0, 3.0})
    plain("strided by a number of the launch",
          of([&](Index q, Index k) { return k <= position(q) && (position(q) - k) % l == 0; }),
          [&](long p, long k) { return k <= p && mod(p - k, static_cast<long>(value)) == 0; },
          {{"l", value}});
  plain("dilated window", of([](Index q, Index k) {
          return (position(q) - k) % 110 == 0 && abs(position(q) - k) <= 220;
        }),
        [](long p, long k) { return mod(p - k, 110) == 0 && std::abs(p - k) <= 220; });
  plain("strided both ways", of([&](Index q, Index k) { return position(q) % l == k % l; }),
        [](long p, long k) { return mod(p, 140) == mod(k, 140); }, {{"l", 140}});
  plain("fixed", of([&](Index q, Index k) {
          const Index p = position(q);
          return (k / l == p / l && k <= p) || (k <= p && k % l >= l - 4);
        }),
        [](long p, long k) {
          return (quotient(k, 96) == quotient(p, 96) && k <= p) || (k <= p && mod(k, 96) >= 92);
        },
        {{"l", 96}});
  plain("summaries alone", of([](Index q, Index k) { return k <= position(q) && k % 128 >= 120; }),
        [](long p, long k) { return k <= p && mod(k, 128) >= 120; });
  plain("every other stretch", of([](Index, Index k) { return (k / 48) % 2 == 0; }),
        [](long, long k) { return mod(quotient(k, 48), 2) == 0; });
  plain("not those", of([](Index q, Index k) { return !((k / 64) % 3 == 1 && k < position(q)); }),
        [](long p, long k) { return !(mod(quotient(k, 64), 3) == 1 && k < p); });
  plain("sums", of([](Index q, Index k) { return (position(q) + k) % 200 < 9; }),
        [](long p, long k) { return mod(p + k, 200) < 9; });
  plain("of both", of([](Index q, Index k) { return position(q) % 100 < 20 && k % 90 > 75; }),
        [](long p, long k) { return mod(p, 100) < 20 && mod(k, 90) > 75; });
  plain("chunks cut by a window",
        of([](Index q, Index k) { return k / 100 != position(q) / 100 && k <= position(q) + 9; }),
        [](long p, long k) { return quotient(k, 100) != quotient(p, 100) && k <= p + 9; });
}

TEST_CASE("tables by row") {
  const IndexTable start("start", {TableExtent::seqlen_q}), end("end", {TableExtent::seqlen_q});
  const auto of = [](auto&& lambda) { return Mask(lambda); };
  const auto numbers = [](const char* name, unsigned seed) {
    return [=](long q, long kv) {
      std::mt19937 random(seed);
      std::vector<double> values;
      for (long i = 0; i < q; ++i) values.push_back(static_cast<double>(random() % (kv + 9)) - 4);
      return Tables{{name, values}};
    };
  };
  const auto ends = [&](const char* name, auto keeps) {
    return [=](long, const Tables& tables) -> Visible {
      const std::vector<double> values = tables[0].second;
      (void)name;
      return [=](long, long, long q, long k) {
        return keeps(static_cast<long>(values[static_cast<std::size_t>(q)]), q, k);
      };
    };
  };
  check("from", of([&](Index, Index, Index q, Index k) { return k >= start(q); }),
        ends("start", [](long t, long, long k) { return k >= t; }), numbers("start", 1));
  check("up to", of([&](Index, Index, Index q, Index k) { return k < end(q) && k >= 40; }),
        ends("end", [](long t, long, long k) { return k < t && k >= 40; }), numbers("end", 2));
  check("below a width of its own",
        of([&](Index, Index, Index q, Index k) { return q - k < end(q); }),
        ends("end", [](long t, long q, long k) { return q - k < t; }), numbers("end", 3));
  check("blocks", of([&](Index, Index, Index q, Index k) { return k / 16 <= start(q) / 16; }),
        ends("start", [](long t, long, long k) { return quotient(k, 16) <= quotient(t, 16); }),
        numbers("start", 4));
  check("rows that see all", of([&](Index, Index, Index q, Index) { return start(q) >= 60; }),
        ends("start", [](long t, long, long) { return t >= 60; }), numbers("start", 5));
  const auto documents = [](long q, long) {
    std::vector<double> from, to;
    const long bounds[] = {0, 1, 40, 41, 130, 1000};
    for (long i = 0, d = 0; i < q; ++i) {
      while (i >= bounds[d + 1]) ++d;
      from.push_back(static_cast<double>(bounds[d])),
          to.push_back(static_cast<double>(bounds[d + 1]));
    }
    return Tables{{"start", from}, {"end", to}};
  };
  for (const bool causally : {false, true})
    check(
        "documents", of([&](Index, Index, Index q, Index k) {
          const Mask own = start(q) <= k && k < end(q);
          return causally ? own && k <= q : own;
        }),
        [&](long, const Tables& tables) -> Visible {
          return [=](long, long, long q, long k) {
            const auto at = static_cast<std::size_t>(q);
            return tables[0].second[at] <= static_cast<double>(k) &&
                   static_cast<double>(k) < tables[1].second[at] && (!causally || k <= q);
          };
        },
        documents);
}
