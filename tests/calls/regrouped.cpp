// Attention::regrouped: masks that see every t-th key, against the formula; other layouts, lengths
// of nothing, scores that ask for rows and keys, tables, sinks; as few tensor operations as tiles
// of one residue take; what is refused, in the words of the same attention
// without.
#include <nlohmann/json.hpp>

#include "calls.hpp"

using namespace calls;

namespace {

using Visible = std::function<bool(long, long, long, long)>;

const auto argument = ErrorKind::invalid_argument;
const auto mismatch = ErrorKind::shape_mismatch;

oracle::Problem sized(DType dtype, long q, long kv, long dim = 64) {
  return problem(dtype, {.batch = 2,
                         .heads = 4,
                         .kv_heads = 2,
                         .seqlen_q = q,
                         .seqlen_kv = kv,
                         .head_dim = dim,
                         .value_dim = dim + 8});
}

long mod(long x, long t) { return (x % t + t) % t; }

/// A row sees every stride-th key up to its own.
Mask strided(int stride) {
  return Mask(
      [=](Index q, Index k) { return k <= position(q) && (position(q) - k) % stride == 0; });
}
Visible strided_pairs(long stride, long offset) {
  return [=](long, long, long q, long k) {
    return k <= q + offset && mod(q + offset - k, stride) == 0;
  };
}

void check(const AttentionPlan& plan, const oracle::Problem& p, DType dtype,
           const AttentionTensors& more = {}) {
  const Tensors tensors(p, dtype);
  AttentionTensors given = tensors.views;
  given.numbers = more.numbers, given.tables = more.tables;
  plan.launch(Stream::default_stream(emulator()), given);
  check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}

double tensor_ops() {
  return nlohmann::json::parse(emulator().emulator()->counters()).at("tensor_ops").get<double>();
}

const std::pair<long, long> lengths[] = {{200, 333}, {129, 70}, {1, 100}, {100, 1}, {5, 3}};

}  // namespace

TEST_CASE("masks by residue") {
  const auto is = [](auto&& lambda) { return Mask(lambda); };
  struct Case {
    Mask mask;
    std::function<bool(long q, long k, long offset)> formula;
  };
  const Case cases[] = {
      {strided(16),
       [](long q, long k, long off) { return k <= q + off && mod(q + off - k, 16) == 0; }},
      {is([](Index q, Index k) { return (q - k) % 3 == 1 && q - k <= 40 && k - q <= 17; }),
       [](long q, long k, long) { return mod(q - k, 3) == 1 && q - k <= 40 && k - q <= 17; }},
      {is([](Index q, Index k) { return 2 == (k - q + 5) % 7; }),
       [](long q, long k, long) { return mod(k - q + 5, 7) == 2; }},
      {is([](Index q, Index k) { return (q - k) % 150 == 149 || (q - k) % 150 == 149; }) &&
           is([](Index q, Index k) { return (-k + q) % 5 == 4; }),
       [](long q, long k, long) { return mod(q - k, 150) == 149 && mod(q - k, 5) == 4; }},
      // Keys of one residue for all rows.
      {is([](Index q, Index k) { return (k + 2) % 6 == 1 && k <= position(q); }),
       [](long q, long k, long off) { return mod(k + 2, 6) == 1 && k <= q + off; }},
      {is([](Index q, Index k) { return 4 == (3 - k) % 150 && q != 7; }),
       [](long q, long k, long) { return mod(3 - k, 150) == 4 && q != 7; }},
      // Two of them: the second is asked in the tiles of the first.
      {is([](Index q, Index k) { return (q - k) % 4 == 0 && (q - k) % 6 == 0 && k % 5 != 1; }),
       [](long q, long k, long) { return mod(q - k, 12) == 0 && mod(k, 5) != 1; }},
  };
  for (const Case& one : cases) {
    INFO(one.mask.text());
    const auto plan = Attention{}.mask(one.mask).regrouped().compile(
        emulator(), {.head_dim = 64, .value_dim = 72});
    for (const auto& [q, kv] : lengths) {
      CAPTURE(q);
      CAPTURE(kv);
      auto p = sized(bf16, q, kv);
      const long off = kv - q;
      p.visible = [&](long, long, long i, long j) { return one.formula(i, j, off); };
      check(plan, p, bf16);
    }
  }
}

