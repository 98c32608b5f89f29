// The CUDA emitter of the sm_80 shape: scheduled IR in, a KernelText out. Expressions are in
// elements.cpp, statements over tiles in paragraphs.cpp and takes.cpp, reductions in
// reductions.cpp, memory in copies.cpp and stores.cpp, loops in loops.cpp, the file around them in
// emit_kernel.cpp.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "emit/kernel_text.hpp"
#include "emit/plan.hpp"
#include "emit/prelude.hpp"
#include "emit/writer.hpp"

namespace tilewright::emit {

/// Emits `kernel` (after all passes). `descriptions` are describe() of the kernel as traced;
/// `headline` goes on the first line.
KernelText emit_kernel(const ir::Kernel& kernel, const std::vector<std::string>& descriptions);

/// A piece of C and how tightly its outermost operator binds (C++ precedence, 16 is a primary).
struct Text {
  std::string text;
  int precedence = 16;
};

/// The address `factor * counter` chunks of 16 bytes further along a row of a buffer than `base`:
/// permuted rows take the low three bits of the chunk number by exclusive or, others by addition.
/// `counter` runs to `count`.
std::string along_row(const std::string& base, const ir::Place& place, int factor,
                      const std::string& counter, int count);

/// What a reduction's accumulator is called: "top", "total", "place".
const char* word_for(Op reduction);

/// Which element of a tile an expression is about: x[j][i], whose row slot is r and vector slot v.
struct At {
  std::string j, i, r, v;
};

class Emitter {
 public:
  Emitter(const ir::Kernel& kernel, const std::vector<std::string>& descriptions)
      : kernel_(kernel), descriptions_(descriptions), plan_(kernel) {}
  KernelText run();

 private:
  // elements.cpp: what one element is.
  Text element(ValueId value, const At& at);
  Text inline_element(const ir::Operation& operation, const At& at);
  Text pointwise(const ir::Operation& operation, const At& at);
  Text negated(ValueId condition, const At& at);
  bool at_hand(ValueId condition) const;
  std::string within_tile(ir::AxisId axis, const At& at) const;
  Text index_text(ir::AxisId axis, const At& at);
  bool stays_small(ValueId value) const;
  bool shifts_within(const ir::Operation& shift) const;
  Text integer_division(const ir::Operation& operation, const At& at);
  bool never_negative(ValueId value) const;
  Text element_text(ValueId value) { return element(value, {}); }
  std::string uniform(ValueId value) { return element(value, {}).text; }
  std::string number(double value, DType dtype);
  std::string extent(const std::string& dim);
  std::string block_start(ir::AxisId axis);  ///< "q_block * 128", or ""
  std::string end_of(ir::AxisId axis);
  std::string inside(ir::AxisId axis,
                     const At& at);  ///< a guard, or "" where every element is inside
  std::string neighbours_left(ir::AxisId axis, const At& at);
  std::string domain_text(const ir::IntExpr& expression);
  std::string once(const std::string& key, const std::string& wish, const std::string& type,
                   const std::string& value);

  // Shapes of fragments.
  const ir::Axis& axis(ir::AxisId id) const { return kernel_.axes[static_cast<std::size_t>(id)]; }
  bool is_row(ir::AxisId id) const { return id == row_axis_; }
  void rows_as(ValueId value);             ///< the text that follows is about elements of `value`
  ir::AxisId row_of(ValueId value) const;  ///< -1: does not vary by row
  ir::AxisId column_of(ValueId value) const;        ///< -1: does not vary by column
  int columns_per_thread(ir::AxisId column) const;  ///< the J of x[J][...]
  int slots() const { return kernel_.layout.rows_per_thread * kernel_.layout.vector; }
  int rows_apart() const { return 32 / kernel_.layout.lanes_per_row; }
  std::string declaration(ValueId value, const std::string& initial);
  std::string subscript(ValueId value, const At& at) const;
  At element_at(const std::string& j, const std::string& i) const;
  At row_at(const std::string& r) const;
  At each(ValueId value) const;

