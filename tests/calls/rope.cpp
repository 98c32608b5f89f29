// Rotary positions against the same turned in plain loops: both pairings, parts of a head,
// positions of the launch and of one's own, and the numbers of the papers.
#include "rope_case.hpp"

#include <array>
#include <tilewright/library/documents.hpp>

using namespace calls;
using namespace calls::rope;

namespace {

/// One row turned, element by element: keys that are unit vectors at position 0 read it out as the
/// scores of a batch, one key each.
std::vector<double> turned_row(const std::vector<double>& x, double position, Case c) {
  const auto width = static_cast<long>(x.size());
  c.problem = {.batch = width, .seqlen_q = 1, .seqlen_kv = 1, .head_dim = width, .value_dim = 1};
  c.problem.v.assign(x.size(), 1);
  for (long i = 0; i < width; ++i)
    for (long j = 0; j < width; ++j) {
      c.problem.q.push_back(x[static_cast<std::size_t>(j)]);
      c.problem.k.push_back(i == j);
    }
  c.rope.positions_given = true;
  c.q = [=](long, long) { return position; };
  c.k = [](long, long) { return 0.0; };
  const Tensors tensors(c.problem, f32);
  const Tables tables(c, static_cast<std::int64_t>(position) + 1);
  AttentionTensors given = tensors.views;
  given.tables = tables.views;
  given.softmax_scale = 1;
  compiled(Attention{}, c, f32).launch(Stream::default_stream(emulator()), given);
  return tensors.lse.numbers();
}

}  // namespace

TEST_CASE("1, 2, 3, 4 at position 1, in both pairings") {
  const std::vector<double> x{1, 2, 3, 4};
  check_near(turned_row(x, 1, {}), {-1.984111, 1.959901, 2.462378, 4.019800}, 1e-6);
  check_near(turned_row(x, 1, {.rope = {.pairing = RopePairing::interleaved}}),
             {-1.142640, 1.922076, 2.959851, 4.029800}, 1e-6);
  // Two of the four turn; the others stay.
  check_near(turned_row(x, 1, {.rope = {.dim = 2}}),
             {std::cos(1) - 2 * std::sin(1), 2 * std::cos(1) + std::sin(1), 3, 4}, 1e-6);
  check_near(turned_row(x, 0, {}), x, 0);
  // 2 of an interpolation by 2 is 1, to the bit.
  CHECK(turned_row(x, 2, {.position_scale = 2}) == turned_row(x, 1, {}));
  check_near(turned_row(x, 0, {.temperature = 1.5}), {2.25, 4.5, 6.75, 9}, 1e-6);
  // Angles do not lose digits far out.
  const double far = 99'999, slow = far / 100;
  check_near(turned_row(x, far, {}),
             {std::cos(far) - 3 * std::sin(far), 2 * std::cos(slow) - 4 * std::sin(slow),
              3 * std::cos(far) + std::sin(far), 4 * std::cos(slow) + 2 * std::sin(slow)},
             2e-6);
}

TEST_CASE("lengths, widths and pairings, where the launch says the positions") {
  const std::pair<long, long> lengths[] = {{1, 1}, {1, 130}, {65, 257}, {130, 70}};
  for (const DType dtype : {bf16, f16, f32})
    for (const auto& [width, dim] :
         {std::pair<long, long>{64, 0}, {72, 40}, {33, 6}, {128, 64}, {2, 2}}) {
      const RopePairing pairing = width % 16 == 8 ? RopePairing::interleaved : RopePairing::half;
      for (const RopePairing one : {pairing, RopePairing::interleaved}) {
        Case c{{.head_dim = width, .value_dim = width == 72 ? 24 : width}, {one, dim}};
        const AttentionPlan plan = compiled(Attention{}, c, dtype);
        for (const auto& [q, kv] : lengths) {
          if (width == 128 && q > 1 && dtype == f32) continue;  // minutes of emulation
          CAPTURE(name(dtype));
          CAPTURE(width);
          CAPTURE(q);
          CAPTURE(kv);
          oracle::Problem p = c.problem;
          p.seqlen_q = q;
          p.seqlen_kv = kv;
          const Case sized_case = sized(dtype, p, c.rope);
          check(sized_case, dtype, run(plan, sized_case, dtype, std::max(q, kv)));
        }
        if (one == RopePairing::interleaved) break;
      }
    }
}

