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

/// The loop over tiles: of those with tensor instructions, the one that holds the others.
std::optional<runtime::SassLoop> tile_loop(const runtime::CubinInfo& info) {
  std::optional<runtime::SassLoop> best;
  for (const runtime::SassLoop& loop : info.loops()) {
    if (loop.mix.of(runtime::InstructionClass::tensor) == 0) continue;
    if (!best || loop.mix.total() > best->mix.total()) best = loop;
  }
  return best;
}

Program program_of(const Shape& shape) {
  return make_program(*flash_kernel(shape), "sm_80",
                      {.extents = {{"d", shape.d}, {"e", shape.e}}, .schedule = {}});
}

/// A plain kernel of many small steps, for comparing processors: what it costs depends on NVRTC and
/// the machine alone. yardstick_seconds is its time on an otherwise idle machine on which the
/// kernels took 0.23 s (d = 64) and 0.29 s (d = 128).
constexpr double yardstick_seconds = 0.2;
std::string yardstick_kernel() {
  std::string text =
      "extern \"C\" __global__ void yardstick(float* x, int n) {\n  float a[64];\n"
      "#pragma unroll\n  for (int i = 0; i < 64; ++i) a[i] = x[i * n];\n"
      "  for (int k = 0; k < n; ++k) {\n";
  for (int step = 0; step < 4; ++step)
    text += "#pragma unroll\n    for (int i = 0; i < 64; ++i)\n      a[i] = fmaf(a[i], a[(i + " +
            std::to_string(7 * step + 1) + ") % 64], __shfl_xor_sync(~0u, a[(i + " +
            std::to_string(3 * step + 2) + ") % 64], " + std::to_string(1 << step) + "));\n";
  return text + "  }\n#pragma unroll\n  for (int i = 0; i < 64; ++i) x[i * n] = a[i];\n}\n";
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
      const auto loop = tile_loop(info);
      REQUIRE(loop.has_value());
      const auto& tile = program.aligned.schedule.tile;
      const double elements = 1.0 * tile.at("q") * tile.at("kv") / text.threads;
      const double each = static_cast<double>(loop->instructions()) / elements;
      // The tensor instructions of the loop are those of one tile: 4 D per element, 4096 per HMMA.
      CHECK(static_cast<double>(loop->trip.of(runtime::InstructionClass::tensor)) ==
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
  // Of the processor, to a cubin, beside a kernel whose time on the machine of the promise is
  // known: another machine, or a busy one, has another clock.
  ::setenv("TILEWRIGHT_CACHE", "off", 1);
  const auto seconds = [](const std::string& text, const std::string& symbol) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const std::clock_t start = std::clock();
      const auto image = runtime::compile_image(text, symbol, "sm_80", runtime::ImageKind::cubin,
                                                compile_options());
      best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
      CHECK_FALSE(image.from_cache);
    }
    return best;
  };
  for (const std::int64_t dim : {64, 128}) {
    const Program program = program_of({1, 1, 1, 64, 64, dim, dim, Mask::bottom_right, bf16});
    const auto& text = program.aligned.text;
    const double here = seconds(text.text, text.symbol),
                 yardstick = seconds(yardstick_kernel(), "yardstick");
    std::printf("NVRTC, causal bf16 d %ld to a cubin: %.2f s of the processor, yardstick %.3f s\n",
                dim, here, yardstick);
    CHECK(here <= 0.3 * std::max(1.0, yardstick / yardstick_seconds));
  }
  ::unsetenv("TILEWRIGHT_CACHE");
}
