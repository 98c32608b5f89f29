// Reductions between warps: each barrier of such a kernel, deleted in the PTX, is a data race that
// the emulator sees, and the kernel as it is has none.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <tilewright/dsl.hpp>
#include <tilewright/error.hpp>

#include "kernels/form_launch.hpp"
#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"d"> D;

std::set<std::string> faults_of(const Program& program, const std::string& ptx,
                                const std::map<std::string, ir::HostTensor>& tensors) {
  const DeviceTensors device(emulator(), tensors);
  try {
    launch_form(emulator(), program, true, ptx, device.bindings());
  } catch (const Error&) {
    // A fault; which one stands in the list below.
  }
  std::set<std::string> kinds;
  for (const auto& fault : nlohmann::json::parse(emulator().emulator()->faults()))
    kinds.insert(fault.at("kind").get<std::string>());
  emulator().emulator()->reset();
  return kinds;
}

void every_barrier_matters(const KernelSource& kernel, int barriers,
                           const std::vector<std::string>& outputs) {
  CAPTURE(kernel.name());
  const Program program = make_program(kernel, "sm_80", {.extents = {{"d", 64}}, .schedule = {}});
  const emit::KernelText& text = program.aligned.text;
  const std::string ptx = runtime::compile_image(text.text, text.symbol, "sm_80",
                                                 runtime::ImageKind::ptx, compile_options())
                              .bytes;
  std::map<std::string, ir::HostTensor> tensors{{"x", ir::HostTensor::zeros(f32, {33, 64})}};
  for (const std::string& name : outputs) tensors[name] = ir::HostTensor::zeros(f32, {64});
  CHECK(faults_of(program, ptx, tensors).empty());
  int found = 0;
  const std::string word = "bar.sync";
  for (std::size_t at = ptx.find(word); at != std::string::npos; at = ptx.find(word, at + 1)) {
    ++found;
    std::string without = ptx;
    without.replace(at, ptx.find(';', at) + 1 - at, "");
    CAPTURE(found);
    CHECK(faults_of(program, without, tensors) == std::set<std::string>{"data_race"});
  }
  CHECK(found == barriers);
}

}  // namespace

TEST_CASE("two reductions one after the other: each meets, and the second waits for the first") {
  every_barrier_matters(
      kernel("after",
             [](In<"x", f32, M, D> X, InOut<"sum", f32, D> S, InOut<"top", f32, D> T) {
               auto m = blocks(M);
               auto x = let("x_tile", load(X(m, D)));
               auto row = let("row_sum", reduce_sum(x, D));
               atomic_add(S(D), reduce_sum(x * row, M));
               atomic_add(T(D), reduce_max(x, M));
             }),
      3, {"sum", "top"});
}

TEST_CASE("in a loop a round waits for the readers of the one before") {
  every_barrier_matters(
      kernel("rounds",
             [](In<"x", f32, M, D> X, Out<"top", f32, D> T) {
               Var<f32, D> top{"top_so_far", -infinity};
               for_blocks(M, [&](auto m) { top = max(top, reduce_max(load(X(m, D)), M)); });
               store(T(D), top);
             }),
      2, {"top"});
}

TEST_CASE("a sum over a loop meets once, after it") {
  every_barrier_matters(kernel("once",
                               [](In<"x", f32, M, D> X, Out<"sum", f32, D> S) {
                                 Var<f32, D> sum{"sum_so_far", 0.f};
                                 for_blocks(
                                     M, [&](auto m) { sum = sum + reduce_sum(load(X(m, D)), M); });
                                 store(S(D), sum);
                               }),
                        1, {"sum"});
}
