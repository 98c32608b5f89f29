// The facade of the compiler: a kernel and a device in, a loaded plan out.
//
//   auto plan = compile(Device::open(), kernel, {.extents = {{D, 128}, {E, 128}}});
//   plan.launch(stream, {{"q", q}, {"k", k}, {"v", v}, {"out", out}, {"lse", lse},
//   {"softmax_scale", 0.088f}});
//
// `compile` does everything that takes time: tracing, lowering, NVRTC (or the cache), loading.
// `launch` checks its arguments, picks between the kernels compiled beforehand and makes one driver
// call. What runs in between: pipeline.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/determinism.hpp"
#include "pipeline.hpp"
#include "runtime/compile.hpp"
#include "runtime/memory.hpp"
#include "tilewright/dsl/kernel.hpp"

namespace tilewright {

using runtime::Buffer;
using runtime::Device;
using runtime::Stream;

/// A tensor in device memory: address, element type, extents and strides (in elements, outermost
/// first, in the order of the argument's dimensions). Any strides are legal for inputs, 0 included;
/// an output whose elements overlap is refused at launch.
struct TensorView {
  CUdeviceptr data = 0;
  DType dtype = DType::f32;
  std::vector<std::int64_t> extents;
  std::vector<std::int64_t> strides;

  /// Row-major without gaps.
  static TensorView contiguous(CUdeviceptr data, DType dtype, std::vector<std::int64_t> extents);
};

/// One named argument of a launch: a tensor, or a number for a Scalar.
struct Binding {
  Binding(std::string name, TensorView tensor) : name(std::move(name)), tensor(std::move(tensor)) {}
  Binding(std::string name, double number)
      : name(std::move(name)), number(number), is_number(true) {}

  std::string name;
  TensorView tensor;
  double number = 0;
  bool is_number = false;
};

struct CompileRequest {
  /// Of every dimension a tile uses whole ({{D, 128}}); others may be given too.
  std::map<std::string, std::int64_t> extents = {};
  ir::Schedule schedule = {};  ///< choices to override; empty: the compiler's
};

/// What a kernel becomes for an architecture, without a device: text and everything before it.
struct Program {
  ir::Kernel traced;
  Lowered aligned;  ///< may rely on 16-byte aligned rows
  Lowered general;  ///< takes any strides

  /// The generated file, as `dump` writes it.
  const std::string& cuda_source() const { return aligned.text.text; }

  /// A sentence for every statement whose result may differ in its last bits, or in which of two
  /// elements stays, from one launch to the next. Empty: bit-stable for one schedule.
  std::vector<std::string> order_dependent() const { return ir::order_dependent(traced); }
};
Program make_program(const KernelSource& kernel, const std::string& arch,
                     const CompileRequest& request);

/// A compiled, loaded kernel. A value: copies share the loaded modules. Safe to launch from many
/// threads.
class Plan {
 public:
  const Program& program() const;
  const Device& device() const;
  const std::string& cuda_source() const { return program().cuda_source(); }
  /// The same bits from every launch with the same arguments; if not, why:
  /// program().order_dependent().
  bool is_deterministic() const { return program().order_dependent().empty(); }

  /// Puts the kernel into `stream`. Extents and strides come from the tensors; an Out that is not
  /// given is not written. Throws Error: shape_mismatch where two tensors disagree on a dimension,
  /// invalid_argument for a missing, unknown or null argument, a wrong element type or an output
  /// whose elements overlap, unsupported for an extent of 2^31 or more.
  void launch(const Stream& stream, const std::vector<Binding>& arguments) const;

  /// True when `arguments` would run the kernel that relies on alignment.
  bool runs_aligned(const std::vector<Binding>& arguments) const;

  /// The user's line behind a line of the generated text: "" where there is none.
  std::string source_of(int generated_line, bool aligned) const;

 private:
  friend Plan compile(const Device& device, const KernelSource& kernel,
                      const CompileRequest& request);
  struct State;
  explicit Plan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Compiles `kernel` for `device` and loads it. Throws Error: invalid_program for a kernel that
/// breaks a rule of the language, shape_mismatch for a dimension without an extent, unsupported for
/// what the target cannot do, missing without NVRTC.
Plan compile(const Device& device, const KernelSource& kernel, const CompileRequest& request = {});

/// The options both images of a program are compiled with.
runtime::CompileOptions compile_options();

}  // namespace tilewright
