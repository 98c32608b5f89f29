// Merging partial results: keys split in two or in three give what all keys together give; neutral
// rows; strides; refusals.
#include "calls.hpp"

using namespace calls;

namespace {

/// By the formula, one row at a time: e^a, e^b and their sum, relative to the larger.
struct Merged {
  std::vector<double> out, lse;
  Merged(const std::vector<double>& a, const std::vector<double>& la, const std::vector<double>& b,
         const std::vector<double>& lb, std::size_t dim) {
    for (std::size_t row = 0; row < la.size(); ++row) {
      const double most = std::max(la[row], lb[row]);
      if (most == -HUGE_VAL) {
        out.insert(out.end(), dim, 0);
        lse.push_back(most);
        continue;
      }
      const double wa = std::exp(la[row] - most), wb = std::exp(lb[row] - most);
      for (std::size_t e = 0; e < dim; ++e)
        out.push_back(
            ((wa == 0 ? 0 : wa * a[row * dim + e]) + (wb == 0 ? 0 : wb * b[row * dim + e])) /
            (wa + wb));
      lse.push_back(most + std::log(wa + wb));
    }
  }
};

double allowed(DType dtype) { return dtype == f32 ? 1e-5 : dtype == f16 ? 4e-3 : 3e-2; }

}  // namespace

TEST_CASE("random partial results, some neutral, of every type, against the formula") {
  const long b = 2, h = 3, rows = 37;
  for (const DType dtype : {bf16, f16, f32}) {
    for (const long dim : {1L, 40L, 128L, 256L}) {
      CAPTURE(static_cast<int>(dtype));
      CAPTURE(dim);
      auto a = random_numbers(dtype, b * h * rows * dim, 1);
      auto c = random_numbers(dtype, b * h * rows * dim, 2);
      auto la = random_numbers(f32, b * h * rows, 3), lc = random_numbers(f32, b * h * rows, 4);
      for (std::size_t row = 0; row < la.size(); ++row) {
        la[row] *= 20;
        // A neutral row's values are not looked at: NaN there must not show.
        const auto neutral = [&](std::vector<double>& lse, std::vector<double>& out) {
          lse[row] = -HUGE_VAL;
          for (long e = 0; e < dim; ++e) out[row * static_cast<std::size_t>(dim) + e] = NAN;
        };
        if (row % 5 == 0 || row % 5 == 2) neutral(la, a);
        if (row % 5 == 1 || row % 5 == 2) neutral(lc, c);
        la[row] = float(la[row]);
      }
      const Memory out_a(dtype, a), lse_a(f32, la), out_b(dtype, c), lse_b(f32, lc);
      const Memory out(dtype, b * h * rows * dim), lse(f32, b * h * rows);
      const auto plan = compile_merge(emulator(), {.dtype = dtype, .value_dim = dim});
      plan.launch(Stream::default_stream(emulator()), {.out_a = out_a.view({b, h, rows, dim}),
                                                       .lse_a = lse_a.view({b, h, rows}),
                                                       .out_b = out_b.view({b, h, rows, dim}),
                                                       .lse_b = lse_b.view({b, h, rows}),
                                                       .out = out.view({b, h, rows, dim}),
                                                       .lse = lse.view({b, h, rows})});
      const Merged want(a, la, c, lc, static_cast<std::size_t>(dim));
      CHECK(oracle::largest_difference(out.numbers(), want.out) <= allowed(dtype));
      CHECK(oracle::largest_difference(lse.numbers(), want.lse) <= 1e-5);
      CHECK(faults() == "[]");
    }
  }
}

