// A plan: an ordered list of kernel launches, memsets and copies over named arguments and one
// workspace, compiled and loaded. `launch` checks what it is given, picks between kernels compiled
// beforehand and makes one driver call a step: it never compiles, allocates device memory, loads or
// waits. compile.hpp makes plans of one kernel; Plan{a, b, c} joins them.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../ir/determinism.hpp"
#include "../pipeline.hpp"
#include "arguments.hpp"

namespace tilewright {

/// What a kernel becomes for an architecture, without a device: text and everything before it.
struct Program {
  ir::Kernel traced;
  Lowered aligned;  ///< may rely on 16-byte aligned rows
  Lowered general;  ///< takes any strides

  /// One self-contained file, as `tilewright dump` writes it: the kernel, and under TILEWRIGHT_MAIN
  /// a main() that checks it against the program before any pass. NVRTC gets aligned.text.text.
  std::string cuda_source() const;

  /// A sentence for every statement whose result may differ in its last bits, or in which of two
  /// elements stays, from one launch to the next. Empty: bit-stable for one schedule.
  std::vector<std::string> order_dependent() const { return ir::order_dependent(traced); }
};

/// Extents by dimension name.
using Extents = std::map<std::string, std::int64_t>;

struct PlanState;

/// A value: copies share the loaded modules, but not the workspace that `reserve` allocates. Safe
/// to launch from many threads, as long as launches that share a workspace or an output are
/// ordered.
class Plan {
 public:
  /// `parts` one after the other in one stream. Arguments of the same name are the same tensor,
  /// dimensions of the same name have one extent, and a Temp that one part writes and a later one
  /// reads is one piece of workspace. Throws Error: invalid_argument where no part is given, the
  /// devices differ, or one name means two types or sorts of argument; shape_mismatch where its
  /// dimensions differ or two parts were compiled for different extents.
  Plan(std::initializer_list<Plan> parts);

  const Device& device() const;

  /// Kernels among the steps, and what the compiler made of one, in order. Throws
  /// Error{invalid_argument} for a number that is not there.
  std::size_t kernels() const;
  const Program& program(std::size_t kernel = 0) const;
  /// All kernels as one self-contained file, each once; see Program::cuda_source. Throws
  /// Error{invalid_argument} where two different kernels have one name.
  std::string cuda_source() const;
  /// The same bits from every launch with the same arguments; if not, why: order_dependent() of a
  /// kernel's program.
  bool is_deterministic() const {
    for (std::size_t i = 0; i < kernels(); ++i)
      if (!program(i).order_dependent().empty()) return false;
    return true;
  }

  /// Puts the steps into `stream`. Extents and strides come from the tensors; an Out that is not
  /// given is not written. `workspace`: the caller's, else the one of `reserve`. Nothing runs
  /// unless everything is right. Throws Error: shape_mismatch where two tensors disagree on a
  /// dimension; invalid_argument for a missing, unknown or null argument, a wrong element type, an
  /// output whose elements overlap, a workspace that is missing, too small, misaligned or on
  /// another device, a Temp that is read before a step writes it; unsupported for an extent of 2^31
  /// or more.
  void launch(const Stream& stream, const std::vector<Binding>& arguments,
              const Workspace& workspace = {}) const;

  /// Bytes of workspace a launch with these extents takes; 0 without temporaries. Temporaries
  /// that are not in use at the same step share bytes. Needs every dimension of every Temp that
  /// was not bound when compiled. Throws Error: invalid_argument for a dimension that is missing,
  /// unknown or below 0, shape_mismatch for one bound to another extent, unsupported above 2^63.
  std::size_t workspace_bytes(const Extents& extents) const;

  /// Allocates a workspace that is this plan's own, large enough for launches with these extents
  /// and all smaller ones; a larger one that is there already stays. Not for two launches at a
  /// time.
  void reserve(const Extents& extents);

  /// True when `arguments` would run, of that kernel, the form that relies on alignment.
  bool runs_aligned(const std::vector<Binding>& arguments, std::size_t kernel = 0) const;

  /// The user's line behind a line of a kernel's generated text: "" where there is none.
  std::string source_of(int generated_line, bool aligned, std::size_t kernel = 0) const;

 private:
  friend struct PlanState;
  /// Copies are empty: a workspace serves one plan.
  struct Reserve {
    Reserve() = default;
    Reserve(const Reserve&) {}
    Reserve(Reserve&&) noexcept = default;
    Reserve& operator=(const Reserve& other);
    Reserve& operator=(Reserve&&) noexcept = default;
    Buffer buffer;
  };
  explicit Plan(std::shared_ptr<const PlanState> state) : state_(std::move(state)) {}
  std::shared_ptr<const PlanState> state_;
  Reserve reserve_;
};

/// A plan of one memset that zeroes a tensor, such as an output that atomics add to. Throws
/// Error{unsupported} at launch for a tensor with gaps between its elements.
Plan zero(const Device& device, Argument tensor);
/// zero(device, Out<"sum", f32, B, M>{}): the tensor as a kernel's signature has it.
template <typename Tensor>
Plan zero(const Device& device, const Tensor&) {
  return zero(device, Tensor::argument());
}

/// A plan of one copy between two tensors of one type and the same dimensions. Throws Error:
/// shape_mismatch or invalid_argument where these differ; at launch unsupported unless both have
/// the same strides and no gaps.
Plan copy(const Device& device, Argument from, Argument to);
template <typename From, typename To>
Plan copy(const Device& device, const From&, const To&) {
  return copy(device, From::argument(), To::argument());
}

}  // namespace tilewright