TEST_CASE("positions of one's own, for each sequence, far out and in any order") {
  for (const RopePairing pairing : {RopePairing::half, RopePairing::interleaved}) {
    Case c =
        sized(bf16, {.batch = 2, .seqlen_q = 70, .seqlen_kv = 133, .head_dim = 64, .value_dim = 64},
              {pairing, 32, true});
    c.q = [](long b, long i) { return b == 0 ? 99'000.0 + i : 3.0 * i; };
    c.k = [](long b, long j) { return b == 0 ? 98'900.0 + j : (j * 37) % 1000; };
    const AttentionPlan plan = compiled(Attention{}, c, bf16);
    check(c, bf16, run(plan, c, bf16, 100'000));
  }
}

TEST_CASE("scores depend on distances alone") {
  Case c = sized(f32, {.seqlen_q = 20, .seqlen_kv = 50, .head_dim = 16, .value_dim = 16},
                 {.positions_given = true});
  c.q = [](long, long i) { return 30.0 + i; };
  c.k = [](long, long j) { return 1.0 * j; };
  const AttentionPlan plan = compiled(Attention{}, c, f32);
  const Result here = run(plan, c, f32, 2000);
  // As if the launch had said them.
  const Result launched =
      run(compiled(Attention{}, {c.problem, {}}, f32), {c.problem, {}}, f32, 50);
  CHECK(oracle::largest_difference(here.out, launched.out) == 0);
  c.q = [](long, long i) { return 1030.0 + i; };
  c.k = [](long, long j) { return 1000.0 + j; };
  const Result there = run(plan, c, f32, 2000);
  CHECK(oracle::largest_difference(here.out, there.out) <= 1e-5);
  CHECK(oracle::largest_difference(here.lse, there.lse) <= 1e-5);
  // At one position, nothing turns against anything.
  c.q = c.k = [](long, long) { return 7.0; };
  const Result still = run(plan, c, f32, 8);
  const auto unturned = oracle::attention(c.problem);
  CHECK(oracle::largest_difference(still.out, unturned.out) <= 1e-5);
}

TEST_CASE("masks, score functions and sinks go with it") {
  Case c =
      sized(bf16, {.batch = 2, .seqlen_q = 90, .seqlen_kv = 140, .head_dim = 64, .value_dim = 64});
  c.base = 500;
  c.position_scale = 4;
  c.temperature = 1.1386;
  c.problem.visible = [](long, long, long q, long k) { return k <= q + 50 && k > q + 50 - 40; };
  c.problem.score = [](double s, long, long, long, long) { return 2 * std::tanh(s / 2); };
  const AttentionPlan plan =
      compiled(Attention{}.mask(sliding_window(40)).score(softcap(2)), c, bf16);
  check(c, bf16, run(plan, c, bf16, 140));
  CHECK(plan.explain().find("rotary positions, half pairs of 64 elements") != std::string::npos);

  // A sink is one more key of its score and of value 0: the others lose weight to it.
  c.problem.score = nullptr;
  const AttentionPlan sunk = compiled(Attention{}.mask(sliding_window(40)).sinks(), c, bf16);
  const Memory sinks(f32, {0.5, 1, -1, 2});
  const Result result = run(sunk, c, bf16, 140, {{"sinks", sinks.view({4})}});
  const auto truth = oracle::attention(turned(c));
  for (std::size_t row = 0; row < truth.lse.size(); ++row) {
    const double sink = std::array{0.5, 1., -1., 2.}[row / 90 % 4];
    const double lse = std::log(std::exp(truth.lse[row]) + std::exp(sink));
    CHECK(std::abs(result.lse[row] - lse) <= 2e-2);
    CHECK(std::abs(result.out[row * 64] - truth.out[row * 64] * std::exp(truth.lse[row] - lse)) <=
          2e-2);
  }
}

TEST_CASE("packed sequences, each from its own position 0") {
  const std::vector<std::int32_t> bounds{0, 30, 30, 75};
  Case c = sized(bf16, {.seqlen_q = 75, .seqlen_kv = 75, .head_dim = 32, .value_dim = 32},
                 {.positions_given = true});
  c.q = c.k = [](long, long i) { return static_cast<double>(i < 30 ? i : i - 30); };
  c.problem.visible = [](long, long, long q, long k) { return (q < 30) == (k < 30) && k <= q; };
  const DocumentTables documents = document_tables(bounds, bounds);
  std::vector<Buffer> buffers;
  std::vector<std::pair<std::string, TensorView>> more;
  for (const auto& [table, numbers] :
       {std::pair<const char*, const std::vector<std::int32_t>&>{"document_start", documents.start},
        {"document_end", documents.end},
        {"document_shift", documents.shift}}) {
    buffers.emplace_back(emulator(), 75 * 4);
    buffers.back().upload(numbers.data(), 75 * 4);
    more.emplace_back(table, TensorView::contiguous(buffers.back().address(), i32, {75}));
  }
  const AttentionPlan plan = compiled(Attention{}.mask(causal()).documents(), c, bf16);
  check(c, bf16, run(plan, c, bf16, 45, more));
  const Error untold = refused(ErrorKind::invalid_argument, "rope.positions_given", [&] {
    (void)Attention{}.mask(causal()).documents().rope().program("sm_80", {.head_dim = 32});
  });
  CHECK(std::string(untold.id()) == "rope-positions-missing");
}

TEST_CASE("strides of every tensor") {
  const Case c =
      sized(bf16, {.batch = 2, .seqlen_q = 40, .seqlen_kv = 50, .head_dim = 32, .value_dim = 32});
  const Tensors tensors(c.problem, bf16);
  // Tables of which every second column and every third row count.
  const RopeTables made = rope_tables(rope_inv_freq(32), 50);
  std::vector<double> cosine(3 * 50 * 2 * 16, NAN), sine = cosine;
  for (std::size_t p = 0; p < 50; ++p)
    for (std::size_t i = 0; i < 16; ++i) {
      cosine[(3 * p * 16 + i) * 2] = made.cosine[p * 16 + i];
      sine[(3 * p * 16 + i) * 2] = made.sine[p * 16 + i];
    }
  const Memory cos(f32, cosine), sin(f32, sine);
  AttentionTensors given = tensors.views;
  given.tables = {{"rope_cos", {cos.address(), f32, {50, 16}, {96, 2}}},
                  {"rope_sin", {sin.address(), f32, {50, 16}, {96, 2}}}};
  // Heads inside of rows, for q and out.
  const Memory q(bf16, [&] {
    std::vector<double> moved(c.problem.q.size());
    for (std::size_t b = 0; b < 2; ++b)
      for (std::size_t h = 0; h < 4; ++h)
        for (std::size_t i = 0; i < 40; ++i)
          for (std::size_t d = 0; d < 32; ++d)
            moved[((b * 40 + i) * 4 + h) * 32 + d] = c.problem.q[((b * 4 + h) * 40 + i) * 32 + d];
    return moved;
  }());
  given.q = q.view({2, 40, 4, 32}).transposed(1, 2);
  compiled(Attention{}, c, bf16).launch(Stream::default_stream(emulator()), given);
  check(c, bf16, {tensors.out.numbers(), tensors.lse.numbers()});
  CHECK(faults() == "[]");
}

TEST_CASE("nothing to see, nothing to do") {
  Case c = sized(bf16, {.seqlen_q = 5, .seqlen_kv = 0, .head_dim = 16, .value_dim = 16});
  const AttentionPlan plan = compiled(Attention{}, c, bf16);
  const Result none = run(plan, c, bf16, 5);
  for (const double x : none.out) CHECK(x == 0);
  for (const double x : none.lse) CHECK(x == -HUGE_VAL);
  c = sized(bf16, {.seqlen_q = 0, .seqlen_kv = 5, .head_dim = 16, .value_dim = 16});
  CHECK(run(plan, c, bf16, 5).out.empty());
}

TEST_CASE("a position that the tables do not have makes NaN, where it is seen") {
  Case c = sized(bf16, {.seqlen_q = 3, .seqlen_kv = 4, .head_dim = 16, .value_dim = 16},
                 {.positions_given = true});
  c.q = [](long, long i) { return i == 1 ? -1.0 : 1.0 * i; };
  c.k = [](long, long j) { return 1.0 * j; };
  const AttentionPlan plan = compiled(Attention{}, c, bf16);
  const Result result = run(plan, c, bf16, 4);
  for (std::size_t row = 0; row < 12; ++row)
    CHECK(std::isnan(result.out[row * 16]) == (row % 3 == 1));
  // A hidden key may stand anywhere.
  const AttentionPlan hidden = compiled(Attention{}.mask(causal(top_left)), c, bf16);
  c.q = [](long, long i) { return 1.0 * i; };
  c.k = [](long, long j) { return j == 3 ? 4.0 : 1.0 * j; };
  for (const double x : run(hidden, c, bf16, 4).out) CHECK_FALSE(std::isnan(x));
}
