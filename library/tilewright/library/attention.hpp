// The builder for those who call: an attention is composed, compiled once, launched many times.
//
//   auto attention = Attention{}.mask(causal());
//   auto plan      = attention.compile(Device::open(), {.dtype = bf16, .head_dim = 128});
//   plan.launch(stream, {.q = q, .k = k, .v = v, .out = out, .lse = lse});
//
// Exact softmax attention, forward, in one pass: out = softmax(softmax_scale q kᵀ, masked) v, with
// query head h reading kv head h / (heads / kv_heads). Lengths, batch, heads and strides are the
// launch's; what a plan is compiled for stands in AttentionRequest. One program for each task:
// examples/tasks/.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tilewright/arguments.hpp>
#include <tilewright/library/documents.hpp>
#include <tilewright/library/rope.hpp>
#include <tilewright/library/score.hpp>
#include <utility>
#include <vector>

namespace tilewright {

/// How products of f32 are made on the tensor cores: three products of TF32 numbers, which keep the
/// accuracy of f32, or one, which does not and takes a third of the time. Of other types: f32.
enum class DotPrecision : std::uint8_t { f32, tf32 };

constexpr std::string_view name(DotPrecision precision) {
  return precision == DotPrecision::f32 ? "f32" : "tf32";
}

/// What a plan is compiled for.
struct AttentionRequest {
  DType dtype = DType::bf16;   ///< of q, k, v and out: bf16, f16 or f32; the softmax is in f32
  std::int64_t head_dim = 0;   ///< of q and k, 1 to 256; must be given
  std::int64_t value_dim = 0;  ///< of v and out, 1 to 256; 0: head_dim
  DotPrecision dot_precision = DotPrecision::f32;
  /// Choices to take instead of the compiler's, one "key value" a line, as `schedule()` prints
  /// them: "tile q 64\nstages 3". What is not named stays the compiler's.
  std::string schedule = {};
};

/// A list of tiles in device memory; blocks.hpp makes them. begin = indptr[…, :-1] and end =
/// indptr[…, 1:] of a matrix of blocks in CSR form are views of it, where a launch that has no mask
/// takes the indices as they are.
struct BlockListTensors {
  TensorView begin = {};  ///< i32 [batch, heads, tiles of rows]: the first entry of each row
  TensorView end = {};    ///< the same: the one behind its last
  TensorView tiles = {};  ///< i32 [entries]: a tile's number, or ~number where the mask cuts it
  /// What it was made for, where that is known; 0: not compared with the launch.
  int block_q = 0, block_kv = 0;
  std::int64_t columns = 0;
};

/// A graph of tokens in device memory; token_graph.hpp makes it and says what is in it.
struct TokenGraphTensors {
  BlockListTensors slots = {};  ///< which tiles of gathered keys belong to a tile of rows
  TensorView keys = {};         ///< i32 [slots]
  TensorView bits = {};         ///< i32 [slots / 32 * tile_q]
  std::int64_t seqlen_kv = 0;   ///< what it was made for; 0: not compared with the launch
};

/// What one launch works on. Extents are in the order given here, whatever the order in memory:
/// strides say that. A tensor laid out [batch, length, heads, dim] is
/// TensorView::contiguous(address, dtype, {batch, length, heads, dim}).transposed(1, 2).
struct AttentionTensors {
  TensorView q = {};    ///< [batch, heads, seqlen_q, head_dim]
  TensorView k = {};    ///< [batch, kv_heads, seqlen_kv, head_dim]
  TensorView v = {};    ///< [batch, kv_heads, seqlen_kv, value_dim]
  TensorView out = {};  ///< [batch, heads, seqlen_q, value_dim]; a row that sees no key gets 0
  /// f32 [batch, heads, seqlen_q]: natural logarithm of the sum of exponentials, -inf in a row that
  /// sees no key. Not given: not written.
  TensorView lse = {};
  std::optional<double> softmax_scale = {};  ///< not given: 1 / sqrt(head_dim)
  /// Numbers of the mask and the score functions, by name; those not given keep their defaults.
  std::vector<std::pair<std::string, double>> numbers = {};
  /// Their tables, by name: each must be given.
  std::vector<std::pair<std::string, TensorView>> tables = {};
  /// The tiles to visit, for plans of Attention::blocks and for no others.
  BlockListTensors blocks = {};
  /// The keys that each row sees, for plans of Attention::graph and for no others.
  TokenGraphTensors graph = {};
};

/// The extents that a plan leaves open.
struct AttentionExtents {
  std::int64_t batch = 1;
  std::int64_t heads = 1;     ///< of queries; a multiple of kv_heads
  std::int64_t kv_heads = 1;  ///< of keys and values
  std::int64_t seqlen_q = 0;
  std::int64_t seqlen_kv = 0;
};

class Plan;
struct AttentionState;
namespace library {
struct AttentionParts;
}

/// What the compiler made for one architecture; needs no device. Made by Attention::program.
class AttentionProgram {
 public:
  /// One self-contained file, as `tilewright dump` writes it. Its kernel wants 16-byte aligned rows
  /// (the first lines say so) and takes any lengths.
  std::string cuda_source() const;

