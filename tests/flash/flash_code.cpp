// What ptxas makes of the generated text: no spills, few instructions per score element, quickly.
// The figures are printed, so a log shows how they move.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <optional>

#include "flash_device.hpp"
#include "runtime/cubin_info.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// The loop over full tiles: of the innermost ones with tensor instructions, the shortest.
std::optional<runtime::SassLoop> full_loop(const runtime::CubinInfo& info) {
  std::optional<runtime::SassLoop> best;
  for (const runtime::SassLoop& loop : info.loops()) {
    if (!loop.innermost || loop.mix.of(runtime::InstructionClass::tensor) == 0) continue;
    if (!best || loop.instructions() < best->instructions()) best = loop;
  }
  return best;
}

Program program_of(const Shape& shape) {
  return make_program(*flash_kernel(shape), "sm_80",
                      {.extents = {{"d", shape.d}, {"e", shape.e}}, .schedule = {}});
}

}  // namespace

TEST_CASE("no spills, and a lean loop") {
  (void)emulator();  // sets the cache
  for (const std::int64_t dim : {64, 128})
    for (const Mask mask : {Mask::none, Mask::bottom_right}) {
      const Shape shape{1, 1, 1, 64, 64, dim, dim, mask, bf16};
      CAPTURE(describe(shape));
      const Program program = program_of(shape);
      const auto& text = program.aligned.text;
      const auto image = runtime::compile_image(text.text, text.symbol, "sm_80",
                                                runtime::ImageKind::cubin, compile_options());
      CHECK(image.log.empty());
      const auto info = runtime::inspect_cubin(image.bytes);
      CHECK(info.spill_bytes() == 0);
      CHECK(info.local_bytes == 0);
      const auto loop = full_loop(info);
      REQUIRE(loop.has_value());
      const auto& tile = program.aligned.schedule.tile;
      const double elements = 1.0 * tile.at("q") * tile.at("kv") / text.threads;
      const double each = static_cast<double>(loop->instructions()) / elements;
      // The tensor instructions of the loop are those of one tile: 4 D per element, 4096 per HMMA.
      CHECK(static_cast<double>(loop->mix.of(runtime::InstructionClass::tensor)) ==
            elements * 32 * 4 * static_cast<double>(dim) / 4096);
      std::printf("d %ld%s: tile %d x %d, %d registers, %.2f instructions per score element\n", dim,
                  mask == Mask::none ? "" : " causal", tile.at("q"), tile.at("kv"), info.registers,
                  each);
      CHECK(each <= (dim == 64 ? 11 : 15));
    }
}

TEST_CASE("head dimensions and types that fill no tile do not spill either") {
  for (const Shape& shape : {Shape{1, 1, 1, 64, 64, 96, 96, Mask::bottom_right, bf16},
                             Shape{1, 1, 1, 64, 64, 80, 48, Mask::bottom_right, f16}}) {
    CAPTURE(describe(shape));
    const Program program = program_of(shape);
    const auto& text = program.aligned.text;
    const auto image = runtime::compile_image(text.text, text.symbol, "sm_80",
                                              runtime::ImageKind::cubin, compile_options());
    CHECK(runtime::inspect_cubin(image.bytes).spill_bytes() == 0);
  }
}

TEST_CASE("NVRTC takes 0.3 s for a kernel") {
  // Of the processor, and five times that: other programs may run meanwhile.
  const Program program = program_of({1, 1, 1, 64, 64, 64, 64, Mask::bottom_right, bf16});
  const auto& text = program.aligned.text;
  ::setenv("TILEWRIGHT_CACHE", "off", 1);
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t start = std::clock();
    const auto image = runtime::compile_image(text.text, text.symbol, "sm_80",
                                              runtime::ImageKind::ptx, compile_options());
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    CHECK_FALSE(image.from_cache);
  }
  ::unsetenv("TILEWRIGHT_CACHE");
  std::printf("NVRTC, flash causal bf16 d 64 to PTX: %.2f s of the processor\n", best);
  CHECK(best <= 5 * 0.3);
}
