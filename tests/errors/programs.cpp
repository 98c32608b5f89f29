// Programs that the language takes and the compiler cannot map, schedules that cannot be, and what
// only a launch shows.
#include <sstream>
#include <tilewright/dsl.hpp>

#include "build.hpp"
#include "dsl/dimensions.hpp"
#include "emit/emitter.hpp"
#include "emit/errors.hpp"
#include "emit/reference.hpp"
#include "ir/errors.hpp"
#include "ir/interpret.hpp"
#include "passes/analyze_masks.hpp"
#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "plan_errors.hpp"
#include "provoked.hpp"
#include "runtime/errors.hpp"
#include "tilewright/compile.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

using Q = In<"q", bf16, M, D>;
using K = In<"k", bf16, N, D>;
using V = In<"v", bf16, N, E>;
using O = Out<"o", f32, M, E>;

const auto product = kernel("product", [](Q q, K k, V v, O o) {
  auto m = blocks(M);
  auto rows = let("rows", load(q(m, D)));
  Var<f32, M, E> sum{"sum", 0.f};
  for_blocks(N, [&](auto n) {
    auto s = let("s", dot(rows, load(k(n, D)), D));
    auto p = let("p", cast<bf16>(exp2(s)));
    sum = sum + dot(p, load(v(n, E)), N);
  });
  store(o(m, E), sum);
});

ir::Schedule wish(int tile_q, int warps = 0) {
  ir::Schedule schedule;
  schedule.tile["q"] = tile_q;
  schedule.warps = warps;
  return schedule;
}

/// Compiles without a device.
template <typename Source>
void make(const Source& source, const std::map<std::string, std::int64_t>& extents = {},
          const ir::Schedule& schedule = {}) {
  CompileRequest request;
  for (const auto& [dim, extent] : extents) request.extents[dim] = extent;
  request.schedule = schedule;
  (void)make_program(source, "sm_80", request);
}

template <typename Body>
auto with(const Body& body) {
  return kernel("refused", body);
}

}  // namespace

TEST_CASE("schedules that cannot be") {
  const std::map<std::string, std::int64_t> sizes{{"d", 64}, {"e", 64}};
  make(product, sizes);
  provoked(errors::passes["target-unknown"], [] { (void)passes::target_of("sm_10"); });
  CHECK(provoked(errors::passes["tile-invalid"], [&] { make(product, sizes, wish(24)); }).value() ==
        "24");
  CHECK(provoked(errors::passes["warps-disagree-with-tile"], [&] {
          make(product, sizes, wish(64, 8));
        }).allowed() == "4");
  ir::Schedule place;
  place.place["rows"] = "uniform";
  provoked(errors::passes["place-invalid"], [&] { make(product, sizes, place); });
  ir::Schedule precision;
  precision.dot_precision = "tf32";
  provoked(errors::passes["tf32-without-f32"], [&] { make(product, sizes, precision); });
  provoked(errors::passes["tiles-do-not-fit"], [&] { make(product, {{"d", 16384}, {"e", 64}}); });
  provoked(errors::passes["tile-exceeds-registers"], [] {
    make(with([](In<"x", f32, M, D> x, Out<"y", f32, M> y) {
           auto m = blocks(M);
           store(y(m), reduce_sum(load(x(m, D)), D));
         }),
         {{"d", 1 << 20}});
  });
  provoked(errors::passes["warps-do-not-fit"], [] {
    make(with([](Q q, K k, Out<"s", f32, M, N> s) {
           auto n = blocks(N);
           store(s(M, n), dot(load(q(M, D)), load(k(n, D)), D));
         }),
         {{"q", 1000}, {"d", 16}});
  });
}

TEST_CASE("products that have no instruction, or no place") {
  ir::Kernel batched = build(with([](In<"x", bf16, B, M, D> x, K k, Out<"s", f32, B, M, N> s) {
                               auto m = blocks(M);
                               auto n = blocks(N);
                               store(s(B, m, n), dot(load(x(B, m, D)), load(k(n, D)), D));
                             }),
                             {{"batch", 2}, {"d", 64}});
  provoked(errors::passes["dot-dimensions-unsupported"],
           [&] { (void)passes::choose_schedule(batched, passes::target_of("sm_80"), {}); });
  // The language refuses other types before; a kernel made otherwise may have them.
  ir::Kernel bytes = build(product, {{"d", 64}, {"e", 64}});
  for (ir::Value& value : bytes.values)
    if (value.type.dtype == bf16) value.type.dtype = i8;
  provoked(errors::passes["dot-type-unsupported"],
           [&] { (void)passes::choose_schedule(bytes, passes::target_of("sm_80"), {}); });
  provoked(errors::passes["dot-inside-when"], [] {
    make(with([](Q q, K k, Out<"s", f32, M, N> s) {
           auto m = blocks(M);
           auto n = blocks(N);
           when(extent(M) > 3, [&] { store(s(m, n), dot(load(q(m, D)), load(k(n, D)), D)); });
         }),
         {{"d", 64}});
  });
  provoked(errors::passes["reduction-in-mask"], [] {
    make(with([](Q q, K k, In<"w", i32, M> w, Out<"y", f32, M> y) {
           auto m = blocks(M);
           auto rows = let("rows", load(q(m, D)));
           Var<f32, M> sum{"sum", 0.f};
           for_blocks(
               N, [&](auto) { return index(N) < reduce_max(load(w(m)), M); },
               [&](auto n) { sum = sum + reduce_sum(dot(rows, load(k(n, D)), D), N); });
           store(y(m), sum);
         }),
         {{"d", 64}});
  });
}