TEST_CASE("element types, head dimensions and schedules") {
  for (const DType dtype : {bf16, f16, f32})
    for (const long dim : {24L, 80L}) {
      const auto plan =
          Attention{}
              .mask(strided(7))
              .regrouped()
              .compile(emulator(),
                       {.dtype = dtype,
                        .head_dim = dim,
                        .value_dim = dim + 8,
                        .schedule = dim == 24 ? "" : "tile q 16\ntile kv 32\nstages 3\n"});
      auto p = sized(dtype, 150, 211, dim);
      p.visible = strided_pairs(7, 61);
      check(plan, p, dtype);
    }
}

TEST_CASE("any strides, and no lse") {
  const auto plan = Attention{}
                        .mask(strided(6))
                        .regrouped()
                        .compile(emulator(), {.head_dim = 16, .value_dim = 24});
  auto p = problem(bf16, {.batch = 2,
                          .heads = 4,
                          .kv_heads = 2,
                          .seqlen_q = 41,
                          .seqlen_kv = 50,
                          .head_dim = 16,
                          .value_dim = 24});
  p.visible = strided_pairs(6, 9);
  // Each tensor in memory of its own order, with gaps; `at` numbers its elements there.
  struct Placed {
    std::vector<std::int64_t> extents, strides;
    std::int64_t first, size;
    std::int64_t at(std::int64_t i) const {
      std::int64_t offset = first;
      for (std::size_t axis = extents.size(); axis-- > 0; i /= extents[axis])
        offset += i % extents[axis] * strides[axis];
      return offset;
    }
    std::vector<double> filled(const std::vector<double>& from) const {
      std::vector<double> memory(static_cast<std::size_t>(size), NAN);
      for (std::size_t i = 0; i < from.size(); ++i)
        memory[static_cast<std::size_t>(at(static_cast<std::int64_t>(i)))] = from[i];
      return memory;
    }
    TensorView view(const Memory& memory, DType dtype) const {
      return {memory.address() + static_cast<std::uint64_t>(first * size_of(dtype)), dtype, extents,
              strides};
    }
    std::vector<double> read(const Memory& memory) const {
      const auto all = memory.numbers();
      std::vector<double> result;
      std::int64_t count = 1;
      for (const std::int64_t extent : extents) count *= extent;
      for (std::int64_t i = 0; i < count; ++i)
        result.push_back(all[static_cast<std::size_t>(at(i))]);
      return result;
    }
  };
  const Placed q{{2, 4, 41, 16}, {41 * 64, 16, 64, 1}, 3, 6000},   // [batch, length, heads]
      k{{2, 2, 50, 16}, {3300, 1650, -33, 2}, 49 * 33, 7000},      // backwards, inner stride 2
      v{{2, 2, 50, 24}, {0, 1200, 24, 1}, 0, 2400},                // shared by the batch
      out{{2, 4, 41, 24}, {24 * 41 * 4 + 8, 24, 96, 1}, 8, 8000},  // [batch, length, heads]
      lse{{2, 4, 41}, {1, 41 * 2, 2}, 1, 400};                     // batch innermost
  p.v.resize(2 * 50 * 24), p.v.insert(p.v.end(), p.v.begin(), p.v.begin() + 2 * 50 * 24);
  const Memory q_memory(bf16, q.filled(p.q)), k_memory(bf16, k.filled(p.k)),
      v_memory(bf16, v.filled(p.v)), out_memory(bf16, out.size), lse_memory(f32, lse.size),
      alone(bf16, out.size);
  AttentionTensors given{.q = q.view(q_memory, bf16),
                         .k = k.view(k_memory, bf16),
                         .v = v.view(v_memory, bf16),
                         .out = out.view(out_memory, bf16),
                         .lse = lse.view(lse_memory, f32)};
  const Stream stream = Stream::default_stream(emulator());
  plan.launch(stream, given);
  check_results(p, bf16, out.read(out_memory), lse.read(lse_memory));
  given.lse = {}, given.out = out.view(alone, bf16);
  plan.launch(stream, given);
  check_results(p, bf16, out.read(alone), lse.read(lse_memory));
  CHECK(faults() == "[]");
  std::size_t written = 0;
  for (const double number : out_memory.numbers()) written += !std::isnan(number);
  CHECK(written == 2 * 4 * 41 * 24);
}

