// Two devices and several contexts in one process: what is made on one is refused on the other with
// both named, and the caller's current context is used where there is one, and never left changed.
#include <cuda.h>

#include "threads.hpp"

using namespace plans;

namespace {

Device newer() {
  (void)emulator();  // its cache folder
  return Device::open("emulator:sm_90a");
}

void call(CUresult result) { REQUIRE(static_cast<int>(result) == static_cast<int>(CUDA_SUCCESS)); }

CUcontext current() {
  CUcontext context = nullptr;
  call(cuCtxGetCurrent(&context));
  return context;
}

/// A context of the caller's own, current for a scope.
class OwnContext {
 public:
  explicit OwnContext(const Device& device) {
#if CUDA_VERSION >= 13000
    call(cuCtxCreate(&context_, nullptr, 0, device.handle()));
#else
    call(cuCtxCreate(&context_, 0, device.handle()));
#endif
  }
  ~OwnContext() { cuCtxDestroy(context_); }
  OwnContext(const OwnContext&) = delete;
  OwnContext& operator=(const OwnContext&) = delete;
  CUcontext handle() const { return context_; }

 private:
  CUcontext context_ = nullptr;
};

}  // namespace

TEST_CASE("a plan on the other device's stream is refused, and both are named") {
  const Device &here = emulator(), there = newer();
  for (const auto& [mine, other] : {std::pair{here, there}, std::pair{there, here}}) {
    const Plan plan = compile(mine, scaled(2));
    const Pair pair(mine, 3, 40, 1);
    const Error error = refused(errors::runtime["stream-of-another-device"], "stream", [&] {
      plan.launch(Stream::default_stream(other), pair.arguments());
    });
    CHECK(error.value() == other.spec());
    CHECK(error.allowed() == mine.spec());
    const Error by_name = refused(errors::runtime["stream-of-another-device"], "stream",
                                  [&] { plan.launch(Stream(other), pair.arguments()); });
    CHECK(by_name.value() == other.spec());
    plan.launch(Stream::default_stream(mine), pair.arguments());
    CHECK(pair.wrong(2) == 0);
  }
}

TEST_CASE("a tensor in the other device's memory is refused by its name before anything runs") {
  const Device &here = emulator(), there = newer();
  const Plan plan = compile(here, scaled(2));
  const Pair mine(here, 3, 40, 1), other(there, 3, 40, 1);
  const Stream stream = Stream::default_stream(here);
  for (const bool input : {true, false}) {
    const std::string name = input ? "x" : "y";
    const Error error = refused(errors::plan["tensor-of-another-device"], name, [&] {
      plan.launch(stream,
                  {{"x", input ? other.x() : mine.x()}, {"y", input ? mine.y() : other.y()}});
    });
    CHECK(error.value() == "memory of " + there.name());
    CHECK(error.allowed() == "memory of " + here.name() + " (" + here.spec() + ")");
    CHECK(mine.wrong([](float) { return 0; }) == 120);  // still what `fill` wrote: no numbers
  }
  // A part of a tensor is looked up as well as its start.
  TensorView part = other.x();
  part.data += 40 * sizeof(float);
  part.extents[0] = 2;
  TensorView result = mine.y();
  result.extents[0] = 2;
  refused(errors::plan["tensor-of-another-device"], "x", [&] {
    plan.launch(stream, {{"x", part}, {"y", result}});
  });
  // Nothing is asked of a tensor without elements.
  TensorView none = other.x(), nowhere = mine.y();
  none.extents[0] = nowhere.extents[0] = 0;
  none.data = nowhere.data = 0;
  plan.launch(stream, {{"x", none}, {"y", nowhere}});
  plan.launch(stream, mine.arguments());
  CHECK(mine.wrong(2) == 0);
}

