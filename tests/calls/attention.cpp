// Attention by the builder against the formula: types, masks, heads, lengths, dimensions, scales,
// layouts, empty extents, and an lse that nobody wants.
#include "calls.hpp"

using namespace calls;

namespace {

std::function<bool(long, long, long, long)> visible(const oracle::Problem& p,
                                                    CausalAlignment alignment) {
  const long offset = alignment == bottom_right ? p.seqlen_kv - p.seqlen_q : 0;
  return [offset](long, long, long q, long k) { return k <= q + offset; };
}

void check(const Attention& attention, const oracle::Problem& p, DType dtype) {
  const Tensors tensors(p, dtype);
  const auto plan = attention.compile(
      emulator(), {.dtype = dtype, .head_dim = p.head_dim, .value_dim = p.value_dim});
  plan.launch(Stream::default_stream(emulator()), tensors.views);
  check_results(p, dtype, tensors.out.numbers(), tensors.lse.numbers());
  CHECK(faults() == "[]");
}

}  // namespace

TEST_CASE("every type, no mask and both causal alignments, against the formula") {
  for (const DType dtype : {bf16, f16, f32}) {
    auto p = problem(dtype, {.batch = 2,
                             .heads = 3,
                             .kv_heads = 3,
                             .seqlen_q = 77,
                             .seqlen_kv = 131,
                             .head_dim = 64,
                             .value_dim = 64});
    check(Attention{}, p, dtype);
    for (const CausalAlignment alignment : {bottom_right, top_left}) {
      p.visible = visible(p, alignment);
      check(Attention{}.mask(causal(alignment)), p, dtype);
    }
  }
}

TEST_CASE("grouped heads, odd dimensions, more rows than keys") {
  for (const long kv_heads : {1L, 2L, 6L}) {
    auto p = problem(bf16, {.heads = 6,
                            .kv_heads = kv_heads,
                            .seqlen_q = 65,
                            .seqlen_kv = 33,
                            .head_dim = 40,
                            .value_dim = 72});
    p.visible = visible(p, bottom_right);
    check(Attention{}.mask(causal()), p, bf16);
  }
  check(Attention{}, problem(f16, {.seqlen_q = 1, .seqlen_kv = 300, .head_dim = 1, .value_dim = 3}),
        f16);
}

TEST_CASE("the last mask set holds, and a description can be compiled twice") {
  const Attention full, masked = full.mask(causal());
  auto p = problem(bf16, {.seqlen_q = 50, .seqlen_kv = 50, .head_dim = 32, .value_dim = 32});
  check(masked.mask(Mask()), p, bf16);
  check(full, p, bf16);
  p.visible = visible(p, bottom_right);
  check(masked, p, bf16);
}

TEST_CASE("a scale of one's own, and no lse") {
  auto p = problem(bf16, {.heads = 2,
                          .kv_heads = 2,
                          .seqlen_q = 33,
                          .seqlen_kv = 70,
                          .head_dim = 32,
                          .value_dim = 32});
  const auto plan = Attention{}.compile(emulator(), {.head_dim = 32});
  const Tensors tensors(p, bf16);
  auto given = tensors.views;
  given.softmax_scale = p.scale = 0.5;
  given.lse = {};
  plan.launch(Stream::default_stream(emulator()), given);
  for (const double number : tensors.lse.numbers()) CHECK(std::isnan(number));
  const auto truth = oracle::attention(p);
  CHECK(oracle::largest_difference(tensors.out.numbers(), truth.out) <= 0.02);
}

TEST_CASE("empty extents launch nothing, or write the neutral result") {
  const auto plan = Attention{}.compile(emulator(), {.head_dim = 64});
  for (const auto& shape :
       {oracle::Problem{.batch = 0, .seqlen_q = 5, .seqlen_kv = 5, .head_dim = 64, .value_dim = 64},
        {.heads = 0, .kv_heads = 0, .seqlen_q = 5, .seqlen_kv = 5, .head_dim = 64, .value_dim = 64},
        {.seqlen_q = 0, .seqlen_kv = 5, .head_dim = 64, .value_dim = 64},
        {.seqlen_q = 5, .seqlen_kv = 0, .head_dim = 64, .value_dim = 64}}) {
    const Tensors tensors(problem(bf16, shape), bf16);
    plan.launch(Stream::default_stream(emulator()), tensors.views);
    for (const double number : tensors.out.numbers()) CHECK(number == 0);
    for (const double number : tensors.lse.numbers()) CHECK(number == -HUGE_VAL);
  }
  CHECK(faults() == "[]");
}

TEST_CASE("[batch, length, heads, dim], packed q k v, padded rows") {
  const long b = 2, h = 3, s = 45, d = 40, pitch = 48;
  const auto dense = problem(bf16, {.batch = b,
                                    .heads = h,
                                    .kv_heads = h,
                                    .seqlen_q = s,
                                    .seqlen_kv = s,
                                    .head_dim = d,
                                    .value_dim = d});
  std::vector<double> packed(static_cast<std::size_t>(b * s * 3 * h * pitch), NAN);
  const auto put = [&](const std::vector<double>& from, long which) {
    for (long i = 0; i < b; ++i)
      for (long j = 0; j < h; ++j)
        for (long r = 0; r < s; ++r)
          for (long c = 0; c < d; ++c)
            packed[static_cast<std::size_t>(((i * s + r) * 3 * h + which * h + j) * pitch + c)] =
                from[static_cast<std::size_t>(((i * h + j) * s + r) * d + c)];
  };
  put(dense.q, 0), put(dense.k, 1), put(dense.v, 2);
  const Memory qkv(bf16, packed), out(bf16, b * s * h * d), lse(f32, b * h * s);
  const auto part = [&](long which) {
    return qkv.view({b, s, 3 * h, pitch}).slice(2, which * h, h).slice(3, 0, d).transposed(1, 2);
  };
  Attention{}
      .compile(emulator(), {.head_dim = d})
      .launch(Stream::default_stream(emulator()), {.q = part(0),
                                                   .k = part(1),
                                                   .v = part(2),
                                                   .out = out.view({b, s, h, d}).transposed(1, 2),
                                                   .lse = lse.view({b, h, s})});
  const auto rows = out.numbers();
  std::vector<double> result;
  for (long i = 0; i < b; ++i)
    for (long j = 0; j < h; ++j)
      for (long r = 0; r < s; ++r)
        for (long c = 0; c < d; ++c)
          result.push_back(rows[static_cast<std::size_t>(((i * s + r) * h + j) * d + c)]);
  check_results(dense, bf16, result, lse.numbers());
  CHECK(faults() == "[]");
}