TEST_CASE("keys in two launches, merged, equal one launch; strided in and out, no lse wanted") {
  const long h = 2, rows = 33, keys = 90, split = 37, d = 32;
  const auto p = problem(f32, {.heads = h,
                               .kv_heads = h,
                               .seqlen_q = rows,
                               .seqlen_kv = keys,
                               .head_dim = d,
                               .value_dim = d});
  const Tensors whole(p, f32);
  const auto plan = Attention{}.compile(emulator(), {.dtype = f32, .head_dim = d});
  const Stream stream = Stream::default_stream(emulator());
  // Partial results as [rows, heads, dim] and [rows, heads].
  const Memory out_a(f32, h * rows * d), out_b(f32, h * rows * d), lse_a(f32, h * rows),
      lse_b(f32, h * rows), out(f32, h * rows * d);
  const auto wide = [&](const Memory& memory) {
    return memory.view({1, rows, h, d}).transposed(1, 2);
  };
  const auto narrow = [&](const Memory& memory) {
    return memory.view({1, rows, h}).transposed(1, 2);
  };
  for (const bool first : {true, false}) {
    const long begin = first ? 0 : split, count = first ? split : keys - split;
    plan.launch(stream, {.q = whole.views.q,
                         .k = whole.views.k.slice(2, begin, count),
                         .v = whole.views.v.slice(2, begin, count),
                         .out = wide(first ? out_a : out_b),
                         .lse = narrow(first ? lse_a : lse_b)});
  }
  compile_merge(emulator(), {.dtype = f32, .value_dim = d})
      .launch(stream, {.out_a = wide(out_a),
                       .lse_a = narrow(lse_a),
                       .out_b = wide(out_b),
                       .lse_b = narrow(lse_b),
                       .out = out.view({1, h, rows, d})});
  const auto truth = oracle::attention(p);
  CHECK(oracle::largest_difference(out.numbers(), truth.out) <= 1e-5);
  CHECK(faults() == "[]");
}

TEST_CASE("a merge refuses what it is wrongly given, by name") {
  refused(ErrorKind::invalid_argument, "value_dim",
          [] { compile_merge(emulator(), {.dtype = f32}); });
  refused(ErrorKind::invalid_argument, "value_dim",
          [] { compile_merge(emulator(), {.value_dim = 257}); });
  refused(ErrorKind::unsupported, "dtype",
          [] { compile_merge(emulator(), {.dtype = i32, .value_dim = 8}); });

  const auto plan = compile_merge(emulator(), {.dtype = f32, .value_dim = 8});
  const Memory numbers(f32, 4 * 8), more(f32, 4 * 8);
  const TensorView wide = numbers.view({1, 1, 4, 8}), narrow = numbers.view({1, 1, 4});
  const MergeTensors right{.out_a = wide,
                           .lse_a = narrow,
                           .out_b = wide,
                           .lse_b = narrow,
                           .out = more.view({1, 1, 4, 8})};
  const auto refuses = [&](ErrorKind kind, const char* name, auto change) {
    MergeTensors wrong = right;
    change(wrong);
    refused(kind, name, [&] { plan.launch(Stream::default_stream(emulator()), wrong); });
  };
  plan.launch(Stream::default_stream(emulator()), right);
  emulator().synchronize();
  using T = MergeTensors;
  const auto argument = ErrorKind::invalid_argument;
  refuses(argument, "out_a", [](T& t) { t.out_a = {}; });
  refuses(argument, "lse_b", [](T& t) { t.lse_b = {}; });
  refuses(argument, "out", [](T& t) { t.out = {}; });
  refuses(argument, "out_b", [](T& t) { t.out_b.data = 0; });
  refuses(argument, "out_b", [](T& t) { t.out_b.dtype = bf16; });
  refuses(argument, "out", [&](T& t) { t.out = wide; });
  refuses(argument, "lse", [&](T& t) { t.lse = narrow; });
  refuses(argument, "out", [](T& t) { t.out.strides[2] = 0; });
  refuses(ErrorKind::shape_mismatch, "lse_a", [](T& t) { t.lse_a.extents[2] = 5; });
  refuses(ErrorKind::shape_mismatch, "out_b", [](T& t) { t.out_b.extents[3] = 7; });
  refuses(ErrorKind::shape_mismatch, "lse_b", [&](T& t) { t.lse_b = wide; });
}