  /// What NVRTC makes of it: machine code for this architecture, and PTX. Through the cache of
  /// compiled kernels. Throws Error{missing} without NVRTC.
  std::string cubin() const;
  std::string ptx() const;

  const std::string& symbol() const;  ///< the kernel's extern "C" name
  int threads() const;                ///< of a block
  int shared_bytes() const;           ///< dynamic shared memory of a block
  int tile_q() const;                 ///< rows that one block computes
  int tile_kv() const;                ///< keys that it takes at a time
  /// The kernel's parameters in order, "const bf16* q", "i64 q_batch" …: pointers, strides in
  /// elements, extents, scalars.
  std::vector<std::string> parameters() const;
  /// Blocks of the launch's one-dimensional grid; regrouped: of all its launches together. Throws
  /// Error{unsupported} for more than 2^31 - 1.
  std::int64_t blocks(const AttentionExtents& extents) const;

  /// The schedule as text: what AttentionRequest::schedule takes.
  std::string schedule() const;
  /// For people: the problem, tiles and why, registers, spills, what the fast form needs.
  std::string explain() const;
  /// The same, and for these extents: blocks skipped, full and cut, floating-point operations, the
  /// bytes that must move.
  std::string explain(const AttentionExtents& extents) const;

 private:
  friend class Attention;
  friend struct AttentionState;
  explicit AttentionProgram(std::shared_ptr<const AttentionState> state);
  std::shared_ptr<const AttentionState> state_;
};

/// A compiled and loaded attention: a value whose copies share what was loaded and reserved. May be
/// launched from many threads, as long as launches that share an output or a workspace are ordered.
class AttentionPlan {
 public:
  /// Puts the work into `stream`: no compiling, allocating or waiting, so a CUDA graph can capture
  /// it. Everything is checked first. Throws Error naming the tensor or number: invalid_argument
  /// (missing, null, another element type, an output whose elements overlap, a scale that is not
  /// finite, a stream or workspace of another device), shape_mismatch (extents that disagree with
  /// each other or with what was compiled, heads no multiple of kv_heads), unsupported (an extent
  /// of 2^31 or more).
  void launch(const Stream& stream, AttentionTensors tensors,
              const Workspace& workspace = {}) const;

  /// Bytes of the workspace that a launch with these extents takes: the caller's, given to
  /// `launch`, or the plan's own, allocated by `reserve`. 0 for what there is today.
  std::size_t workspace_bytes(const AttentionExtents& extents) const;
  void reserve(const AttentionExtents& extents);

  const Device& device() const;
  const AttentionProgram& program() const { return program_; }
  std::string cuda_source() const { return program_.cuda_source(); }
  std::string schedule() const { return program_.schedule(); }
  std::string explain() const { return program_.explain(); }
  std::string explain(const AttentionExtents& extents) const { return program_.explain(extents); }