TEST_CASE("a workspace, and the parts of a plan, of another device") {
  const Device &here = emulator(), there = newer();
  const Plan plan = chain();
  const Buffer workspace(there, plan.workspace_bytes({{R, 3}, {C, 9}}));
  const Pair pair(here, 3, 9, 1);
  const Error error = refused(errors::plan["workspace-of-another-device"], "workspace", [&] {
    plan.launch(Stream::default_stream(here), pair.arguments(), workspace);
  });
  CHECK(error.value() == there.spec());
  CHECK(error.allowed() == here.spec());
  const Plan a = compile(here, twice), b = compile(there, plus_one);
  const Error joined = refused(errors::plan["plan-of-two-devices"], "parts", [&] {
    (void)Plan{a, b};
  });
  CHECK(joined.value() == there.spec());
  CHECK(says(joined, here.spec()));
}

TEST_CASE("without a current context the primary one is retained, and none is left current") {
  REQUIRE(current() == nullptr);
  const Device device = emulator();
  CUcontext primary = nullptr;
  call(cuDevicePrimaryCtxRetain(&primary, device.handle()));
  CHECK(device.context() == primary);
  CHECK(device.place() == "emulator:sm_80");
  const Plan plan = compile(device, scaled(4));
  const Pair pair(device, 2, 30, 1);
  plan.launch(Stream(device), pair.arguments());
  device.synchronize();
  CHECK(pair.wrong(4) == 0);
  CHECK(current() == nullptr);
  call(cuDevicePrimaryCtxRelease(device.handle()));
}

TEST_CASE("the caller's current context is joined, and what is made in it stays there") {
  const Device primary = emulator();
  const OwnContext own(primary);
  REQUIRE(current() == own.handle());
  const Device device = Device::open("emulator:sm_80");
  CHECK(device.context() == own.handle());
  CHECK_FALSE(device == primary);
  CHECK(device.spec() == primary.spec());
  CHECK(device.place().find("emulator:sm_80 in context 0x") == 0);
  const Plan plan = compile(device, scaled(6));
  {
    const Stream stream(device);
    CUcontext of_stream = nullptr;
    call(cuStreamGetCtx(stream.handle(), &of_stream));
    CHECK(of_stream == own.handle());
    const Pair pair(device, 2, 30, 1);
    plan.launch(stream, pair.arguments());
    stream.synchronize();
    CHECK(pair.wrong(6) == 0);
    CHECK(current() == own.handle());

    // The primary context of the same device is another place.
    const Error error = refused(errors::runtime["stream-of-another-device"], "stream", [&] {
      plan.launch(Stream::default_stream(primary), pair.arguments());
    });
    CHECK(error.value() == primary.place());
    CHECK(error.allowed() == device.place());
    const Plan elsewhere = compile(primary, scaled(6));
    refused(errors::runtime["stream-of-another-device"], "stream",
            [&] { elsewhere.launch(stream, pair.arguments()); });
    CHECK(current() == own.handle());

    // On a thread without a context the plan brings its own, for as long as it needs it.
    std::thread([&] {
      plan.launch(stream, pair.arguments());
      CHECK(current() == nullptr);
    }).join();
    stream.synchronize();
    CHECK(pair.wrong(6) == 0);
  }
}

TEST_CASE("a current context on another device is neither used nor lost") {
  const Device other = newer();
  const OwnContext own(other);
  const Device device = Device::open("emulator:sm_80");
  CHECK(device == emulator());
  const Plan plan = compile(device, scaled(8));
  const Pair pair(device, 2, 30, 1);
  plan.launch(Stream::default_stream(device), pair.arguments());
  device.synchronize();
  CHECK(pair.wrong(8) == 0);
  CHECK(current() == own.handle());
}

TEST_CASE("a context that is gone is an error, not a crash") {
  const Device primary = emulator();
  std::optional<OwnContext> own(std::in_place, primary);
  const Device device = Device::open("emulator:sm_80");
  REQUIRE(device.context() == own->handle());
  const Plan plan = compile(device, scaled(9));
  const Pair pair(device, 2, 30, 1);
  own.reset();
  const auto kind = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return name(error.kind());
    }
    return "none";
  };
  CHECK(kind([&] { plan.launch(Stream::default_stream(device), pair.arguments()); }) ==
        "launch_failed");
  CHECK(kind([&] { device.synchronize(); }) == "launch_failed");
  CHECK(kind([&] { (void)Buffer(device, 4); }) == "launch_failed");
}