TEST_CASE("tiles whose rows cannot be where they are needed") {
  std::map<std::string, std::int64_t> sizes{{"kv", 16}, {"d", 64}, {"e", 16}, {"q", 16}};
  provoked(errors::passes["rows-conflict"], [&] {
    make(with([](In<"x", bf16, B, D> x, Q q, K k, In<"w", bf16, E, D> w, Out<"y", f32, B, E> y,
                 Out<"s", f32, M, N> s) {
           auto b = blocks(B);
           store(y(b, E), dot(load(x(b, D)), load(w(E, D)), D));
           auto one = dot(load(q(M, D)), load(k(N, D)), D);
           auto other = dot(load(k(N, D)), load(q(M, D)), D);
           store(s(M, N), one + other);
         }),
         sizes);
  });
  sizes.erase("e");
  provoked(errors::passes["vector-conflict"], [&] {
    make(with([](In<"x", bf16, B, D> x, Q q, K k, In<"w", f32, M> w, Out<"y", f32, B, M> y,
                 Out<"s", f32, M, N> s) {
           auto b = blocks(B);
           auto v = let("v", load(w(M)));
           store(y(b, M), dot(load(x(b, D)), load(q(M, D)), D) + v);
           store(s(M, N), dot(load(q(M, D)), load(k(N, D)), D) + v);
         }),
         sizes);
  });
  // The remedy works: under a name of its own the second use has a vector of its own.
  make(with([](In<"x", bf16, B, D> x, Q q, K k, In<"w", f32, M> w, Out<"y", f32, B, M> y,
               Out<"s", f32, M, N> s) {
         auto b = blocks(B);
         auto other = as<E>(M);
         store(y(b, other), dot(load(x(b, D)), load(q(other, D)), D) + load(w(other)));
         store(s(M, N), dot(load(q(M, D)), load(k(N, D)), D) + load(w(M)));
       }),
       sizes);
  provoked(errors::emit["tile-layout-unsupported"], [] {
    make(with([](In<"x", f32, B, M, D> x, Out<"y", f32, B, M, D> y) {
           auto m = blocks(M);
           store(y(B, m, D), load(x(B, m, D)) + 1.f);
         }),
         {{"batch", 4}, {"d", 8}});
  });
}

TEST_CASE("what is counted, and what a reference is made of") {
  const ir::Kernel traced = build(product, {{"d", 64}, {"e", 64}});
  const ir::Operation* loop = nullptr;
  for (const auto& operation : traced.body.operations)
    if (operation->op == Op::for_blocks) loop = operation.get();
  REQUIRE(loop != nullptr);
  provoked(errors::passes["blocks-not-countable"], [&] {
    (void)passes::count_blocks(traced, *loop, [](const std::string&) { return std::int64_t{1}; });
  });
  // The emitter takes what the passes made; a traced kernel still has reductions in its
  // expressions.
  const ir::Kernel sums = build(with([](In<"x", f32, D> x, Out<"y", f32, M> y) {
                                  store(y(0), reduce_sum(load(x(D)), D) + 1.f);
                                }),
                                {{"d", 8}});
  provoked(errors::emit["reduction-unsupported"], [&] { (void)emit::emit_kernel(sums, {}); });
  const Lowered lowered = lower(traced, passes::target_of("sm_80"), {}, true);
  provoked(errors::emit["reference-lacks-operation"],
           [&] { (void)emit::emit_reference(lowered.scheduled); });
}

TEST_CASE("what the interpreter cannot hold or reach") {
  provoked(errors::ir["interpreter-type-unsupported"], [] {
    ir::HostTensor tensor = ir::HostTensor::zeros(e4m3, {3});
    tensor.set(0, 1);
  });
  const ir::Kernel traced =
      build(with([](In<"at", i32, M> at, In<"x", f32, N> x, Out<"y", f32, M> y) {
              auto m = each(M);
              store(y(m), load(x(load(at(m)))));
            }),
            {});
  ir::Inputs inputs;
  inputs.tensors["at"] = ir::HostTensor::zeros(i32, {2});
  inputs.tensors["x"] = ir::HostTensor::zeros(f32, {5});
  inputs.tensors["y"] = ir::HostTensor::zeros(f32, {2});
  inputs.tensors["at"].set(1, 5);
  const Error outside =
      provoked(errors::ir["index-outside-tensor"], [&] { ir::interpret(traced, inputs); });
  CHECK(outside.argument() == "x");
  CHECK(outside.value() == "5");
}