  // paragraphs.cpp: statements over whole tiles.
  void region(const ir::Region& region);
  void statement(const ir::Operation& operation);
  void paragraph(const ir::Operation& operation, const std::string& text);
  std::string comment(const ir::Operation& operation);  ///< "[4] s = dot(q, k, d)  128x128 f32"
  std::string remark(const ir::Operation& operation);   ///< "[4] ", and notes the source line
  void compute(const ir::Operation& operation);
  bool written_alone(const ir::Operation& operation) const;
  void write(const ir::Operation& operation);
  bool declares(ValueId value) const;
  bool serves_alone(const ir::Operation& select) const;
  void write_sunk();
  void mask_in_place(const ir::Operation& operation);
  void assign(ValueId target, const ir::Operation& operation, bool declare);
  void dot(const ir::Operation& operation);
  void products_of_half(const ir::Operation& dot);
  void products_of_f32(const ir::Operation& dot);  // dot_f32.cpp
  std::string over_elements(ValueId shape, const At& at, const std::string& body) const;
  static std::string over_columns(int count);
  void copy_value(const std::string& to, ValueId shape, ValueId from,
                  const std::string& before = {});
  struct Operand {
    bool transposed = false;
    std::string text;  ///< the shared address, in terms of `step` (and `j`)
  };
  Operand operand_at(const ir::Operation& dot, bool left);
  std::string read_left(const ir::Operation& dot, const std::string& into);
  void declare_kept(const ir::Operation& dot);
  void keep_operand(const ir::Operation& dot);
  void to_shared(const ir::Operation& convert);
  void pairs_to_shared(ValueId value, ValueId buffer, const std::string& at,
                       const std::string& label);

  // takes.cpp
  Text taken(const ir::Operation& take, const At& at);
  void take_through_shared(const ir::Operation& take);

  // reductions.cpp
  bool reduces(ValueId value) const;
  void reductions_of(ValueId value, const At& row);
  void reduce_into(const std::string& name, const ir::Operation& operation, const At& row,
                   bool fresh);
  std::string reduction_step(const ir::Operation& operation, const std::string& into,
                             const std::string& place, const At& at);
  void reduce_rows(const ir::Operation& operation);
  void reduce_own_rows(const ir::Operation& operation, const std::string& best);
  void reduce_between_warps(const ir::Operation& operation, const std::string& best);

  // copies.cpp and stores.cpp: memory.
  std::string buffer_address(ValueId buffer);
  void copy(const ir::Operation& operation, const std::string& block, const std::string& stage);
  void commit_alone(const ir::Operation& operation, const std::string& block,
                    const std::string& stage);
  std::string tensor_base(const ir::Operation& operation);
  std::string tile_start(const ir::Operation& operation, const std::string& block);
  std::string stride(const std::string& tensor, std::size_t axis);
  std::size_t tensor_axis(const ir::Operation& operation, ir::AxisId axis) const;
  std::optional<std::size_t> direct_axis(const ir::Operation& operation, ir::AxisId axis) const;
  bool columns_adjacent(const ir::Operation& operation, ir::AxisId column) const;
  struct Limits {
    std::string first, end;  ///< of an axis's elements, those the tensor has; empty: all
  };
  Limits limits(const ir::Operation& operation, std::size_t which);
  struct Span {
    std::string first, end;  ///< of a tile's elements, counted from its start; first empty: 0
  };
  Span span(const ir::Operation& operation, ir::AxisId axis, const std::string& block);
  std::string start_at(ir::AxisId axis, const std::string& block);
  std::string stride_of(const ir::Operation& operation, std::size_t which);
  bool starts_aligned(const ir::Operation& operation, std::size_t which, int unit) const;
  std::string picked_inside(const ir::Operation& operation, const At& at);
  void load_fragment(const ir::Operation& operation);
  std::string element_offset(const ir::Operation& operation, const At& at, bool adjacent = false);
  std::string widened(const std::string& stored, DType dtype);
  std::string narrowed(const Text& value, DType dtype);
  std::string packed(const Text& low, const Text& high, DType dtype);
  void store(const ir::Operation& operation);
  // row_addresses.cpp: rows that stand anywhere.
  void copy_rows(const ir::Operation& operation, const std::string& block,
                 const std::string& stage);
  std::string row_offset(const ir::Operation& access, ir::AxisId rows, const std::string& start,
                         const std::string& past_end, const std::string& outside);
  Text load_at_row(const ir::Operation& load, const At& at);
  bool surely_inside(ValueId index, const std::string& dim) const;
  void reductions_of_store(ValueId value, const At& row);
  void store_staged(const ir::Operation& operation, ValueId buffer);
  void require_aligned(const ir::Operation& operation, ir::AxisId inner);

