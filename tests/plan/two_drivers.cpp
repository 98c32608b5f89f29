// Two drivers in one process: "cuda:0" beside the emulator, each with its own memory, contexts,
// streams and faults, though both export the same names.
//
// Built twice. plan_gpu_and_emulator takes the machine's driver and is skipped without one;
// plan_two_drivers finds a copy of the emulator's library under the name libcuda.so.1 first, so
// that all of this runs on every machine.
#include "skip.hpp"
#include "threads.hpp"

using namespace plans;

namespace {

/// "cuda:0" where there is a driver, else nothing, and the program counts as skipped.
std::optional<Device> gpu() {
  (void)emulator();  // its cache folder
  try {
    return Device::open("cuda:0");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::missing) throw;
    test::skip(error.what());
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("both run the same kernels at once") {
  const auto first = gpu();
  if (!first) return;
  const Device& second = emulator();
  CHECK(first->spec() == "cuda:0");
  CHECK(second.spec() == "emulator:sm_80");
  CHECK_FALSE(*first == second);
  CHECK(first->driver().file != second.driver().file);
  CHECK(reinterpret_cast<void*>(first->driver().launch_kernel) !=
        reinterpret_cast<void*>(second.driver().launch_kernel));
  CHECK(at_once(4, [&](int t) -> std::string {
          const Device& device = t % 2 == 0 ? *first : second;
          const Plan plan = compile(device, scaled(static_cast<float>(2 + t / 2)));
          const Stream stream(device);
          int wrong = 0;
          for (int i = 0; i < 4; ++i) {
            const Pair pair(device, 3, 63 + i, static_cast<float>(10 * t + i));
            plan.launch(stream, pair.arguments());
            stream.synchronize();
            wrong += pair.wrong(static_cast<float>(2 + t / 2));
          }
          return wrong_elements(wrong);
        }) == "");
}

TEST_CASE("what belongs to one is refused by the other, and both are named") {
  const auto first = gpu();
  if (!first) return;
  const Device& second = emulator();
  for (const auto& [mine, other] : {std::pair{*first, second}, std::pair{second, *first}}) {
    const Plan plan = compile(mine, scaled(3));
    const Pair pair(mine, 3, 20, 1);
    const Error stream = refused(errors::runtime["stream-of-another-device"], "stream", [&] {
      plan.launch(Stream::default_stream(other), pair.arguments());
    });
    CHECK(stream.value() == other.spec());
    CHECK(stream.allowed() == mine.spec());
    const Plan there = compile(other, scaled(3));
    refused(errors::plan["plan-of-two-devices"], "parts", [&] { (void)Plan{plan, there}; });
    plan.launch(Stream::default_stream(mine), pair.arguments());
    mine.synchronize();
    CHECK(pair.wrong(3) == 0);
  }
}

// Last, as a fault stays with its context.
TEST_CASE("a fault on the emulator is its own: the other driver goes on") {
  const auto first = gpu();
  if (!first) return;
  const Device& second = emulator();
  const Plan there = compile(second, scaled(3)), here = compile(*first, scaled(3));
  const Pair pair(*first, 3, 20, 1), own(second, 3, 20, 1);
  // Neither driver knows the other's memory, so this is seen when the kernel reads it.
  second.emulator()->reset();
  bool failed = false;
  try {
    there.launch(Stream::default_stream(second), {{"x", pair.x()}, {"y", own.y()}});
    second.synchronize();
  } catch (const Error& error) {
    failed = error.kind() == ErrorKind::launch_failed;
  }
  CHECK(failed);
  CHECK(std::string(second.emulator()->faults()).find("out_of_bounds") != std::string::npos);
  here.launch(Stream::default_stream(*first), pair.arguments());
  first->synchronize();
  CHECK(pair.wrong(3) == 0);
}
