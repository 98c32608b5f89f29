// The kernel that surrounds a test's lines, and its launch (see lane_kernel.hpp).
// One device memory serves all tests: reserving address space is the slow part.
#include "lane_kernel.hpp"

#include <algorithm>

namespace emulator_test {

std::vector<std::byte> pointer_parameters(std::initializer_list<std::uint64_t> values) {
  std::vector<std::byte> block;
  for (const std::uint64_t value : values) {
    for (unsigned k = 0; k < 8; ++k) block.push_back(static_cast<std::byte>(value >> (8 * k)));
  }
  return block;
}

std::string lane_kernel(const std::string& body, const std::string& before) {
  return R"(.version 8.0
.target sm_80
.address_size 64
)" + before +
         R"(
.visible .entry probe(.param .u64 in, .param .u64 out)
{
  .reg .b32 %a<3>, %t<10>, %d, %lane;
  .reg .b64 %l<3>, %lt<4>, %ld, %in, %out;
  .reg .b16 %h<4>;
  .reg .pred %p<8>;
  ld.param.u64 %in, [in];
  ld.param.u64 %out, [out];
  mov.u32 %lane, %tid.x;
  mul.wide.u32 %lt0, %lane, 8;
  add.s64 %in, %in, %lt0;
  add.s64 %out, %out, %lt0;
  ld.global.u64 %l0, [%in];
  ld.global.u64 %l1, [%in+256];
  ld.global.u64 %l2, [%in+512];
  cvt.u32.u64 %a0, %l0;
  cvt.u32.u64 %a1, %l1;
  cvt.u32.u64 %a2, %l2;
  mov.u32 %d, 0;
  mov.u64 %ld, 0;
)" + body +
         R"(
  st.global.u32 [%out], %d;
  st.global.u64 [%out+256], %ld;
  ret;
}
)";
}

LaneResults run_lanes(const std::string& body, const Lanes& a, const Lanes& b, const Lanes& c,
                      unsigned threads, const std::string& before, bool detectors) {
  static Memory memory(std::size_t{1} << 32);
  const auto module = Module::load(lane_kernel(body, before), memory);
  const std::uint64_t in = memory.allocate(4 * 256), out = memory.allocate(4 * 256);
  for (unsigned k = 0; k < 3; ++k) {
    const Lanes& source = k == 0 ? a : k == 1 ? b : c;
    std::memcpy(reinterpret_cast<char*>(in) + 256 * k, source.data(), 256);
  }
  memory.mark_initialized(in, 4 * 256);
  Launch launch;
  launch.block.x = threads;
  launch.parameters = pointer_parameters({in, out});
  Options options;
  options.detectors = detectors;
  options.counters = false;
  options.threads = 1;
  options.step_limit = 1000000;
  LaneResults results;
  results.report = run(module->kernels().at("probe"), launch, memory, options);
  for (unsigned lane = 0; lane < std::min(threads, 32u); ++lane) {
    std::memcpy(&results.d[lane], reinterpret_cast<char*>(out) + 8 * lane, 4);
    std::memcpy(&results.ld[lane], reinterpret_cast<char*>(out) + 256 + 8 * lane, 8);
  }
  memory.release(in);
  memory.release(out);
  return results;
}

}  // namespace emulator_test
