// What a launch refuses, by the name of the argument: overlapping outputs, null and misaligned
// addresses, wrong types, extents that disagree, arguments that are missing or unknown.
#include <doctest/doctest.h>

#include <algorithm>
#include <tilewright/error.hpp>
#include <tuple>

#include "flash_device.hpp"
#include "ir/errors.hpp"
#include "plan_errors.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

const Shape shape{2, 4, 2, 70, 90, 64, 64, Mask::bottom_right, bf16};

/// A launch that would be right, for a test to spoil.
class Launch {
 public:
  Launch() : memory(emulator(), std::size_t{8} << 20) {
    memory.fill(0);
    const auto tensor = [&](std::int64_t megabyte, DType type, std::vector<std::int64_t> extents) {
      return TensorView::contiguous(memory.address() + (static_cast<CUdeviceptr>(megabyte) << 20),
                                    type, std::move(extents));
    };
    bindings = {{"q", tensor(0, bf16, {2, 4, 70, 64})}, {"k", tensor(1, bf16, {2, 2, 90, 64})},
                {"v", tensor(2, bf16, {2, 2, 90, 64})}, {"out", tensor(3, bf16, {2, 4, 70, 64})},
                {"lse", tensor(4, f32, {2, 4, 70})},    {"softmax_scale", 0.125}};
  }

  TensorView& operator[](const std::string& name) {
    for (Binding& binding : bindings)
      if (binding.name == name) return binding.tensor;
    FAIL("no binding " << name);
    return bindings.front().tensor;
  }
  void remove(const std::string& name) {
    std::erase_if(bindings, [&](const Binding& binding) { return binding.name == name; });
  }
  void go() {
    flash_plan(shape).launch(Stream::default_stream(emulator()), bindings);
    emulator().synchronize();
  }

  /// The refusal, checked for its id and the argument it names.
  void refused(const ErrorEntry& entry, const std::string& argument) {
    try {
      go();
      FAIL_CHECK("not refused: " << argument);
    } catch (const Error& error) {
      INFO(std::string(error.what()));
      CHECK(std::string(error.id()) == std::string(entry.id));
      CHECK(error.argument() == argument);
      CHECK(std::string(error.what()).find(argument) != std::string::npos);
      CHECK_FALSE(error.allowed().empty());
    }
  }

  Buffer memory;
  std::vector<Binding> bindings;
};

}  // namespace

TEST_CASE("the launch the others spoil is right") {
  Launch launch;
  launch.go();
}

TEST_CASE("an output whose elements overlap") {
  for (const std::vector<std::int64_t>& strides : {std::vector<std::int64_t>{0, 4480, 64, 1},
                                                   {17920, 0, 64, 1},
                                                   {17920, 4480, 0, 1},
                                                   {17920, 4480, 64, 0},
                                                   {17920, 4480, 63, 1},
                                                   {17920, 4479, 64, 1},
                                                   {64, 4480, 64, 1},
                                                   {17920, 4480, -63, 1}}) {
    Launch launch;
    launch["out"].strides = strides;
    launch.refused(errors::plan["output-overlaps-itself"], "out");
  }
  Launch launch;
  launch["lse"].strides = {0, 70, 1};
  launch.refused(errors::plan["output-overlaps-itself"], "lse");
}

TEST_CASE("null and half-element addresses") {
  for (const char* name : {"q", "k", "v", "out", "lse"}) {
    Launch null, odd;
    null[name].data = 0;
    null.refused(errors::plan["tensor-null"], name);
    odd[name].data += 1;
    odd.refused(errors::plan["tensor-misaligned"], name);
  }
}

TEST_CASE("element types") {
  for (const char* name : {"q", "k", "v", "out"}) {
    Launch launch;
    launch[name].dtype = f16;
    launch.refused(errors::plan["tensor-type-disagrees"], name);
  }
  Launch launch;
  launch["lse"].dtype = bf16;
  launch.refused(errors::plan["tensor-type-disagrees"], "lse");
}

TEST_CASE("extents that disagree, or that the plan was not compiled for") {
  Launch rows, values, heads, depth, lse, rank, huge;
  rows["v"].extents[2] = 91;
  rows.refused(errors::plan["extent-disagrees"], "v");
  heads["v"].extents[1] = 4;
  heads.refused(errors::plan["extent-disagrees"], "v");
  values["out"].extents[2] = 69;
  values.refused(errors::plan["extent-disagrees"], "out");
  depth["q"].extents[3] = 128;
  depth.refused(errors::plan["extent-disagrees"], "q");
  lse["lse"].extents[0] = 1;
  lse.refused(errors::plan["extent-disagrees"], "lse");
  rank["k"].extents.pop_back();
  rank.refused(errors::plan["tensor-rank-disagrees"], "k");
  huge["q"].extents[2] = std::int64_t{1} << 31;
  huge.refused(errors::plan["tensor-extent-out-of-range"], "q");
}

TEST_CASE("query heads that are no multiple of the kv heads") {
  // 4 over 3 would read kv head 3 of 3; 4 over 8 would divide by 4 / 8 = 0.
  for (const auto& [kv_heads, entry, argument] :
       {std::tuple{3, &errors::plan["index-leaves-tensor"], "kv_head"},
        std::tuple{8, &errors::ir["division-by-zero"], "div"}}) {
    Launch launch;
    for (const char* name : {"k", "v"})
      launch[name] = TensorView::contiguous(launch[name].data, bf16, {2, kv_heads, 90, 64});
    launch.refused(*entry, argument);
  }
}

TEST_CASE("arguments that are missing, unknown, twice there, or of the wrong sort") {
  for (const char* name : {"q", "k", "v", "softmax_scale"}) {
    Launch launch;
    launch.remove(name);
    launch.refused(errors::plan["launch-argument-missing"], name);
  }
  Launch unknown, twice, number, tensor;
  unknown.bindings.emplace_back("bias", 1.0);
  unknown.refused(errors::plan["launch-argument-unknown"], "bias");
  twice.bindings.push_back(twice.bindings[0]);
  twice.refused(errors::plan["launch-argument-twice"], "q");
  number.remove("q");
  number.bindings.emplace_back("q", 1.0);
  number.refused(errors::plan["launch-argument-sort"], "q");
  tensor.remove("softmax_scale");
  tensor.bindings.emplace_back("softmax_scale", tensor["q"]);
  tensor.refused(errors::plan["launch-argument-sort"], "softmax_scale");
}

TEST_CASE("an output that is not given is not written") {
  for (const char* name : {"lse", "out"}) {
    Launch launch;
    const bool small = std::string(name) == "lse";
    const std::size_t bytes = small ? 2 * 4 * 70 * 4 : 2 * 4 * 70 * 64 * 2;
    launch.remove(name);
    launch.go();
    std::vector<unsigned char> now(bytes, 1);
    launch.memory.download(now.data(), bytes, std::size_t{small ? 4u : 3u} << 20);
    CHECK(std::count(now.begin(), now.end(), 0) == static_cast<std::ptrdiff_t>(bytes));
  }
}
