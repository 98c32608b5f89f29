// Worked examples, to the digits given: a problem of two rows, three keys and two numbers each
// under masks, sinks, softcaps and biases; the buckets of T5, the slopes of ALiBi; and counts of
// tiles that can be checked on paper.
#include <nlohmann/json.hpp>
#include <sstream>

#include "calls/calls.hpp"
#include "command/command.hpp"
#include "variants/table.hpp"

using namespace calls;

namespace {

struct Result {
  std::vector<double> out, lse;
};

/// q = [[1, 0], [0, 1]], k = [[1, 0], [0, 1], [1, 1]], v = [[1, 2], [3, 4], [5, 6]], scale 1 /
/// sqrt(2), in f32, for one head.
Result worked(const Attention& attention,
              const std::vector<std::pair<std::string, TensorView>>& tables = {}) {
  const Memory q(f32, std::vector<double>{1, 0, 0, 1}),
      k(f32, std::vector<double>{1, 0, 0, 1, 1, 1}), v(f32, std::vector<double>{1, 2, 3, 4, 5, 6}),
      out(f32, std::int64_t{4}), lse(f32, std::int64_t{2});
  const auto plan = attention.compile(emulator(), {.dtype = f32, .head_dim = 2});
  plan.launch(Stream::default_stream(emulator()), {.q = q.view({1, 1, 2, 2}),
                                                   .k = k.view({1, 1, 3, 2}),
                                                   .v = v.view({1, 1, 3, 2}),
                                                   .out = out.view({1, 1, 2, 2}),
                                                   .lse = lse.view({1, 1, 2}),
                                                   .tables = tables});
  return {out.numbers(), lse.numbers()};
}

void check(const std::vector<double>& numbers, const std::vector<double>& expected) {
  REQUIRE(numbers.size() == expected.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    CHECK(std::abs(numbers[i] - expected[i]) <= 1.5e-6);
}

/// Blocks that the compiled kernels visit.
std::int64_t visited(const std::string& line) {
  std::istringstream stream("mask " + line + " --json --heads 1 --tile-q 16 --tile-kv 16");
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  std::ostringstream out, err;
  CHECK(command::command(words, library::variants(), out, err) == 0);
  const auto blocks = nlohmann::json::parse(out.str()).at("blocks");
  return blocks.at("full").get<std::int64_t>() + blocks.at("cut").get<std::int64_t>();
}

}  // namespace

TEST_CASE("two rows and three keys") {
  const auto dense = worked(Attention{});
  check(dense.out, {3, 4, 3.406673, 4.406673});
  check(dense.lse, {1.620621, 1.620621});
  const auto bottom = worked(Attention{}.mask(causal()));
  check(bottom.out, {1.660477, 2.660477, 3.406673, 4.406673});
  check(bottom.lse, {1.107940, 1.620621});
  const auto top = worked(Attention{}.mask(causal(top_left)));
  check(top.out, {1, 2, 2.339523, 3.339523});
  check(top.lse, {.707107, 1.107940});
  const auto window = worked(Attention{}.mask(sliding_window(1)));
  check(window.out, {3, 4, 5, 6});
  check(window.lse, {0, .707107});
  check(worked(Attention{}.score(softcap(1))).out, {3, 4, 3.358517, 4.358517});
  const Memory half(f32, std::vector<double>{.5}), zero(f32, std::vector<double>{0.});
  const auto far = worked(Attention{}.mask(causal()).score(alibi()), {{"slopes", half.view({1})}});
  check(far.out, {1.896815, 2.896815, 3.915712, 4.915712});
  check(far.lse, {.802053, 1.288160});
  const auto sunk = worked(Attention{}.sinks(), {{"sinks", zero.view({1})}});
  check({sunk.out[0], sunk.out[1]}, {2.504642, 3.339523});
  check({sunk.lse[0]}, {std::log(std::exp(1.620621) + 1)});
  // A row that sees nothing has the sink alone; without one, nothing.
  const Mask none([](Index, Index k) { return k < 0; });
  const Memory two(f32, std::vector<double>{2.});
  const auto lonely = worked(Attention{}.mask(none).sinks(), {{"sinks", two.view({1})}});
  check(lonely.out, {0, 0, 0, 0});
  check(lonely.lse, {2, 2});
  const auto nothing = worked(Attention{}.mask(none));
  check(nothing.out, {0, 0, 0, 0});
  for (const double lse : nothing.lse) CHECK(lse == -INFINITY);
}

TEST_CASE("the slopes of ALiBi, for powers of two and other numbers of heads") {
  const auto slopes = [](int heads) {
    const std::vector<float> all = alibi_slopes(heads);
    return std::vector<double>(all.begin(), all.end());
  };
  check(slopes(8), {.5, .25, .125, .0625, .03125, .015625, .0078125, .00390625});
  check(slopes(12), {.5, .25, .125, .0625, .03125, .015625, .0078125, .00390625, .707107, .353553,
                     .176777, .088388});
  check(slopes(6), {.25, .0625, .015625, .003906, .5, .125});
  check(slopes(3), {.0625, .003906, .25});
  check(slopes(1), {.003906});
}

TEST_CASE("the buckets of T5 begin where they should") {
  // The first distance of each bucket of logarithmic width.
  const std::pair<int, int> causal[] = {{16, 16}, {19, 17}, {21, 18}, {24, 19}, {27, 20}, {31, 21},
                                        {35, 22}, {40, 23}, {46, 24}, {52, 25}, {59, 26}, {67, 27},
                                        {77, 28}, {87, 29}, {99, 30}, {113, 31}};
  for (const auto& [far, bucket] : causal) {
    CHECK(t5_bucket(-far, 32, 128, false) == bucket);
    CHECK(t5_bucket(1 - far, 32, 128, false) == bucket - 1);
  }
  const std::pair<int, int> both[] = {{8, 8},   {12, 9},  {16, 10}, {23, 11},
                                      {32, 12}, {46, 13}, {64, 14}, {91, 15}};
  for (const auto& [far, bucket] : both)
    for (const int side : {-1, 1}) {
      CHECK(t5_bucket(side * far, 32, 128, true) == bucket + (side > 0 ? 16 : 0));
      CHECK(t5_bucket(side * (far - 1), 32, 128, true) == bucket - 1 + (side > 0 ? 16 : 0));
    }
  CHECK(t5_bucket(5, 32, 128, false) == 0);
  CHECK(t5_bucket(-100000, 32, 128, false) == 31);
  CHECK(t5_bucket(0, 32, 128, true) == 0);
}

TEST_CASE("tiles that can be counted on paper") {
  CHECK(visited("flash --seqlen-q 256 --causal") == 136);
  CHECK(visited("strided --seqlen-q 256 --stride 8 --regroup on") == 24);
  CHECK(visited("strided --seqlen-q 256 --stride 8 --regroup off") == 136);
  CHECK(visited("strided --seqlen-q 256 --stride 32 --regroup off") == 72);
  CHECK(visited("dilated --seqlen-q 256 --window 12 --dilation 4 --regroup on") == 40);
  CHECK(visited("dilated --seqlen-q 256 --window 12 --dilation 4 --regroup off") == 100);
  CHECK(visited("acsr --pattern causal_strided --seqlen-q 256 --width 8") == 24);
  CHECK(visited("acsr --pattern causal_strided --seqlen-q 256 --width 8 --regroup off") == 136);
  CHECK(visited("acsr --pattern causal_strided --seqlen-q 256 --width 32 --regroup off") == 72);
  CHECK(visited("acsr --pattern dilated --seqlen-q 256 --width 12 --dilation 4") == 40);
  CHECK(visited("acsr --pattern window --seqlen-q 256 --width 20") == 74);
  CHECK(visited("acsr --pattern blocked --seqlen-q 240 --width 40") == 81);
  CHECK(visited("acsr --pattern fixed_summary --seqlen-q 256 --width 8") == 24);
  CHECK(visited("fixed --seqlen-q 512 --stride 64 --summary 32") == 304);
  CHECK(visited("bigbird --seqlen-q 1024 --block-size 16") == 622);
  CHECK(visited("bigbird --seqlen-q 256 --block-size 16") == 142);
}

TEST_CASE("patterns joined in one head are the merge of disjoint ones; by head, two launches") {
  const long heads = 2, rows = 150, d = 32, stride = 16;
  const auto p = problem(f32, {.heads = heads,
                               .kv_heads = heads,
                               .seqlen_q = rows,
                               .seqlen_kv = rows,
                               .head_dim = d,
                               .value_dim = d});
  const auto near = [=](Index q, Index k) { return k <= q && k > q - stride; };
  const auto comb = [=](Index q, Index k) { return k <= q && (q - k) % stride == 0; };
  const Stream stream = Stream::default_stream(emulator());
  const auto attended = [&](const Mask& mask) {
    Tensors tensors(p, f32);
    Attention{}
        .mask(mask)
        .compile(emulator(), {.dtype = f32, .head_dim = d})
        .launch(stream, tensors.views);
    return tensors;
  };
  const Tensors joined = attended(Mask(near) || Mask(comb)),
                band = attended(Mask([=](Index q, Index k) { return near(q, k); })),
                rest =
                    attended(Mask([=](Index q, Index k) { return comb(q, k) && q - k >= stride; })),
                stripe = attended(Mask(comb)),
                by_head = attended(Mask([=](Index, Index h, Index q, Index k) {
                  return (h == 0 && near(q, k)) || (h == 1 && comb(q, k));
                }));
  const Memory out(f32, heads * rows * d), lse(f32, heads * rows);
  compile_merge(emulator(), {.dtype = f32, .value_dim = d})
      .launch(stream, {.out_a = band.views.out,
                       .lse_a = band.views.lse,
                       .out_b = rest.views.out,
                       .lse_b = rest.views.lse,
                       .out = out.view({1, heads, rows, d}),
                       .lse = lse.view({1, heads, rows})});
  CHECK(oracle::largest_difference(out.numbers(), joined.out.numbers()) <= 1e-5);
  CHECK(oracle::largest_difference(lse.numbers(), joined.lse.numbers()) <= 1e-5);
  std::vector<double> two = band.out.numbers();  // the first head of one, the second of the other
  const std::vector<double> second = stripe.out.numbers();
  std::copy(second.begin() + rows * d, second.end(), two.begin() + rows * d);
  CHECK(oracle::largest_difference(by_head.out.numbers(), two) <= 1e-5);
  CHECK(faults() == "[]");
}
