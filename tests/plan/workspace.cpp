// A plan's workspace: what it takes, whose it is, that nothing of it survives a launch or leaves
// it, and what is refused.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "plan_kernels.hpp"

using namespace plans;

namespace {

void check_values(const Floats& x, const Floats& y) {
  const auto given = x.values(), got = y.values();
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i] == static_cast<float>(expected(given[i])));
  }
  CHECK(std::string(emulator().emulator()->faults()) == "[]");
}

const std::size_t piece = (7 * 336 * 4 + 255) / 256 * 256;  // 7 rows of 333 floats, 336 apart

}  // namespace

TEST_CASE("temporaries whose lives do not overlap share bytes") {
  // a lives in steps 0 and 1, b in 1 and 2, c in 2 and 3: c lies where a was.
  CHECK(chain().workspace_bytes({{R, 7}, {C, 333}}) == 2 * piece);
  const Device& device = emulator();
  CHECK(compile(device, twice).workspace_bytes({{R, 7}, {C, 333}}) == piece);
  CHECK(chain().workspace_bytes({{R, 0}, {C, 333}}) == 0);
  auto use_both =
      kernel("use_both", [](Temp<"a", f32, R, C> A, Temp<"c", f32, R, C> S, Out<"y", f32, R, C> Y) {
        auto r = each(R);
        auto c = blocks(C);
        store(Y(r, c), load(A(r, c)) + load(S(r, c)));
      });
  const Plan longer{chain(), compile(device, use_both)};  // now a lives to the end
  CHECK(longer.workspace_bytes({{R, 7}, {C, 333}}) == 3 * piece);
}

TEST_CASE("a poisoned workspace changes no result, and nothing outside of it changes") {
  const Plan plan = chain();
  for (const auto& [rows, columns] : {std::pair{7, 333}, std::pair{1, 1}, std::pair{3, 1000}}) {
    const Floats x(rows, columns, 0.5f), y(rows, columns, 0);
    const std::size_t bytes = plan.workspace_bytes({{R, rows}, {C, columns}}), guard = 512;
    Buffer memory(emulator(), bytes + 2 * guard);
    for (const unsigned char poison : {0xff, 0x7f}) {
      memory.fill(poison);
      emulator().emulator()->reset();
      plan.launch(Stream::default_stream(emulator()), {{"x", x.view()}, {"y", y.view()}},
                  Workspace(memory.address() + guard, bytes));
      check_values(x, y);
      std::vector<unsigned char> now(memory.bytes());
      memory.download(now.data(), now.size());
      const auto same = [&](unsigned char byte) { return byte == poison; };
      CHECK(std::all_of(now.begin(), now.begin() + guard, same));
      CHECK(std::all_of(now.end() - guard, now.end(), same));
    }
  }
}

TEST_CASE("a launch that reads what an earlier launch left in the workspace would be seen") {
  // The same workspace, other numbers: each launch gives its own.
  Plan plan = chain();
  plan.reserve({{R, 7}, {C, 333}});
  for (const float first : {1.f, -20.f, 3.5f}) {
    const Floats x(7, 333, first), y(7, 333, 0);
    plan.launch(Stream::default_stream(emulator()), {{"x", x.view()}, {"y", y.view()}});
    check_values(x, y);
  }
}

TEST_CASE("two plans in flight on two streams, each with a workspace of its own") {
  Plan one = chain(), two = one;
  one.reserve({{R, 40}, {C, 257}});
  // A copy shares the modules, and no memory.
  const Floats x(40, 257, 1), y(40, 257, 0), u(40, 257, -9), v(40, 257, 0);
  const Stream first(emulator()), second(emulator());
  refused(errors::plan["workspace-missing"], "workspace", [&] {
    two.launch(second, {{"x", u.view()}, {"y", v.view()}});
  });
  two.reserve({{R, 40}, {C, 257}});
  emulator().emulator()->reset();
  for (int round = 0; round < 3; ++round) {
    one.launch(first, {{"x", x.view()}, {"y", y.view()}});
    two.launch(second, {{"x", u.view()}, {"y", v.view()}});
  }
  first.synchronize();
  second.synchronize();
  check_values(x, y);
  check_values(u, v);
}

TEST_CASE("a reserve serves its extents and smaller ones, and is refused for larger") {
  Plan plan = chain();
  plan.reserve({{R, 7}, {C, 333}});
  plan.reserve({{R, 1}, {C, 1}});  // what is there stays
  const Floats x(7, 300, 1), y(7, 300, 0), large(8, 1000, 1), result(8, 1000, 0);
  const Stream stream = Stream::default_stream(emulator());
  plan.launch(stream, {{"x", x.view()}, {"y", y.view()}});
  check_values(x, y);
  const Error error = refused(errors::plan["workspace-too-small"], "workspace", [&] {
    plan.launch(stream, {{"x", large.view()}, {"y", result.view()}});
  });
  CHECK(error.value() == std::to_string(2 * piece) + " bytes");
  CHECK(says(error, std::to_string(2 * 8 * 1000 * 4)));
  plan.reserve({{R, 8}, {C, 1000}});
  plan.launch(stream, {{"x", large.view()}, {"y", result.view()}});
  check_values(large, result);
}

