// Tile IR: SSA over tiles with named axes, in structured regions.
//
// Semantics, which every pass keeps and the interpreter defines:
//  * A tile's axes are ordered; operands of a pointwise op broadcast by axis, not by position.
//  * Integers are 32 bits and wrap; `div` and `mod` round toward -inf. A shift by a number outside
//    0 … 31 shifts everything out. Comparisons with NaN are false, `ne` true. max/min ignore a NaN
//    operand, as CUDA's fmaxf does.
//  * exp2_safe(x, m) is exp2(x - m), and 0 wherever m is -inf. log(0) is -inf.
//  * `cast` and `store` round to nearest even; all f16/bf16 arithmetic happens in f32 and is
//  rounded
//    only by an explicit cast or a store. dot accumulates in f32; of f32 operands it takes all
//    bits, or (Operation::tf32) those that a TF32 number has.
//  * A load past the end of an axis gives 0 (and that element is hidden); a store writes nothing
//  there.
//  * In for_blocks, reductions and contractions over the loop's axis take visible elements only,
//  until
//    apply_mask has made that explicit (Operation::masked); stores write visible elements only.
//  * for_blocks over a list visits the tiles that the list names, in its order; the mask applies in
//    those it marks as cut and is not evaluated in the others, all of whose elements are visible.
//  * What is sunk has a value in cut tiles alone, and there nobody but a condition of cut tiles
//  reads
//    it.
//  * A row with no element reduces to the neutral value: -inf for max, 0 for sum, -1 for argmax.
//  * The order of a reduction's additions is the schedule's; results are bit-stable for one
//  schedule.
//
// A value's encoding and place, tokens, shared buffers and loop domains are here from the start, so
// that a new target adds passes and no new IR. Printing: print.hpp; rules: verify.hpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain.hpp"
#include "tilewright/dsl/gate.hpp"

namespace tilewright::ir {

using AxisId = int;

/// One tiled (or whole) dimension. A dimension that is tiled twice (two loops over it) has two
/// axes.
struct Axis {
  enum class Kind { grid, loop, whole };
  std::string dim;  ///< "m*g": flattened (flattened.hpp)
  Kind kind = Kind::whole;
  int tile = 0;    ///< elements per tile: set by the schedule; whole: the bound extent
  int padded = 0;  ///< tile as the target keeps it (a multiple of what its instructions take); 0:
                   ///< not yet known
  int requested_tile = 0;    ///< `blocks(M, 64)`: 0 when the schedule may choose
  ValueId block = no_value;  ///< the i32 scalar that numbers the tile; no_value for whole
  AxisId follows = -1;  ///< tiled: the axis whose tile this is, under another name; the tile is
  int before = 0, after = 0;  ///< … larger by so many elements on either side
};

enum class Encoding : std::uint8_t { dense, sparse_2of4, packed_i4 };

struct Type {
  enum class Kind : std::uint8_t { tile, token, buffer };
  Kind kind = Kind::tile;
  DType dtype = DType::f32;
  std::vector<AxisId> axes = {};  ///< empty: a scalar, equal in all threads
  Encoding encoding = Encoding::dense;
  bool operator==(const Type&) const = default;
};

/// Where a tile lives. Set by place_values; `unplaced` before.
struct Place {
  enum class Kind : std::uint8_t {
    unplaced,
    uniform,    ///< scalar: one register, the same in every thread
    fragment,   ///< registers; rows over warps and lanes, columns within (accumulator layout)
    operand_a,  ///< registers, as the left operand of the tensor cores
    operand_b,  ///< read from shared memory where it is used, as the right operand
    shared,     ///< a buffer in shared memory
  };
  Kind kind = Kind::unplaced;
  int swizzle = 0;     ///< shared: 1 when 16-byte chunks are permuted by row
  int row_chunks = 0;  ///< shared: 16-byte chunks from one row to the next
  int stages = 1;      ///< shared: copies of the tile
  int offset = 0;      ///< shared: byte offset, after placement
  int bytes = 0;       ///< shared: all stages
  bool operator==(const Place&) const = default;
};

struct Value {
  Type type;
  Place place;
  AxisId row_axis =
      -1;  ///< in registers: its axis that runs over warps and lanes; -1: none, or not yet chosen
  std::string name;  ///< from `let`, `Var` or a tensor; empty: unnamed
  Provenance where;  ///< of the naming statement
  std::string note;  ///< what the reader of the text must know about it ("without its factor")
};

/// How a tile in registers is spread over threads: element x[j][i] of a fragment is
///   row = warp * (rows_per_thread * 32 / lanes_per_row) + lane / lanes_per_row + (i / vector) *
///   (32 / lanes_per_row) col = (j * lanes_per_row + lane % lanes_per_row) * vector + i % vector
/// With lanes_per_row 4, vector 2, rows_per_thread 2 this is the accumulator of mma.m16n8 (PTX ISA,
/// "Matrix Fragments for mma.m16n8k16"). Without a row axis lanes_per_row counts all threads.
struct Layout {
  AxisId row_axis = -1;
  int warps = 1;
  int lanes_per_row = 32;
  int vector = 1;
  int rows_per_thread = 1;
  bool tensor_cores = false;
  int threads() const { return 32 * warps; }
};

struct Operation;

/// Operations in order, ended by `yield` in loops. `arguments` are values defined by the region.
struct Region {
  std::vector<ValueId> arguments;
  std::vector<std::unique_ptr<Operation>> operations;
};

/// The role of a region on targets that split their threads (producer, consumer k); `all`
/// otherwise.
enum class Role : std::uint8_t { all, producer, consumer };

struct Index {
  IndexSpec::Kind kind{};
  ValueId value = no_value;  ///< scalar, gather
  AxisId axis = -1;          ///< block, whole: element e of the axis is
  int step = 1, offset = 0;  ///< … element step * e + offset of the tensor's
  bool operator==(const Index&) const = default;
};

/// Which memory an operation touches, listed on the operation itself.
struct Effect {
  enum class Kind : std::uint8_t { read, write, synchronize };
  Kind kind{};
  std::string memory;  ///< a tensor's name, or "shared:NAME"; empty for synchronize
};

struct Operation {
  /// A loop over tiles that a list names.
  bool follows_list() const { return op == Op::for_blocks && !name.empty(); }