TEST_CASE("a mask over a dimension that the tile under it lacks") {
  const auto source = kernel("lacks", [](In<"x", f32, N> x, In<"w", f32, M> w, Out<"y", f32, N> y) {
    let("w", load(w(M)));
    for_blocks(
        N, [&](auto) { return index(M) >= index(N); }, [&](auto n) { store(y(n), load(x(n))); });
  });
  const ir::Kernel traced = build(source, {{"q", 40}});
  ir::Inputs inputs;
  inputs.tensors["x"] = ir::HostTensor::zeros(f32, {40});
  inputs.tensors["w"] = ir::HostTensor::zeros(f32, {40});
  inputs.tensors["y"] = ir::HostTensor::zeros(f32, {40});
  provoked(errors::ir["mask-axis-missing"], [&] { ir::interpret(traced, inputs); });
  provoked(errors::emit["reference-mask-unsupported"], [&] { (void)emit::emit_reference(traced); });
}

TEST_CASE("NVRTC's messages name the user's lines") {
  // Text that is broken on the lines of two statements, and on one of none.
  int scores = 0, sums = 0;
  const auto source = kernel("broken", [&](Q q, K k, Out<"y", f32, M> y) {
    auto m = blocks(M);
    auto rows = let("rows", load(q(m, D)));
    Var<f32, M> sum{"sum", 0.f};
    for_blocks(N, [&](auto n) {
      scores = __LINE__ + 1;
      auto s = let("s", dot(rows, load(k(n, D)), D));
      sums = __LINE__ + 1;
      sum = sum + reduce_sum(s, N);
    });
    store(y(m), sum);
  });
  CompileRequest request;
  request.extents["d"] = 64;
  emit::KernelText text = make_program(source, "sm_80", request).aligned.text;
  const auto here = [](int line) { return "errors/programs.cpp:" + std::to_string(line); };
  std::vector<std::string> lines;
  std::istringstream stream(text.text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::map<std::string, int> spoiled;  // by the user's line
  for (const int line : {scores, sums})
    for (const emit::LineOrigin& origin : text.lines) {
      std::string& generated = lines.at(static_cast<std::size_t>(origin.line) - 1);
      const std::size_t code = generated.find_first_not_of(' ');
      if (to_string(origin.where) != here(line) || generated.compare(code, 2, "//") == 0) continue;
      generated.insert(code, "undeclared_" + std::to_string(line) + "; ");
      spoiled[here(line)] = origin.line;
      break;
    }
  REQUIRE(spoiled.size() == 2);
  lines.push_back("undeclared of no statement;");
  text.text.clear();
  for (const std::string& line : lines) text.text += line + "\n";
  const Error error = provoked(errors::runtime["nvrtc-refused"], [&] {
    (void)runtime::compile_image(text.text, text.symbol, "sm_80", runtime::ImageKind::ptx,
                                 compile_options(text));
  });
  const std::string said = error.what();
  INFO(said);
  CHECK(error.where() == here(scores));
  for (const auto& [place, line] : spoiled) {
    const std::size_t at = said.find("broken.cu(" + std::to_string(line) + "): error");
    REQUIRE(at != std::string::npos);
    const std::size_t below = said.find('\n', at) + 1;
    CHECK(said.compare(below, place.size() + 8, "  from " + place + "\n") == 0);
    // NVRTC shows the line itself; its own spelling of blanks may differ.
    CHECK(said.find("undeclared_" + place.substr(place.find(':') + 1), below) != std::string::npos);
  }
  const std::size_t last = said.find("broken.cu(" + std::to_string(lines.size()) + "): error");
  REQUIRE(last != std::string::npos);
  CHECK(said.find("  from ", last) == std::string::npos);
}

TEST_CASE("what only a launch shows") {
  const Device device = Device::open("emulator:sm_80");
  const Stream stream = Stream::default_stream(device);
  Buffer memory(device, 4096);
  const auto tensor = [&](std::vector<std::int64_t> extents) {
    return TensorView::contiguous(memory.address(), f32, std::move(extents));
  };
  const Plan divides = compile(
      device, kernel("divides", [](In<"x", f32, N> x, Out<"y", f32, M> y, Scalar<"w", i32> w) {
        auto m = blocks(M);
        Var<f32, M> sum{"sum", 0.f};
        for_blocks(
            N, [&](auto) { return index(N) / w <= index(M) / w; },
            [&](auto n) { sum = sum + reduce_sum(load(x(n)) + 0.f * cast<f32>(index(M)), N); });
        store(y(m), sum);
      }));
  const Error zero = provoked(errors::plan["mask-divides-by-scalar"], [&] {
    divides.launch(stream, {{"x", tensor({40})}, {"y", tensor({40})}, {"w", 0}});
  });
  CHECK(zero.argument() == "w");
  const Plan wide = compile(device, kernel("wide", [](In<"x", f32, B, M> x, Out<"y", f32, E> y) {
                              auto b = each(B);
                              auto m = blocks(M);
                              store(y(0), reduce_sum(load(x(b, m)), M));
                            }));
  provoked(errors::plan["grid-too-large"], [&] {
    TensorView x{memory.address(), f32, {1 << 20, 2147483647}, {0, 0}};
    wide.launch(stream, {{"x", x}, {"y", tensor({4})}});
  });
}