TEST_CASE("a workspace that is missing, too small, misaligned, on another device") {
  const Plan plan = chain();
  const Floats x(7, 333, 1), y(7, 333, 0);
  const std::size_t bytes = plan.workspace_bytes({{R, 7}, {C, 333}});
  const Buffer memory(emulator(), bytes + 256);
  const Buffer elsewhere(Device::open("emulator:sm_90a"), bytes);
  const auto go = [&](const Workspace& workspace) {
    plan.launch(Stream::default_stream(emulator()), {{"x", x.view()}, {"y", y.view()}}, workspace);
  };
  const auto wrong = [&](const Workspace& workspace,
                         const ErrorEntry& entry = errors::plan["workspace-missing"]) {
    const Error error = refused(entry, "workspace", [&] { go(workspace); });
    return error.value() + "; " + error.allowed();
  };
  CHECK(wrong({}).find("at least " + std::to_string(bytes)) != std::string::npos);
  CHECK(wrong({0, bytes}).find("at least") != std::string::npos);
  CHECK(wrong({memory.address(), bytes - 1}, errors::plan["workspace-too-small"]) ==
        std::to_string(bytes - 1) + " bytes; at least " + std::to_string(bytes) + " bytes");
  CHECK(wrong({memory.address() + 16, bytes}, errors::plan["workspace-misaligned"]).find("256") !=
        std::string::npos);
  CHECK(wrong(elsewhere, errors::plan["workspace-of-another-device"]) ==
        "emulator:sm_90a; emulator:sm_80");
  go(memory);
  check_values(x, y);
  // Nothing to keep: no workspace is asked for.
  const Floats none(0, 333, 1);
  plan.launch(Stream::default_stream(emulator()), {{"x", none.view()}, {"y", none.view()}});
}

TEST_CASE("a fault in a later kernel is known by that kernel's line") {
  // Row 0 is written alone, all rows are read: the detector says so, of the kernel that read.
  const Device& device = emulator();
  auto row_zero = kernel("row_zero", [](In<"x", f32, R, C> X, Temp<"a", f32, R, C> A) {
    auto c = blocks(C);
    store(A(0, c), load(X(0, c)));
  });
  int read = 0;
  auto reader = kernel("reader", [&](Temp<"a", f32, R, C> A, Out<"y", f32, R, C> Y) {
    auto r = each(R);
    auto c = blocks(C);
    read = __LINE__ + 1;
    auto value = let("value", load(A(r, c)));
    store(Y(r, c), value);
  });
  Plan plan{compile(device, row_zero), compile(device, reader)};
  plan.reserve({{R, 3}, {C, 100}});
  const Floats x(3, 100, 1), y(3, 100, 0);
  const std::vector<Binding> given = {{"x", x.view()}, {"y", y.view()}};
  device.emulator()->reset();
  plan.launch(Stream::default_stream(device), given);
  const auto faults = nlohmann::json::parse(device.emulator()->faults());
  device.emulator()->reset();
  REQUIRE_FALSE(faults.empty());
  CHECK(faults[0].at("kernel") == "reader");
  CHECK(plan.source_of(faults[0].at("cuda_line"), plan.runs_aligned(given, 1), 1) ==
        "plan/workspace.cpp:" + std::to_string(read));
}

TEST_CASE("what a workspace's size needs") {
  const Plan plan = chain();
  const Error missing = refused(errors::plan["extent-not-given"], "column", [&] {
    (void)plan.workspace_bytes({{R, 7}});
  });
  CHECK(says(missing, "the size of the Temp 'a' needs the extent of dimension 'column'"));
  refused(errors::program["dimension-not-in-kernel"], "depth", [&] {
    (void)plan.workspace_bytes({{R, 7}, {C, 3}, {"depth", 2}});
  });
  refused(errors::program["extent-out-of-range"], "row", [&] {
    (void)plan.workspace_bytes({{R, -1}, {C, 3}});
  });
  auto whole = kernel("whole", [](In<"x", f32, R, C> X, Temp<"a", f32, R, C> A) {
    auto r = blocks(R);
    store(A(r, C), load(X(r, C)));
  });
  const Plan bound = compile(emulator(), whole, {.extents = {{C, 24}}});
  CHECK(bound.workspace_bytes({{R, 100}}) == 100 * 24 * 4 + 128);
  refused(errors::plan["extent-compiled-otherwise"], "column", [&] {
    (void)bound.workspace_bytes({{R, 100}, {C, 25}});
  });
  const Error large = refused(errors::plan["temporaries-too-large"], "a", [&] {
    (void)plan.workspace_bytes({{R, 2147483647}, {C, 2147483647}});
  });
  CHECK(says(large, "larger than memory"));
}

TEST_CASE("a Temp is the plan's, and is written before it is read") {
  const Floats x(7, 333, 1), y(7, 333, 0);
  const Stream stream = Stream::default_stream(emulator());
  const Error given = refused(errors::plan["launch-argument-unknown"], "a", [&] {
    chain().launch(stream, {{"x", x.view()}, {"a", x.view()}, {"y", y.view()}});
  });
  CHECK(says(given, "'a' is a Temp"));
  Plan reader = compile(emulator(), minus_three);
  reader.reserve({{R, 7}, {C, 333}});
  const Error unwritten = refused(errors::plan["temp-never-written"], "c", [&] {
    reader.launch(stream, {{"y", y.view()}});
  });
  CHECK(says(unwritten, "read by kernel 'minus_three', and no step before it writes it"));
  Plan backwards{compile(emulator(), plus_one), compile(emulator(), twice)};
  refused(errors::plan["temp-never-written"], "a", [&] {
    backwards.launch(stream, {{"x", x.view()}});
  });
}