  Op op{};
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  std::vector<std::unique_ptr<Region>>
      regions;  ///< for_blocks: {mask (may be empty), body}; for_range, when: {body}

  double constant = 0;         ///< constant
  std::string name;            ///< scalar_argument: argument; each/block/extent: dimension;
                               ///< load/store/copy_async: tensor; for_blocks: the list of the
                               ///< tiles it visits, empty where its domain says that
  AxisId axis = -1;            ///< index, dot, reductions, for_blocks
  std::vector<Index> indices;  ///< load, store, copy_async; for_blocks over a list: its first
                               ///< entry and the one behind its last
  bool masked = false;      ///< reductions, dot: hidden elements are neutral already (apply_mask);
                            ///< store, reduce_argmax: what shows is its second operand, without one
                            ///< all; take: its buffer holds the tile already
  bool cut_only = false;    ///< select, store, reduce_argmax: the condition holds in every full
                            ///< tile, so only cut tiles ask it
  bool sunk = false;        ///< only conditions of cut_only operations read its value, so only cut
                            ///< tiles compute it (cut_tiles.hpp)
  bool per_thread = false;  ///< reductions: kept per thread until finish_reduce
  bool across_warps =
      false;          ///< reductions, finish_reduce: over the dimension that runs over warps
  bool tf32 = false;  ///< dot of f32: operands are rounded to TF32 (10 bits, ties away)
  ValueId sign_of = no_value;  ///< operand_load, copy_async, dot: the left operand is negated when
                               ///< this scalar is negative
  int stage_ahead = 0;         ///< copy_async in a loop: how many tiles ahead it runs
  int pending = 0;             ///< wait: newer groups of copies that may still be in flight
  Role role = Role::all;
  std::optional<Domain> domain;  ///< for_blocks, after analyze_masks
  Provenance where;

  std::vector<Effect> effects() const;
};

/// A traced kernel: arguments, axes, values and the body.
struct Kernel {
  std::string name;
  std::vector<Argument> arguments;
  std::vector<std::string> grid;  ///< grid dimensions, outermost first, as axes or each-dimensions
  std::vector<Axis> axes;
  std::vector<Value> values;  ///< indexed by ValueId
  Region body;
  std::map<std::string, int> bound;  ///< extents fixed at compile: every dimension used whole
  Layout layout;                     ///< after choose_schedule
  int shared_bytes = 0;              ///< after place_values
  bool aligned = true;  ///< may rely on 16-byte alignment and unit inner strides of its tensors

  const Type& type(ValueId value) const { return values[static_cast<std::size_t>(value)].type; }
  ValueId add_value(Type type, std::string name = {}, Provenance where = {});
  const Argument* find_argument(const std::string& name) const;
  /// The axis whose tiles those of `axis` are: itself, but for one that follows another.
  AxisId leader(AxisId axis) const;
  /// The dimension along which the elements of `axis` are counted.
  const std::string& counted_along(AxisId axis) const;
  /// How many elements `axis` has in all, where that is known while compiling.
  std::optional<int> known_extent(AxisId axis) const;
  /// Whether some element of `axis` may stand for none of the tensor's, along its axis `which`.
  bool may_leave(const Operation& operation, std::size_t which) const;
  /// A deep copy, so that a pass's input can be kept.
  Kernel clone() const;
};

/// The operation that defines each value (region arguments: null). Rebuilt when needed.
std::vector<Operation*> definitions(Kernel& kernel);
std::vector<const Operation*> definitions(const Kernel& kernel);
/// How many operands (nested regions included) name each value.
std::vector<int> use_counts(const Kernel& kernel);

}  // namespace tilewright::ir