  // loops.cpp
  struct Ring {
    std::vector<const ir::Operation*> copies;
    std::vector<const ir::Operation*> kept;  ///< dots whose left operand stays in registers
    std::string stage;                       ///< the variable that tells the buffers in use
    int unit = 1;                            ///< bytes it counts in; 1: it is their number
    std::string ahead;                       ///< several intervals of tiles: the tile copied last
    int stages = 1;
  };
  /// The names of a loop's bounds in the text.
  struct Bounds {
    std::string first = "0", last;  ///< one interval of tiles
    std::string next;               ///< several: the function from a tile to the one after it
    std::string cut;                ///< whether a tile is cut; empty: none is
    std::string at;  ///< a list: the number of the entry at hand, from `first` to before `last`
    std::string entries;  ///< … the entries read so far, that of the tile at hand first
  };
  void for_blocks(const ir::Operation& loop);
  void for_range(const ir::Operation& loop);
  void when(const ir::Operation& branch);
  Bounds bounds(const ir::Operation& loop);
  Bounds list_bounds(const ir::Operation& loop);  // list_loops.cpp
  void declare_entries(const ir::Operation& loop, const Bounds& range, int stages);
  void next_entry(const ir::Operation& loop, const Bounds& range, int stages);
  void declare_carried(const ir::Operation& loop, std::size_t first_initial);
  void yield(const ir::Operation& loop);
  int stage_bytes(ValueId buffer) const;
  std::string at_stage(ValueId buffer, const std::string& number, int unit) const;
  void ring_bases(const Ring& ring);
  void ring_copies(const ir::Operation& loop, const Ring& ring, const Bounds& range);
  void loop_body(const ir::Operation& loop, const Ring& ring, const Bounds& range);

  // emit_kernel.cpp
  Writer threads() const;
  void grid();
  std::string parameter(Parameter::Kind kind, const std::string& name, const std::string& type,
                        const std::string& of, int axis = -1);
  std::string header(const KernelText& made) const;

  const ir::Kernel& kernel_;
  const std::vector<std::string>& descriptions_;
  Plan plan_;
  Prelude prelude_;
  Writer top_{true};  ///< coordinates and what depends on nothing else
  Writer out_{true};  ///< the body
  KernelText result_;
  std::map<std::string, Parameter> parameters_;  ///< by C name, collected while emitting
  std::map<ValueId, std::string>
      local_;  ///< reductions computed inside the paragraph that uses them
  std::map<const ir::Operation*, std::string>
      base_;                             ///< copies: the pointer at their scalar indices
  std::map<ValueId, std::string> kept_;  ///< left operands in registers: their variable
  std::map<ValueId, std::string>
      stage_of_;  ///< by buffer: how far its stage in use lies from its first, in bytes
  std::map<std::string, std::string> once_;  ///< top_ declarations made on first use, by key
  std::vector<std::pair<int, Provenance>> sources_;  ///< [n] and its line, in order
  int number_ = 0;
  ir::AxisId row_axis_ = kernel_.layout.row_axis;  ///< of the tiles the text is about
  ir::AxisId moving_axis_ = -1;         ///< while a copy for another tile of this axis is written
  ir::AxisId address_rows_ = -1;        ///< while the address of a row of this axis is written
  std::string address_row_;             ///< the variable with the row's number along it
  bool packing_ = false;                ///< the expression is about to be rounded to 16 bits anyway
  std::vector<ir::AxisId> open_loops_;  ///< over tiles, outermost first
  bool in_cut_code_ = false;            ///< inside a body that knows `cut`
  std::vector<const ir::Operation*> sunk_;  ///< cut tiles need them: not yet written
  std::set<ValueId> declared_;              ///< variables declared in front of where they are set
  std::string part_, other_, places_;       ///< names in reductions.cpp
  std::string f32_left_;  ///< what dot_f32.cpp calls a left operand before it is rounded
};

}  // namespace tilewright::emit
