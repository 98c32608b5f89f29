// Every wrong argument of the builder and of a launch is refused by an Error that names it in the
// caller's words, and nothing has run.
#include "calls.hpp"

using namespace calls;

namespace {

const auto argument = ErrorKind::invalid_argument;
const auto mismatch = ErrorKind::shape_mismatch;

void refuses_request(ErrorKind kind, const std::string& name, const AttentionRequest& request) {
  CAPTURE(name);
  refused(kind, name, [&] { Attention{}.compile(emulator(), request); });
  refused(kind, name, [&] { Attention{}.program("sm_80", request); });
}

}  // namespace

TEST_CASE("a request") {
  refuses_request(argument, "head_dim", {});
  refuses_request(argument, "head_dim", {.head_dim = -1});
  refuses_request(argument, "head_dim", {.head_dim = 257});
  refuses_request(argument, "value_dim", {.head_dim = 64, .value_dim = -3});
  refuses_request(argument, "value_dim", {.head_dim = 64, .value_dim = 1 << 30});
  for (const DType dtype : {e4m3, e5m2, i8, u8, i32, u32, i64, b1})
    refuses_request(ErrorKind::unsupported, "dtype", {.dtype = dtype, .head_dim = 64});
  refuses_request(argument, "dot_precision",
                  {.dtype = bf16, .head_dim = 64, .dot_precision = DotPrecision::tf32});
  refuses_request(argument, "dot_precision",
                  {.dtype = f32, .head_dim = 64, .schedule = "dot_precision tf32"});
  refuses_request(argument, "tiles", {.head_dim = 64, .schedule = "tiles q 64"});
  const Error arch =
      refused(argument, "arch", [] { Attention{}.program("sm_12345", {.head_dim = 64}); });
  CHECK(arch.value() == "sm_12345");
}

TEST_CASE("a launch") {
  const auto p = problem(bf16, {.batch = 2,
                                .heads = 4,
                                .kv_heads = 2,
                                .seqlen_q = 5,
                                .seqlen_kv = 7,
                                .head_dim = 16,
                                .value_dim = 24});
  const Tensors tensors(p, bf16);
  const auto plan = Attention{}.compile(emulator(), {.head_dim = 16, .value_dim = 24});
  const Stream stream = Stream::default_stream(emulator());
  using T = AttentionTensors;
  const auto refuses = [&](ErrorKind kind, const char* name, auto change) {
    CAPTURE(name);
    T wrong = tensors.views;
    change(wrong);
    return refused(kind, name, [&] { plan.launch(stream, wrong); });
  };
  for (const auto& [name, member] :
       {std::pair{"q", &T::q}, {"k", &T::k}, {"v", &T::v}, {"out", &T::out}, {"lse", &T::lse}}) {
    refuses(argument, name, [&](T& t) { (t.*member).data = 0; });
    refuses(argument, name, [&](T& t) { (t.*member).dtype = i32; });
    refuses(mismatch, name, [&](T& t) { (t.*member).extents.pop_back(); });
    refuses(mismatch, name, [&](T& t) { (t.*member).strides.pop_back(); });
    if (member != &T::lse) refuses(argument, name, [&](T& t) { t.*member = {}; });
    if (member != &T::q) refuses(mismatch, name, [&](T& t) { ++(t.*member).extents[0]; });
    refuses(argument, name, [&](T& t) { (t.*member).data += 1; });
  }
  // Who is named where extents disagree: the tensor that comes later, and both numbers.
  const Error rows = refuses(mismatch, "v", [](T& t) { t.v.extents[2] = 8; });
  CHECK(rows.value() == "8");
  CHECK(std::string(rows.what()).find("seqlen_kv") != std::string::npos);
  CHECK(rows.allowed().find("7") != std::string::npos);
  CHECK(rows.allowed().find("'k'") != std::string::npos);
  refuses(mismatch, "out", [](T& t) { t.out.extents[1] = 2; });
  refuses(mismatch, "lse", [](T& t) { t.lse.extents[2] = 6; });
  // What was compiled for.
  const Error width = refuses(mismatch, "k", [](T& t) { t.k.extents[3] = 24; });
  CHECK(std::string(width.what()).find("head_dim") != std::string::npos);
  CHECK(width.allowed().find("the request") != std::string::npos);
  refuses(mismatch, "out", [](T& t) { t.out.extents[3] = 16; });
  // 4 heads do not share 3 kv heads, nor none.
  refuses(mismatch, "kv_heads", [](T& t) { t.k.extents[1] = t.v.extents[1] = 3; });
  refuses(mismatch, "kv_heads", [](T& t) { t.k.extents[1] = t.v.extents[1] = 0; });
  refuses(argument, "out", [](T& t) { t.out.strides[0] = 0; });
  refuses(argument, "lse", [](T& t) { t.lse.strides = {0, 0, 0}; });
  refuses(argument, "softmax_scale", [](T& t) { t.softmax_scale = NAN; });
  refuses(argument, "softmax_scale", [](T& t) { t.softmax_scale = HUGE_VAL; });
  refuses(ErrorKind::unsupported, "q",
          [](T& t) { t.q.extents[2] = t.out.extents[2] = t.lse.extents[2] = 1L << 31; });

  const Device other = Device::open("emulator:sm_90a");
  refused(argument, "stream", [&] { plan.launch(Stream::default_stream(other), tensors.views); });

  emulator().synchronize();
  for (const double number : tensors.out.numbers()) CHECK(std::isnan(number));
  for (const double number : tensors.lse.numbers()) CHECK(std::isnan(number));
  plan.launch(stream, tensors.views);
  check_results(p, bf16, tensors.out.numbers(), tensors.lse.numbers());
}

