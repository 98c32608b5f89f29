// One warp whose lanes load words, run a piece of PTX over them and store words.
#pragma once

#include <cstring>

#include "lane_kernel.hpp"

namespace emulator_test {

/// Runs a kernel whose lanes load `inputs` 32-bit words each and store `outputs` words; `before`
/// stands outside of it.
inline std::vector<std::uint32_t> run_words(
    const std::string& body, const std::vector<std::uint32_t>& in, unsigned inputs,
    unsigned outputs, const std::string& before = "",
    const std::string& target = ".version 8.0\n.target sm_80", bool detectors = false) {
  std::string text = target + "\n.address_size 64\n" + before +
                     "\n.visible .entry probe(.param .u64 in, .param .u64 out)\n{\n"
                     ".reg .b32 %i<32>, %o<8>, %t<8>, %lane;\n.reg .b64 %in, %out, %x;\n"
                     "ld.param.u64 %in, [in];\nld.param.u64 %out, [out];\nmov.u32 %lane, %laneid;\n"
                     "mul.wide.u32 %x, %lane, 4;\nadd.s64 %in, %in, %x;\nadd.s64 %out, %out, %x;\n";
  for (unsigned k = 0; k < inputs; ++k) {
    text += "ld.global.u32 %i" + std::to_string(k) + ", [%in+" + std::to_string(128 * k) + "];\n";
  }
  text += body + "\n";
  for (unsigned k = 0; k < outputs; ++k) {
    text += "st.global.u32 [%out+" + std::to_string(128 * k) + "], %o" + std::to_string(k) + ";\n";
  }
  text += "ret;\n}\n";
  Memory memory(std::size_t{1} << 30);
  const auto module = Module::load(text, memory);
  const std::uint64_t from = memory.allocate(in.size() * 4), to = memory.allocate(128 * outputs);
  std::memcpy(reinterpret_cast<void*>(from), in.data(), in.size() * 4);
  memory.mark_initialized(from, in.size() * 4);
  Launch launch;
  launch.block.x = 32;
  launch.parameters = pointer_parameters({from, to});
  Options options;
  options.detectors = detectors;
  const Report report = run(module->kernels().at("probe"), launch, memory, options);
  for (const Fault& fault : report.faults) FAIL_CHECK(fault.message);
  std::vector<std::uint32_t> out(32 * outputs);
  std::memcpy(out.data(), reinterpret_cast<void*>(to), out.size() * 4);
  return out;
}

}  // namespace emulator_test
