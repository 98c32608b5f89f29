// The facade of the compiler: a kernel and a device in, a loaded plan out.
//
//   auto plan = compile(Device::open(), kernel, {.extents = {{D, 128}, {E, 128}}});
//   plan.launch(stream, {{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse},
//   {"softmax_scale", 0.088f}});
//
// `compile` does everything that takes time: tracing, lowering, NVRTC (or the cache), loading. What
// runs in between: pipeline.cpp; what a plan can do: plan.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "../runtime/compile.hpp"
#include "plan.hpp"
#include "tilewright/dsl/kernel.hpp"

namespace tilewright {

using ir::read_schedule;
using ir::Schedule;

struct CompileRequest {
  /// Of every dimension a tile uses whole ({{D, 128}}); others may be given too.
  std::map<std::string, std::int64_t> extents = {};
  Schedule schedule = {};  ///< choices to override; empty: the compiler's
};

Program make_program(const KernelSource& kernel, const std::string& arch,
                     const CompileRequest& request);

/// What programs are made for whose images run on a device of this architecture (as
/// Device::architecture gives it).
std::string program_arch(const std::string& device_architecture);

/// Compiles `kernel` for `device` and loads it: a plan of one launch. Throws Error: invalid_program
/// for a kernel that breaks a rule of the language, shape_mismatch for a dimension without an
/// extent, unsupported for what the target cannot do, missing without NVRTC.
Plan compile(const Device& device, const KernelSource& kernel, const CompileRequest& request = {});

/// The options both images of a program are compiled with.
runtime::CompileOptions compile_options();
/// The same for one kernel's text, which must outlive them: NVRTC's messages name the user's lines.
runtime::CompileOptions compile_options(const emit::KernelText& text);

}  // namespace tilewright
