// What the emulator refuses that is no fault of a kernel. First of all the choice of instructions,
// which is made once per process.
#include <sys/resource.h>

#include "emulator/engine/lane_kernel.hpp"
#include "emulator/errors.hpp"
#include "emulator/ops/variant.hpp"
#include "provoked.hpp"
#include "runtime/surroundings.hpp"

using namespace tilewright;
using namespace tilewright::emulator;
using namespace tilewright::test;

TEST_CASE("instructions of no processor") {
  ScopedVariable wanted("TILEWRIGHT_EMULATOR_ISA", "abacus");
  CHECK(provoked(errors::emulator["emulator-instructions-unknown"], [] {
          (void)variant();
        }).value() == "abacus");
}

TEST_CASE("a processor that runs none of the handlers") {
  provoked(errors::emulator["emulator-processor-too-old"], [] {
    (void)choose_variant(nullptr, [](const char*) -> const Variant* { return nullptr; });
  });
}

TEST_CASE("no address space for the device's memory") {
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  struct rlimit small = before;
  small.rlim_cur = rlim_t{512} << 20;
  REQUIRE(::setrlimit(RLIMIT_AS, &small) == 0);
  const Error error = provoked(errors::emulator["emulator-address-space"],
                               [] { const Memory memory(std::size_t{1} << 36); });
  REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(error.argument() == "reserve_bytes");
}

TEST_CASE("launches that no device takes") {
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(emulator_test::lane_kernel("", ""), memory);
  const Kernel& kernel = module->kernels().at("probe");
  const std::vector<std::byte> parameters(16);
  for (const Launch& launch :
       {Launch{{1, 1, 1}, {2048, 1, 1}, 0, parameters},
        Launch{{0, 1, 1}, {32, 1, 1}, 0, parameters},
        Launch{{1, 1, 1}, {32, 1, 1}, 1 << 20, parameters}, Launch{{1, 1, 1}, {32, 1, 1}, 0, {}}})
    CHECK_FALSE(provoked(errors::emulator["emulator-launch-refused"],
                         [&] { (void)run(kernel, launch, memory, {}); })
                    .allowed()
                    .empty());
}
