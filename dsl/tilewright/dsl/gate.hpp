// The gate: the only way from the typed language into a program. Everything above it is templates,
// nothing below it is. A kernel's lambda, run once ("traced"), makes these calls in program order;
// lowering/build.cpp answers them with tile IR, tests may answer them with anything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tilewright/dsl/dtype.hpp"
#include "tilewright/dsl/op.hpp"

namespace tilewright {

using ValueId =
    std::int32_t;  ///< a value of the program; valid in the region it was made in and inside it
using VariableId = std::int32_t;  ///< a `Var`
inline constexpr ValueId no_value = -1;

/// A flattened dimension is named by what it packs, outermost first: "q*group". Names of a tensor's
/// dimensions are identifiers and cannot hold it.
inline constexpr char packing = '*';

/// A place in a source file. `file` may be a full path; printing keeps the last two components.
struct Where {
  std::string file;
  std::uint32_t line = 0;
};

/// Where a statement stands: the user's line, and, for a statement inside a construct of the
/// library of the language (OnlineSoftmax), that line too: "user.cpp:19 > softmax.hpp:31".
struct Provenance {
  Where user;
  Where inner;  ///< line 0: none
};
std::string to_string(const Provenance& provenance);  // defined in lowering/ir/print.cpp

/// Which elements of an axis an index over a tile, a slice or a whole dimension stands for: element
/// e of the index's own axis is element step * e + offset of the tensor's. `count` cuts a slice out
/// of a whole dimension; a split takes the extent apart, which is known only where it is bound.
struct Selection {
  int step = 1, offset = 0;
  int count = 0;              ///< elements, from `offset` on; 0: all there are
  int parts = 0, part = 0;    ///< split: this one of so many equal parts; 0 parts: no split
  bool interleaved = false;   ///< …: every parts-th element and not neighbours
  int before = 0, after = 0;  ///< halo: elements more than the tile has, on either side
};

/// How one axis of a tensor is addressed by a load or a store.
struct IndexSpec {
  enum class Kind : std::uint8_t {
    scalar,  ///< one index, `value` (i32, 0-dimensional): contributes no dimension
    block,   ///< the current tile of `dim` (grid block or loop block): contributes `dim`
    whole,   ///< all of `dim`: contributes `dim`; its extent is bound when the kernel is compiled
    gather,  ///< an i32 tile, `value`: contributes its dimensions, picks an element for each
  };
  Kind kind = Kind::scalar;
  std::string dim;
  ValueId value = no_value;
  std::string of;       ///< the dimension it walks, where that is not `dim`
  Selection selection;  ///< block, whole
};

/// One operation that gives a value. Dimensions are as C++ inferred them; the program infers its
/// own and compares.
struct Node {
  Op op{};
  DType dtype{};
  std::vector<std::string> dims;
  std::vector<ValueId> operands;
  double constant = 0;  ///< Op::constant (integers up to 2^53 exactly)
  std::string name;     ///< scalar_argument, each/block/index/extent: dimension; load: tensor
  std::string axis;     ///< dot, reduce_*: the dimension that vanishes
  std::vector<IndexSpec> indices;  ///< load: one per axis of the tensor, in its order; index: the
                                   ///< block it is of, or none for the innermost one; take: where
                                   ///< the indices are not an operand, the slice it takes
};

/// One of the values that follow each other along a dimension, and the name that has there.
struct ConcatPart {
  ValueId value = no_value;
  std::string_view dim;
};

/// Which tiles a loop visits where a list says so: entries `first` … `last` - 1 of the i32 tensor
/// `tensor`, in their order. An entry is the number of a tile, or ~number where the mask cuts it.
struct TileList {
  std::string tensor;
  ValueId first = no_value, last = no_value;
  ValueId rows = no_value;  ///< the block whose tiles the rows of the list are
  int tile = 0;             ///< elements of a listed tile; 0: as many as one of `rows` has
};

/// A tensor, scalar or workspace of the signature, in order.
struct Argument {
  enum class Kind : std::uint8_t { in, out, in_out, scalar };
  Kind kind = Kind::in;
  std::string name;
  DType dtype{};
  std::vector<std::string> dims;  ///< the tensor's own dimension names, outermost first
  bool temporary = false;         ///< workspace: in_out when declared, in or out once traced
};

class Gate {
 public:
  virtual ~Gate() = default;

  virtual void declare(const Argument& argument) = 0;

  /// Records `node`. Equal pure nodes give equal ids (loads of an `In` too).
  virtual ValueId value(const Node& node, const Provenance& where) = 0;
  /// `index` will be used: the name it brings is known from here on, to index(…) and Var.
  virtual void announce(const IndexSpec& index, const Provenance& where) = 0;
  /// The parts one after another along `dim`, whose bound extent they fill.
  virtual ValueId concat(std::string_view dim, const std::vector<ConcatPart>& parts,
                         const Provenance& where) = 0;
  /// Gives a value its name, a paragraph in the generated text and a source line: `let`.
  virtual void name(ValueId value, std::string_view name, const Provenance& where) = 0;
  virtual void store(const std::string& tensor, const std::vector<IndexSpec>& indices,
                     ValueId value, const Provenance& where) = 0;

  /// A value without dimensions is added at every element of the tile.
  virtual void atomic_add(const std::string& tensor, const std::vector<IndexSpec>& indices,
                          ValueId value, const Provenance& where) = 0;

  /// A `Var`. `init` may have fewer dimensions: it fills the rest.
  virtual VariableId variable(std::string_view name, DType dtype,
                              const std::vector<std::string>& dims, ValueId init,
                              const Provenance& where) = 0;
  virtual ValueId read(VariableId variable) = 0;  ///< the value it has now
  virtual void assign(VariableId variable, ValueId value, const Provenance& where) = 0;

  // Control. A loop over tiles: open_blocks, perhaps follow, then the nodes of the mask (which may
  // use index(dim)), then begin_body(mask or no_value), the body, close. Other regions: open_range
  // or open_when, the body, close.
  virtual ValueId open_blocks(std::string_view dim,
                              const Provenance& where) = 0;  ///< gives the tile's number
  /// The loop just opened visits the tiles of a list, all pairs of those that are not cut.
  virtual void follow(const TileList& list, const Provenance& where) = 0;
  virtual void begin_body(ValueId mask) = 0;
  virtual ValueId open_range(ValueId count, const Provenance& where) = 0;  ///< gives the counter
  virtual void open_when(ValueId condition, const Provenance& where) = 0;
  virtual void close() = 0;

  // The grid. Each dimension at most once.
  virtual ValueId grid_each(std::string_view dim, const Provenance& where) = 0;
  virtual ValueId grid_blocks(std::string_view dim, int tile,
                              const Provenance& where) = 0;  ///< tile 0: scheduled
};

}  // namespace tilewright