 private:
  friend class Attention;
  AttentionPlan(AttentionProgram program, std::shared_ptr<Plan> plan)
      : program_(std::move(program)), plan_(std::move(plan)) {}
  AttentionProgram program_;
  std::shared_ptr<Plan> plan_;  ///< with the workspace of `reserve`
};

/// A description, and nothing is compiled before `compile` or `program`. Every setter returns a new
/// one.
class Attention {
 public:
  /// Which keys a row sees; not set: all.
  [[nodiscard]] Attention mask(Mask mask) const;
  /// What becomes of the scaled scores before the mask; not set: nothing.
  [[nodiscard]] Attention score(ScoreMod score_mod) const;
  /// One more key for each query head, of score sinks[head] and value 0 (gpt-oss): an f32 table
  /// "sinks" [heads] of the launch. It takes weight, and its logarithm counts in lse; a row that
  /// sees no key gets 0 and lse = sinks[head].
  [[nodiscard]] Attention sinks() const;
  /// Queries and keys are turned by the angles of their positions; see rope.hpp. Not
  /// together with a list of blocks or a graph.
  [[nodiscard]] Attention rope(const Rope& rope = {}) const;
  /// Only the tiles of `block_q` rows by `block_kv` keys that a list of the launch names are
  /// visited (blocks.hpp); in those it marks as cut, the mask applies too. Both sizes are multiples
  /// of 16 up to 512, which the schedule keeps. Throws Error{invalid_argument} for others.
  [[nodiscard]] Attention blocks(int block_q, int block_kv) const;
  /// Each row sees the keys that a graph of the launch names for it (token_graph.hpp), and of those
  /// the ones that the mask shows. tile_q rows see tile_kv gathered keys at a time: a multiple of
  /// 16 and one of 32, up to 512. Not together with a list of blocks. Throws
  /// Error{invalid_argument} for other tiles.
  [[nodiscard]] Attention graph(int tile_q = 64, int tile_kv = 64) const;
  /// For masks that ask for a residue: (q - k + c) % t == d, alone or joined to others by &&
  /// (strided and dilated ones), with numbers t and d. Rows and keys of one residue are taken
  /// together, as views, so that tiles hold every t-th key and no others; a launch is then up to
  /// four of the same kernel. Or (k + c) % t == d: rows stay as they are. Results are those of the
  /// same attention without. Worth it where lengths fill tiles of every t-th key; explain(extents)
  /// of both counts their tiles. Not together with rope, blocks or graph.
  [[nodiscard]] Attention regrouped() const;
  /// Rows and keys are sequences packed one after the other; see documents.hpp. Says it of the mask
  /// and the score functions as they are set by now: comes after them.
  [[nodiscard]] Attention documents() const;

  /// Compiles (or finds in the cache) and loads; everything that takes time. Throws Error naming
  /// "dtype", "head_dim", "value_dim", "dot_precision", "rope.dim", "rope.positions_given" (packed
  /// sequences stand at positions of their own), the "mask" that cannot be regrouped or the line of
  /// "schedule"; missing without NVRTC.
  AttentionPlan compile(const Device& device, const AttentionRequest& request) const;

  /// The same for an architecture ("sm_80", "sm_90", …) without a device, up to NVRTC. `arch` is
  /// refused as invalid_argument where there is no such architecture.
  AttentionProgram program(const std::string& arch, const AttentionRequest& request) const;

 private:
  library::AttentionParts parts() const;

  Mask mask_;
  ScoreMod score_mod_;
  bool has_sinks_ = false, is_regrouped_ = false;
  int block_q_ = 0, block_kv_ = 0;  ///< 0: no list
  int graph_q_ = 0, graph_kv_ = 0;  ///< 0: no graph
  std::optional<Rope> rope_;
};

}  // namespace tilewright