TEST_CASE("extents asked about") {
  const auto plan = Attention{}.compile(emulator(), {.head_dim = 64});
  const AttentionExtents right{.heads = 4, .kv_heads = 2, .seqlen_q = 300, .seqlen_kv = 300};
  CHECK(plan.workspace_bytes(right) == 0);
  const auto refuses = [&](ErrorKind kind, const char* name, auto change) {
    AttentionExtents wrong = right;
    change(wrong);
    refused(kind, name, [&] { plan.workspace_bytes(wrong); });
    refused(kind, name, [&] { plan.explain(wrong); });
    refused(kind, name, [&] { plan.program().blocks(wrong); });
    refused(kind, name, [&] {
      auto copy = plan;
      copy.reserve(wrong);
    });
  };
  using X = AttentionExtents;
  refuses(argument, "batch", [](X& x) { x.batch = -1; });
  refuses(argument, "heads", [](X& x) { x.heads = 1L << 31; });
  refuses(argument, "seqlen_q", [](X& x) { x.seqlen_q = -5; });
  refuses(argument, "seqlen_kv", [](X& x) { x.seqlen_kv = INT64_MIN; });
  refuses(mismatch, "kv_heads", [](X& x) { x.kv_heads = 3; });
  refuses(mismatch, "kv_heads", [](X& x) { x.kv_heads = 0; });
  refused(ErrorKind::unsupported, "extents", [&] {
    plan.program().blocks({.batch = 1 << 20, .heads = 1 << 20, .kv_heads = 1, .seqlen_q = 1});
  });
}

TEST_CASE("every error has its id of the catalogue") {
  const auto plan = Attention{}.compile(emulator(), {.head_dim = 16});
  const auto merge = compile_merge(emulator(), {.dtype = f32, .value_dim = 16});
  const Memory numbers(f32, 16), number(f32, 1), halves(bf16, 16);
  const TensorView row = numbers.view({1, 1, 1, 16}), one = number.view({1, 1, 1}),
                   half = halves.view({1, 1, 1, 16});
  const Stream stream = Stream::default_stream(emulator());
  const auto has = [](const char* id, const auto& action) {
    CAPTURE(id);
    try {
      action();
      FAIL_CHECK("not refused");
    } catch (const Error& error) {
      CHECK(std::string(error.id()) == id);
    }
  };
  const auto compiles = [](const AttentionRequest& request) {
    return [request] { Attention{}.compile(emulator(), request); };
  };
  has("request-out-of-range", compiles({.head_dim = 0}));
  has("request-type-unsupported", compiles({.dtype = i8, .head_dim = 16}));
  has("tf32-without-f32", compiles({.head_dim = 16, .dot_precision = DotPrecision::tf32}));
  has("request-precision-disagrees",
      compiles({.dtype = f32, .head_dim = 16, .schedule = "dot_precision tf32"}));
  has("target-unknown", [] { Attention{}.program("sm_1", {.head_dim = 16}); });
  has("extents-out-of-range", [&] { plan.explain({.batch = -1}); });
  has("kv-heads-do-not-divide", [&] { plan.explain({.heads = 3, .kv_heads = 2}); });
  has("softmax-scale-not-finite", [&] {
    plan.launch(stream, {.q = half, .k = half, .v = half, .out = half, .softmax_scale = NAN});
  });
  has("launch-argument-missing", [&] { plan.launch(stream, {.q = half, .k = half, .v = half}); });
  has("extent-compiled-otherwise", [&] { plan.launch(stream, {.q = half.slice(3, 0, 8)}); });
  has("extent-disagrees",
      [&] { plan.launch(stream, {.q = half, .k = half, .v = half.slice(2, 0, 0), .out = half}); });
  has("merge-in-place", [&] {
    merge.launch(stream, {.out_a = row, .lse_a = one, .out_b = row, .lse_b = one, .out = row});
  });
  has("view-axis-unknown", [&] { row.transposed(0, 4); });
  has("slice-leaves-view", [&] { row.slice(3, 1, 16); });
}