TEST_CASE("lengths of nothing") {
  const auto plan = Attention{}
                        .mask(strided(5))
                        .regrouped()
                        .compile(emulator(), {.head_dim = 64, .value_dim = 72});
  for (const auto& [q, kv] : {std::pair{0L, 70L}, {70L, 0L}, {0L, 0L}}) {
    auto p = sized(bf16, q, kv);
    p.visible = strided_pairs(5, kv - q);
    check(plan, p, bf16);
  }
  CHECK(plan.program().blocks({1, 4, 2, 0, 70}) == 0);
}

TEST_CASE("scores, numbers and tables by row and key, and sinks") {
  const IndexTable kind("kind", {TableExtent::batch, TableExtent::seqlen_kv});
  const ScoreTable bias("bias", {TableExtent::seqlen_q});
  const Mask mask([&](const Index& b, const Index&, const Index& q, const Index& k) {
    return (position(q) - k) % 6 == 0 && kind(b, k) != 1 && k <= q + Index::scalar("ahead", 3);
  });
  const ScoreMod more([&](Score s, Index, Index, Index q, Index k) {
    return s + bias(q) + where(k % 4 == 0, Score(0.5), Score(-0.25));
  });
  const long q = 90, kv = 131, offset = 41;
  std::vector<double> biases = random_numbers(f32, q, 9);
  std::vector<std::int32_t> kinds;
  for (long i = 0; i < 2 * kv; ++i) kinds.push_back(static_cast<std::int32_t>(i * 7 % 3));
  const Memory bias_memory(f32, biases);
  Buffer kind_memory(emulator(), kinds.size() * 4);
  kind_memory.upload(kinds.data(), kinds.size() * 4);
  AttentionTensors given{
      .numbers = {{"ahead", 20}},
      .tables = {{"kind", TensorView::contiguous(kind_memory.address(), i32, {2, kv})},
                 {"bias", bias_memory.view({q})}}};
  auto p = sized(bf16, q, kv);
  p.visible = [&](long b, long, long i, long j) {
    return mod(i + offset - j, 6) == 0 && kinds[static_cast<std::size_t>(b * kv + j)] != 1 &&
           j <= i + 20;
  };
  p.score = [&](double s, long, long, long i, long j) {
    return s + biases[static_cast<std::size_t>(i)] + (j % 4 == 0 ? 0.5 : -0.25);
  };
  const auto attention = Attention{}.mask(mask).score(more).regrouped();
  const AttentionRequest request{.head_dim = 64, .value_dim = 72};
  const auto plan = attention.compile(emulator(), request);
  check(plan, p, bf16, given);

  const auto sinks = std::vector<double>{-1, 0.5, 2, -INFINITY};
  const Memory sink_memory(f32, sinks);
  const Tensors tensors(p, bf16);
  AttentionTensors with = tensors.views;
  with.numbers = given.numbers, with.tables = given.tables;
  with.tables.emplace_back("sinks", sink_memory.view({4}));
  attention.sinks().compile(emulator(), request).launch(Stream::default_stream(emulator()), with);
  auto truth = oracle::attention(p);
  for (std::size_t row = 0; row < truth.lse.size(); ++row) {
    const double sink = sinks[row / static_cast<std::size_t>(q) % 4], before = truth.lse[row];
    const double after = std::log(std::exp(before) + std::exp(sink));
    for (std::size_t e = 0; e < 72; ++e)
      truth.out[row * 72 + e] *= before == -INFINITY ? 0 : std::exp(before - after);
    truth.lse[row] = after;
  }
  CHECK(oracle::largest_difference(tensors.out.numbers(), truth.out) <= 0.02);
  CHECK(oracle::largest_difference(tensors.lse.numbers(), truth.lse) <= 1e-3);
  CHECK(faults() == "[]");

  // What the same attention without says of a table too short, of a number and of a stranger.
  const auto refuses = [&](ErrorKind kind_of, const char* name, auto change) {
    CAPTURE(name);
    AttentionTensors wrong = tensors.views;
    wrong.numbers = given.numbers, wrong.tables = given.tables;
    change(wrong);
    std::string ids[2];
    for (const bool regroups : {false, true})
      ids[regroups] =
          refused(kind_of, name, [&] {
            (regroups ? plan : Attention{}.mask(mask).score(more).compile(emulator(), request))
                .launch(Stream::default_stream(emulator()), wrong);
          }).id();
    CHECK(ids[0] == ids[1]);
  };
  using T = AttentionTensors;
  refuses(mismatch, "kind", [](T& t) { t.tables[0].second.extents[1] = 130; });
  refuses(mismatch, "bias", [](T& t) { t.tables[1].second.extents[0] = 91; });
  refuses(argument, "bias", [](T& t) { t.tables.pop_back(); });
  refuses(argument, "ahead", [](T& t) { t.numbers[0].second = 0.5; });
  refuses(argument, "rows", [](T& t) { t.numbers.emplace_back("rows", 3); });
}

