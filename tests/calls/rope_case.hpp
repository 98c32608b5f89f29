// Problems with rotary positions: turned a second time in plain loops, run, and compared.
#pragma once

#include "calls.hpp"

#include <memory>

namespace calls::rope {

using Positions = std::function<double(long b, long at)>;

struct Case {
  oracle::Problem problem;
  Rope rope = {};
  double base = 10'000, position_scale = 1, temperature = 1;
  Positions q = nullptr, k = nullptr;  ///< given ones; else those of the launch
};

/// Rows of one tensor [batch, heads, length, head_dim], turned one pair at a time.
inline std::vector<double> turned(const Case& c, std::vector<double> x, long heads, long length,
                                  const Positions& position) {
  const long width = c.problem.head_dim, dim = c.rope.dim == 0 ? width : c.rope.dim;
  for (long row = 0; row < c.problem.batch * heads * length; ++row)
    for (long i = 0; i < dim / 2; ++i) {
      const bool near = c.rope.pairing == RopePairing::interleaved;
      double& one = x[row * width + (near ? 2 * i : i)];
      double& two = x[row * width + (near ? 2 * i + 1 : i + dim / 2)];
      const double angle =
          position(row / (heads * length), row % length) / c.position_scale *
          std::pow(c.base, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
      const double a = one, b = two;
      one = c.temperature * (a * std::cos(angle) - b * std::sin(angle));
      two = c.temperature * (b * std::cos(angle) + a * std::sin(angle));
    }
  return x;
}

/// The problem without positions that gives the same.
inline oracle::Problem turned(const Case& c) {
  oracle::Problem p = c.problem;
  const double ahead = static_cast<double>(p.seqlen_kv - p.seqlen_q);
  p.q = turned(
      c, p.q, p.heads, p.seqlen_q,
      c.q ? c.q : [=](long, long i) { return static_cast<double>(i) + ahead; });
  p.k = turned(
      c, p.k, p.kv_heads, p.seqlen_kv,
      c.k ? c.k : [](long, long i) { return static_cast<double>(i); });
  return p;
}

/// The tables of a launch, and what they hold.
class Tables {
 public:
  Tables(const Case& c, std::int64_t positions) {
    const std::int64_t dim = c.rope.dim == 0 ? c.problem.head_dim : c.rope.dim;
    const RopeTables made =
        rope_tables(rope_inv_freq(dim, c.base), positions, {c.position_scale, c.temperature});
    add("rope_cos", f32, {made.cosine.begin(), made.cosine.end()}, {positions, dim / 2});
    add("rope_sin", f32, {made.sine.begin(), made.sine.end()}, {positions, dim / 2});
    const auto place = [&](const char* name, const Positions& position, long length) {
      std::vector<double> numbers;
      for (long i = 0; i < c.problem.batch * length; ++i)
        numbers.push_back(position(i / length, i % length));
      add_integers(name, numbers, {c.problem.batch, length});
    };
    if (c.q) place("positions_q", c.q, c.problem.seqlen_q);
    if (c.k) place("positions_k", c.k, c.problem.seqlen_kv);
  }

  std::vector<std::pair<std::string, TensorView>> views;

 private:
  void add(const char* name, DType dtype, std::vector<double> numbers,
           std::vector<std::int64_t> extents) {
    memories_.push_back(std::make_unique<Memory>(dtype, numbers));
    views.emplace_back(name, memories_.back()->view(std::move(extents)));
  }
  void add_integers(const char* name, const std::vector<double>& numbers,
                    std::vector<std::int64_t> extents) {
    std::vector<std::int32_t> integers(numbers.begin(), numbers.end());
    buffers_.push_back(std::make_unique<Buffer>(emulator(), integers.size() * 4));
    if (!integers.empty()) buffers_.back()->upload(integers.data(), integers.size() * 4);
    views.emplace_back(name,
                       TensorView::contiguous(buffers_.back()->address(), i32, std::move(extents)));
  }
  std::vector<std::unique_ptr<Memory>> memories_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

struct Result {
  std::vector<double> out, lse;
};

inline Result run(const AttentionPlan& plan, const Case& c, DType dtype, std::int64_t positions,
                  const std::vector<std::pair<std::string, TensorView>>& more = {}) {
  const Tensors tensors(c.problem, dtype);
  const Tables tables(c, positions);
  AttentionTensors given = tensors.views;
  given.tables = tables.views;
  given.tables.insert(given.tables.end(), more.begin(), more.end());
  plan.launch(Stream::default_stream(emulator()), given);
  CHECK(faults() == "[]");
  return {tensors.out.numbers(), tensors.lse.numbers()};
}

inline AttentionPlan compiled(const Attention& attention, const Case& c, DType dtype) {
  return attention.rope(c.rope).compile(
      emulator(),
      {.dtype = dtype, .head_dim = c.problem.head_dim, .value_dim = c.problem.value_dim});
}

/// Turned numbers are rounded to the type before their products, as those of memory are.
inline void check(const Case& c, DType dtype, const Result& result) {
  const oracle::Problem exact = turned(c);
  oracle::Problem plain = exact;
  for (auto* numbers : {&plain.q, &plain.k})
    for (double& x : *numbers) x = rounded(dtype, x);
  const auto truth = oracle::attention(exact);
  const auto naive = oracle::attention(plain, [&](double x) { return rounded(dtype, x); });
  CHECK(oracle::largest_difference(result.out, truth.out) <= oracle::tolerance(naive, truth));
  CHECK(oracle::largest_difference(result.lse, truth.lse) <=
        2 * oracle::largest_difference(naive.lse, truth.lse) + (dtype == f32 ? 2e-5 : 1e-4));
}

inline Case sized(DType dtype, oracle::Problem p, Rope rope = {}) {
  if (p.kv_heads == 1 && p.heads == 1) p.heads = 4, p.kv_heads = 2;
  return {problem(dtype, std::move(p)), rope};
}

inline void check_near(const std::vector<double>& x, const std::vector<double>& want,
                       double tolerance) {
  CHECK(oracle::largest_difference(x, want) <= tolerance);
}

}  // namespace calls::rope