TEST_CASE("tiles of one residue, and what explain says of them") {
  const AttentionRequest request{.head_dim = 64, .schedule = "tile q 32\ntile kv 32\n"};
  const auto plain = Attention{}.mask(strided(8)), grouped = plain.regrouped();
  auto p = problem(bf16, {.batch = 1,
                          .heads = 2,
                          .kv_heads = 1,
                          .seqlen_q = 256,
                          .seqlen_kv = 256,
                          .head_dim = 64,
                          .value_dim = 64});
  p.visible = strided_pairs(8, 0);
  double ops[2] = {};
  for (const bool regroups : {false, true}) {
    const auto plan = (regroups ? grouped : plain).compile(emulator(), request);
    const double before = tensor_ops();
    check(plan, p, bf16);
    ops[regroups] = tensor_ops() - before;
  }
  CHECK(ops[0] == 36 * (ops[1] / 8));  // a tile for each of 8 residues in the place of 36
  const auto plan = grouped.compile(emulator(), request);
  const AttentionExtents extents{1, 2, 1, 256, 256};
  CHECK(plan.program().blocks(extents) == 2 * 8);
  CHECK(plan.workspace_bytes(extents) == 0);
  const std::string text = plan.explain(extents);
  INFO(text);
  CHECK(text.find("rows and keys regrouped by residue, every 8. together") != std::string::npos);
  CHECK(text.find("keys where " + strided(8).text()) != std::string::npos);
  CHECK(text.find("0 skipped, 0 full, 16 cut by the mask") != std::string::npos);
  CHECK(plan.cuda_source().find("flash_regrouped") != std::string::npos);
  CHECK(grouped.program("sm_90", request).cuda_source() == plan.cuda_source());
}

TEST_CASE("masks that cannot be regrouped") {
  const AttentionRequest request{.head_dim = 64};
  const auto refuses = [&](const char* id, ErrorKind kind, const char* name,
                           const Attention& attention) {
    const Error first = refused(kind, name, [&] { attention.compile(emulator(), request); });
    CHECK(std::string(first.id()) == id);
    refused(kind, name, [&] { attention.program("sm_80", request); });
    return first;
  };
  const auto no_residue = [&](const Mask& mask) {
    INFO(mask.text());
    const Error error =
        refuses("regroup-without-residue", argument, "mask", Attention{}.mask(mask).regrouped());
    CHECK(error.value() == mask.text());
    CHECK(error.allowed().find("(q - k + c) % t == d") != std::string::npos);
  };
  CHECK(refuses("regroup-without-residue", argument, "mask", Attention{}.regrouped()).value() ==
        "every key");
  no_residue(causal());
  no_residue(Mask([](Index q, Index k) { return (q + k) % 4 == 0; }));
  no_residue(Mask([](Index q, Index k) { return (q - 2 * k) % 4 == 0; }));
  no_residue(Mask([](Index q, Index) { return q % 4 == 0; }));
  no_residue(Mask([](Index q, Index k) { return (q - k) % 4 != 0; }));
  no_residue(Mask([](Index q, Index k) { return (q - k) % 4 == 4; }));  // shows nothing
  no_residue(Mask([](Index q, Index k) { return (q - k) % 4 == -1; }));
  no_residue(Mask([](Index q, Index k) { return (q - k) % 1 == 0; }));
  no_residue(Mask([](Index q, Index k) { return (q - k) % 4 == 0 || k < q; }));
  no_residue(Mask([](Index q, Index k) { return (q - k) % Index::scalar("t", 4) == 0; }));
  no_residue(within_documents(strided(4)));
  const auto grouped = Attention{}.mask(strided(4)).regrouped();
  CHECK(refuses("regroup-excludes", ErrorKind::unsupported, "regrouped", grouped.blocks(64, 64))
            .value() == "with blocks");
  CHECK(refuses("regroup-excludes", ErrorKind::unsupported, "regrouped", grouped.graph()).value() ==
        "with graph");
  refuses("rope-over-list", ErrorKind::unsupported, "rope", grouped.blocks(64, 64).rope());
  CHECK(refuses("regroup-excludes", ErrorKind::unsupported, "regrouped", grouped.rope()).value() ==
        "with rope");
  refuses("regroup-name-taken", argument, "first_row",
          Attention{}
              .mask(strided(4) &&
                    Mask([](Index, Index k) { return k >= Index::scalar("first_row", 0); }))
              .regrouped());
}

TEST_CASE("a launch is refused as it is without, and nothing has run") {
  const auto p = sized(bf16, 37, 45, 16);
  const Tensors tensors(p, bf16);
  const AttentionRequest request{.head_dim = 16, .value_dim = 24};
  const AttentionPlan plans[] = {
      Attention{}.mask(strided(5)).compile(emulator(), request),
      Attention{}.mask(strided(5)).regrouped().compile(emulator(), request)};
  using T = AttentionTensors;
  const auto refuses = [&](ErrorKind kind, const char* name, auto change) {
    CAPTURE(name);
    T wrong = tensors.views;
    change(wrong);
    std::string said[2];
    for (const int which : {0, 1}) {
      const Error error = refused(
          kind, name, [&] { plans[which].launch(Stream::default_stream(emulator()), wrong); });
      said[which] = std::string(error.id()) + " " + error.value() + " " + error.allowed();
    }
    CHECK(said[0] == said[1]);
  };
  for (const auto& [name, member] :
       {std::pair{"q", &T::q}, {"k", &T::k}, {"v", &T::v}, {"out", &T::out}, {"lse", &T::lse}}) {
    refuses(argument, name, [&](T& t) { (t.*member).data = 0; });
    refuses(argument, name, [&](T& t) { (t.*member).dtype = i32; });
    refuses(mismatch, name, [&](T& t) { (t.*member).extents.pop_back(); });
    refuses(argument, name, [&](T& t) { (t.*member).data += 1; });
    if (member != &T::q) refuses(mismatch, name, [&](T& t) { ++(t.*member).extents[0]; });
    if (member != &T::lse) refuses(argument, name, [&](T& t) { t.*member = {}; });
  }
  refuses(argument, "out", [](T& t) { t.out.strides[2] = 8; });  // rows overlap their neighbours
  refuses(argument, "out", [](T& t) { t.out.strides[0] = 0; });
  refuses(argument, "lse", [](T& t) { t.lse.strides[2] = 0; });
  refuses(mismatch, "kv_heads", [](T& t) { t.k.extents[1] = t.v.extents[1] = 3; });
  refuses(argument, "softmax_scale", [](T& t) { t.softmax_scale = NAN; });
  refuses(ErrorKind::unsupported, "q",
          [](T& t) { t.q.extents[2] = t.out.extents[2] = t.lse.extents[2] = 1L << 31; });
  const Device other = Device::open("emulator:sm_90a");
  T nothing = tensors.views;
  nothing.q.extents[2] = nothing.out.extents[2] = nothing.lse.extents[2] = 0;
  for (const T& given : {tensors.views, nothing})
    refused(argument, "stream", [&] { plans[1].launch(Stream::default_stream(other), given); });
  emulator().synchronize();
  for (const double number : tensors.out.numbers()) CHECK(std::isnan(number));
  for (const double number : tensors.lse.numbers()) CHECK(std::isnan(number));
}
