// Which axis runs over warps, how large tiles are, how many warps and stages: a small model of
// registers and shared memory chooses, a wish (command line, schedule file) overrides, and what
// does not fit is shrunk and said so. Everything chosen is data on the kernel and in the printed
// schedule.
// Long file: one choice is weighed against the next, and all of them share what they measure.
#include <algorithm>
#include <map>
#include <set>

#include "ir/row_addresses.hpp"
#include "ir/take_path.hpp"
#include "passes/assign_rows.hpp"
#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {
namespace {

using ir::Axis;
using ir::AxisId;
using ir::Operation;

constexpr int warp_rows = 16;  // rows of one tensor-core accumulator, and so of one warp

int round_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

/// Registers per thread that the 2-D tiles live at once may take, of 255: the rest holds fragments,
/// addresses and the exponentials in flight (measured with ptxas on kernels with two products in a
/// loop).
constexpr int tile_registers = 128;
/// Where even narrow tiles take more (an accumulator 256 wide), up to this much still compiles
/// without spills, with less room for the exponentials.
constexpr int most_tile_registers = 160;

/// Tensor instructions of one warp in the written-out body: what NVRTC takes is nearly proportional
/// to it (0.3 s at 192, measured), and a wider tile saves little more.
constexpr int body_products = 192;
/// One m16n8k16 in f32: two steps of m16n8k8, three products of TF32 parts each.
constexpr int f32_products = 6;
constexpr int tf32_products = 2;  ///< one product of each step

class Scheduler {
 public:
  Scheduler(ir::Kernel& kernel, const Target& target, const ir::Schedule& wish)
      : kernel_(kernel), target_(target), wish_(wish) {
    walk(kernel.body, [&](Operation& operation) {
      if (operation.op == Op::dot) dots_.push_back(&operation);
      if (operation.op == Op::take) takes_.push_back(&operation);
    });
  }

  ir::Schedule run() {
    schedule_.target = target_.name;
    must_keep_fixed_tiles();
    choose_products();
    if (dots_.empty()) {
      schedule_pointwise();
    } else {
      schedule_tensor_cores();
    }
    finish();
    return schedule_;
  }

 private:
  Axis& axis(AxisId id) { return kernel_.axes[static_cast<std::size_t>(id)]; }

  int wished(const std::string& dim) const {
    const auto found = wish_.tile.find(dim);
    return found == wish_.tile.end() ? 0 : found->second;
  }

  /// A tile that the kernel fixes, `blocks(M, 64)` or the unit of a block list, is no choice.
  void must_keep_fixed_tiles() const {
    for (const auto& [dim, tile] : wish_.tile) {
      int fixed = 0;
      bool free = false;
      for (const Axis& axis : kernel_.axes) {
        if (axis.dim != dim || axis.kind == Axis::Kind::whole || axis.follows >= 0) continue;
        if (axis.requested_tile == 0 || axis.requested_tile == tile) free = true;
        fixed = axis.requested_tile;
      }
      if (fixed != 0 && !free) refuse_tile(dim, tile, fixed, "");
    }
  }
  [[noreturn]] static void refuse_tile(const std::string& dim, int tile, int fixed,
                                       const std::string& where) {
    throw Error(errors::passes["tile-fixed-by-kernel"],
                "the kernel fixes the tile of '" + dim + "'",
                {.argument = "tile " + dim,
                 .value = std::to_string(tile),
                 .allowed = std::to_string(fixed),
                 .where = where});
  }

  [[noreturn]] void refuse(const ErrorEntry& entry, const Operation& operation,
                           const std::string& message, const std::string& allowed) const {
    throw Error(entry, message,
                {.argument = std::string(info(operation.op).name),
                 .allowed = allowed,
                 .where = to_string(operation.where)});
  }

  /// The axis of an operand of `dot` that is not contracted.
  AxisId free_axis(const Operation& dot, std::size_t operand) const {
    const auto& axes = kernel_.type(dot.operands[operand]).axes;
    if (axes.size() != 2 || kernel_.type(dot.results[0]).axes.size() != 2)
      refuse(errors::passes["dot-dimensions-unsupported"], dot,
             "dot: a product over more than three dimensions in all",
             "two tiles of two dimensions that have one in common");
    return axes[0] == dot.axis ? axes[1] : axes[0];
  }

  void schedule_tensor_cores() {
    for (const Operation* dot : dots_)
      for (const std::size_t side : {0u, 1u}) free_axis(*dot, side);
    AxisId rows = free_axis(*dots_[0], 0);
    const AxisId other = free_axis(*dots_[0], 1);
    if (axis(rows).kind != Axis::Kind::grid && axis(other).kind == Axis::Kind::grid) rows = other;
    for (Operation* dot : dots_) {
      const DType type = kernel_.type(dot->operands[0]).dtype;
      if (!is_half(type) && type != DType::f32)
        refuse(errors::passes["dot-type-unsupported"], *dot,
               "dot of " + std::string(name(type)) +
                   " operands has no tensor-core instruction in this version",
               "f16, bf16, f32 operands");
      if (free_axis(*dot, 1) == rows) std::swap(dot->operands[0], dot->operands[1]);
    }
    kernel_.layout = {.row_axis = rows,
                      .lanes_per_row = 4,
                      .vector = 2,
                      .rows_per_thread = 2,
                      .tensor_cores = true};

    other_rows_ = assign_rows(kernel_, rows);
    other_rows_.erase(rows);

    std::set<AxisId> columns;  // loop axes the model sizes
    for (std::size_t id = 0; id < kernel_.axes.size(); ++id)
      if (kernel_.axes[id].kind != Axis::Kind::whole && kernel_.axes[id].follows < 0 &&
          !fills_rows(static_cast<AxisId>(id), rows))
        columns.insert(static_cast<AxisId>(id));

    const auto candidate_rows = row_candidates(rows);
    stages_ = wish_.stages > 0 ? wish_.stages : 2;
    std::string why;
    for (const auto& [most, products] : {std::pair(tile_registers, body_products),
                                         std::pair(most_tile_registers, 4 * body_products)})
      for (int stages = stages_; stages >= 1; --stages)
        for (const int warps : candidate_rows)
          for (const int width : {128, 96, 64, 48, 32, 16}) {
            apply(rows, columns, warps, width);
            const int registers = registers_of_tiles(), shared = shared_bytes(stages);
            // Whoever asks for a tile may pay for it in registers, not in shared memory that is not
            // there.
            const bool fits =
                rows_fit(rows) && shared <= target_.shared_limit &&
                ((registers <= most && products_of_body() <= products) || any_wish(columns));
            if (!fits) {
              if (why.empty())
                why = "first choice of " + std::to_string(warps * warp_rows) + "x" +
                      std::to_string(tile_of(columns)) + " takes " + std::to_string(registers) +
                      " tile registers, " + std::to_string(products_of_body()) +
                      " products a warp and " + std::to_string(shared) +
                      " bytes of shared memory (limits " + std::to_string(tile_registers) + ", " +
                      std::to_string(body_products) + ", " + std::to_string(target_.shared_limit) +
                      ")";
              continue;
            }
            stages_ = stages;
            schedule_.warps = warps;
            schedule_.why = why;
            place_left_operands(registers);
            return;
          }
    if (const int smallest = shared_bytes(1); smallest > target_.shared_limit)
      throw Error(errors::passes["tiles-do-not-fit"],
                  "no tile of this kernel fits the target's shared memory",
                  {.argument = kernel_.name,
                   .value = std::to_string(smallest) + " bytes for the smallest tile",
                   .allowed = "at most " + std::to_string(target_.shared_limit) + " bytes"});
    throw Error(errors::passes["warps-do-not-fit"],
                "no number of warps gives every dimension that runs over warps its rows",
                {.argument = kernel_.name,
                 .value = why,
                 .allowed = "dimensions whose tiles have equally many rows, at most 16 for each of "
                            "16 warps"});
  }

  /// A left operand that stays for a whole loop lives in registers where they are free: it is read
  /// from shared memory once and not with every tile.
  void place_left_operands(int registers) {
    for (const auto& operation : kernel_.body.operations) {
      if (!may_be_copied(kernel_, *operation)) continue;
      const ValueId value = operation->results[0];
      bool is_left = false;
      for (const Operation* dot : dots_) is_left |= dot->operands[0] == value;
      if (!is_left) continue;
      const std::string& given = kernel_.values[static_cast<std::size_t>(value)].name;
      const std::string name = given.empty() ? operation->name : given;
      const int own = elements(kernel_.type(value).axes) / kernel_.layout.threads() / 2;
      if (!is_half(kernel_.type(value).dtype)) continue;
      const auto wished = wish_.place.find(name);
      if (wished != wish_.place.end() && wished->second != "operand_a" &&
          wished->second != "shared")
        throw Error(
            errors::passes["place-invalid"], "'" + name + "' cannot live there",
            {.argument = "place " + name, .value = wished->second, .allowed = "operand_a, shared"});
      const bool fits = registers + own <= tile_registers;
      if (fits) registers += own;
      schedule_.place[name] = wished != wish_.place.end() ? wished->second
                              : fits                      ? "operand_a"
                                                          : "shared";
    }
  }

  /// Whether the tile of an axis, by this name or another, runs over warps.
  bool fills_rows(AxisId id, AxisId rows) {
    for (std::size_t other = 0; other < kernel_.axes.size(); ++other) {
      const Axis& one = kernel_.axes[other];
      const auto own = static_cast<AxisId>(other);
      if (kernel_.leader(own) == id && one.before + one.after == 0 &&
          (own == rows || other_rows_.contains(own)))
        return true;
    }
    return false;
  }
  /// The tile that was asked for, of an axis or the one it follows; 0: none.
  int asked_tile(AxisId id) {
    const Axis& leader = axis(kernel_.leader(id));
    return leader.requested_tile > 0 ? leader.requested_tile : wished(leader.dim);
  }
  static int halo(const Axis& axis) { return axis.before + axis.after; }

  std::vector<int> row_candidates(AxisId rows) {
    int fixed = halo(axis(rows)) == 0 ? asked_tile(rows) : 0;
    if (axis(rows).kind == Axis::Kind::whole) fixed = round_up(axis(rows).tile, warp_rows);
    if (fixed == 0 && wish_.warps > 0) fixed = wish_.warps * warp_rows;
    if (fixed == 0)
      return other_rows_.empty() ? std::vector<int>{8, 4, 2, 1} : std::vector<int>{4, 8, 16, 2, 1};
    if (fixed % warp_rows != 0 || fixed > 512)
      throw Error(errors::passes["tile-invalid"],
                  "tile of '" + axis(rows).dim + "' does not fill whole warps",
                  {.argument = "tile " + axis(rows).dim,
                   .value = std::to_string(fixed),
                   .allowed = "a multiple of 16 up to 512"});
    if (wish_.warps > 0 && wish_.warps != fixed / warp_rows)
      throw Error(errors::passes["warps-disagree-with-tile"],
                  "each warp holds 16 rows of '" + axis(rows).dim + "'",
                  {.argument = "warps",
                   .value = std::to_string(wish_.warps),
                   .allowed = std::to_string(fixed / warp_rows)});
    return {fixed / warp_rows};
  }

  bool any_wish(const std::set<AxisId>& columns) {
    return std::any_of(columns.begin(), columns.end(), [&](AxisId id) {
      return wished(axis(id).dim) > 0 || axis(id).requested_tile > 0;
    });
  }
  int tile_of(const std::set<AxisId>& columns) {
    return columns.empty() ? 0 : axis(*columns.begin()).tile;
  }

  void apply(AxisId rows, const std::set<AxisId>& columns, int warps, int width) {
    kernel_.layout.warps = warps;
    for (const AxisId id : columns) {
      const int asked = asked_tile(id);
      if (asked > 0 && (asked % 16 != 0 || asked > 512))
        throw Error(errors::passes["tile-invalid"],
                    "tile of '" + axis(id).dim + "' does not fit the tensor cores",
                    {.argument = "tile " + axis(id).dim,
                     .value = std::to_string(asked),
                     .allowed = "a multiple of 16 up to 512"});
      axis(id).tile = axis(id).padded = asked > 0 ? asked : width;
    }
    // Every dimension that runs over warps somewhere has as many rows as the warps hold.
    const int held = warps * warp_rows;
    for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {  // those that follow come later
      const auto id = static_cast<AxisId>(i);
      Axis& own = axis(id);
      if (own.follows >= 0)
        own.tile = axis(own.follows).tile + halo(own);
      else if (own.kind != Axis::Kind::whole && fills_rows(id, rows))
        own.tile = held;
      own.padded =
          id == rows || other_rows_.contains(id) ? held : round_up(std::max(own.tile, 1), 16);
    }
  }
  bool rows_fit(AxisId rows) {
    for (std::size_t i = 0; i < kernel_.axes.size(); ++i) {
      const auto id = static_cast<AxisId>(i);
      if (axis(id).tile > axis(id).padded) return false;
      if (axis(id).kind == Axis::Kind::whole || axis(id).follows >= 0 || !fills_rows(id, rows))
        continue;
      if (const int asked = asked_tile(id); asked != 0 && asked != axis(id).tile) return false;
    }
    return true;
  }

  /// f32 registers per thread of the distinct 2-D products: accumulators and scores.
  int registers_of_tiles() {
    std::set<std::vector<AxisId>> shapes;
    int sum = 0;
    for (const Operation* dot : dots_) {
      auto axes = kernel_.type(dot->results[0]).axes;
      std::sort(axes.begin(), axes.end());
      if (shapes.insert(axes).second) sum += elements(axes) / kernel_.layout.threads();
    }
    return sum;
  }
  /// m16n8k16 products that one warp makes in the dots of the program, each written out once.
  int products_of_body() {
    int sum = 0;
    for (const Operation* dot : dots_)
      sum += elements(kernel_.type(dot->results[0]).axes) / (kernel_.layout.warps * warp_rows) / 8 *
             (axis(dot->axis).padded / 16) *
             (dot->tf32                                            ? tf32_products
              : kernel_.type(dot->operands[0]).dtype == DType::f32 ? f32_products
                                                                   : 1);
    return sum;
  }
  int elements(const std::vector<AxisId>& axes) {
    int product = 1;
    for (const AxisId id : axes) product *= axis(id).padded;
    return product;
  }

  /// Shared memory of every load that feeds a dot: `stages` copies of those a loop replaces.
  int shared_bytes(int stages) {
    int sum = 0;
    std::set<ValueId> seen;
    for (const Operation* dot : dots_)
      for (const std::size_t operand : {0u, 1u}) {
        const ValueId value = dot->operands[operand];
        const Operation* load = definitions_[static_cast<std::size_t>(value)];
        const bool computed = load == nullptr || !may_be_copied(kernel_, *load);
        if (computed && is_fragment_operand(kernel_, *dot, operand)) continue;
        if (!seen.insert(value).second) continue;
        bool looped = false;
        if (!computed)
          for (const auto& index : load->indices)
            looped |=
                index.kind == IndexSpec::Kind::block && axis(index.axis).kind == Axis::Kind::loop;
        if (!computed && ir::picks(*load))
          looped |= axis(kernel_.type(value).axes[0]).kind == Axis::Kind::loop;
        const auto& axes = kernel_.type(value).axes;
        const DType dtype = kernel_.type(value).dtype;
        const int pitch = row_pitch(axis(axes[1]).padded * size_of(dtype) / 16, dtype);
        sum += axis(axes[0]).padded * pitch * 16 * (looped ? stages : 1);
      }
    for (const Operation* take : takes_) {
      if (ir::columns_moved(kernel_, definitions_, *take)) continue;
      const auto& axes = kernel_.type(take->operands[0]).axes;
      sum += elements(axes) * 4 + (axes.size() == 2 ? axis(axes[0]).padded * 16 : 0);
    }
    return sum;
  }

  /// Over the tiles of the first dimension, where the second is used whole.
  bool sums_columns(const std::vector<AxisId>& axes, const std::set<AxisId>& reduced) {
    return reduced.contains(axes[0]) && axis(axes[0]).kind != Axis::Kind::whole &&
           axis(axes[1]).kind == Axis::Kind::whole;
  }

  /// Kernels without tensor cores: a warp (or several) per row, columns spread over lanes in
  /// 16-byte vectors.
  void schedule_pointwise() {
    int widest = 1;
    bool reduces = false;
    std::set<AxisId> used, reduced;
    AxisId rows = -1;
    // A reduction is cheapest along a thread's row, so the other axis goes over warps where there
    // is a choice; not one that is used whole, of which a thread would have to hold every row.
    walk(kernel_.body, [&](Operation& operation) {
      if (is_reduction(operation.op)) reduced.insert(operation.axis);
    });
    walk(kernel_.body, [&](Operation& operation) {
      reduces |= is_reduction(operation.op);
      if (operation.op == Op::load || writes_memory(operation.op)) {
        const Argument* argument = kernel_.find_argument(operation.name);
        if (argument != nullptr) widest = std::max(widest, size_of(argument->dtype));
      }
      for (ValueId result : operation.results)
        for (const AxisId id : kernel_.type(result).axes) used.insert(id);
      for (ValueId result : operation.results)
        if (const auto& axes = kernel_.type(result).axes; axes.size() == 2 && rows < 0)
          rows =
              reduced.contains(axes[0]) != reduced.contains(axes[1]) && !sums_columns(axes, reduced)
                  ? (reduced.contains(axes[0]) ? axes[1] : axes[0])
              : axis(axes[1]).kind == Axis::Kind::grid && axis(axes[0]).kind != Axis::Kind::grid
                  ? axes[1]
                  : axes[0];
    });
    ir::Layout& layout = kernel_.layout;
    layout.vector = std::clamp(16 / widest, 1, 8);
    layout.row_axis = rows;
    for (const AxisId id : used)  // a tile starts at a whole vector
      if (axis(id).kind != Axis::Kind::whole && id != rows)
        while (asked_tile(id) % layout.vector != 0) layout.vector /= 2;
    // Every loop over that dimension has it over warps, in tiles of the same size.
    std::set<AxisId> same;
    for (std::size_t id = 0; rows >= 0 && id < kernel_.axes.size(); ++id)
      if (static_cast<AxisId>(id) == rows ||
          (kernel_.axes[id].dim == axis(rows).dim && kernel_.axes[id].kind == axis(rows).kind &&
           kernel_.axes[id].follows < 0 && axis(rows).follows < 0 &&
           (axis(rows).kind != Axis::Kind::whole || kernel_.axes[id].tile == axis(rows).tile)))
        same.insert(static_cast<AxisId>(id));
    for (ir::Value& value : kernel_.values)
      for (const AxisId id : value.type.axes)
        if (same.contains(id)) value.row_axis = id;
    const int wished_warps = wish_.warps > 0 ? wish_.warps : 0;
    std::set<AxisId> sized;  // those whose tile is chosen
    if (rows >= 0) {
      const AxisId leader = kernel_.leader(rows);
      const bool both_ways = std::any_of(used.begin(), used.end(), [&](AxisId id) {
        return id != rows && kernel_.leader(id) == leader;
      });
      const int fixed = asked_tile(rows);
      int tile = fixed > 0 ? fixed : wished_warps > 0 ? wished_warps : both_ways ? 32 : 4;
      if (axis(rows).kind == Axis::Kind::whole) tile = axis(rows).tile;
      const int held = tile + halo(axis(rows));
      layout.lanes_per_row = 32;
      layout.warps = wished_warps > 0 ? wished_warps : std::clamp(held, 1, 8);
      layout.rows_per_thread = std::max(1, (held + layout.warps - 1) / layout.warps);
      axis(rows).padded = layout.warps * layout.rows_per_thread;
      if (axis(rows).kind != Axis::Kind::whole) {
        axis(leader).tile = fixed > 0 || halo(axis(rows)) > 0 ? tile : axis(rows).padded;
        axis(rows).tile = axis(leader).tile + halo(axis(rows));
        sized.insert(leader);
      }
      for (const AxisId id : same) {
        axis(id).tile = axis(rows).tile, axis(id).padded = axis(rows).padded;
        sized.insert(id);
      }
    } else {
      // One dimension only: all threads side by side, unless a reduction must stay within one warp.
      layout.warps = reduces ? 1 : (wished_warps > 0 ? wished_warps : 4);
      layout.lanes_per_row = 32 * layout.warps;
      layout.rows_per_thread = 1;
      if (reduces && wished_warps > 1) schedule_.why = "one warp: a reduction stays within it";
    }
    schedule_.warps = layout.warps;
    stages_ = 1;
    const int unit = layout.lanes_per_row * layout.vector;
    for (const AxisId id : used) {
      if (same.contains(id)) continue;
      Axis &column = axis(id), &leader = axis(kernel_.leader(id));
      if (column.kind != Axis::Kind::whole) {
        const int asked = asked_tile(id);
        if (sized.insert(kernel_.leader(id)).second) leader.tile = asked > 0 ? asked : unit;
        column.tile = leader.tile + halo(column);
      }
      column.padded = round_up(std::max(column.tile, 1), unit);
      if (column.padded / unit * layout.vector * layout.rows_per_thread > 256)
        throw Error(
            errors::passes["tile-exceeds-registers"],
            "a tile over the whole of '" + column.dim +
                "' does not fit the registers of its threads",
            {.argument = "tile " + column.dim,
             .value = std::to_string(column.tile),
             .allowed = "at most " +
                        std::to_string(256 / (layout.vector * layout.rows_per_thread) * unit) +
                        " elements; walk longer ones with for_blocks"});
    }
  }

  bool runs_over_warps(const Operation& operation) const {
    return is_reduction(operation.op) &&
           operation.axis ==
               kernel_.values[static_cast<std::size_t>(operation.operands[0])].row_axis;
  }

  /// How f32 products are made is asked for, never chosen: the fast way costs accuracy.
  void choose_products() {
    schedule_.dot_precision = wish_.dot_precision;
    if (wish_.dot_precision != "tf32") return;
    bool any = false;
    for (Operation* dot : dots_) {
      dot->tf32 = kernel_.type(dot->operands[0]).dtype == DType::f32;
      any |= dot->tf32;
    }
    if (!any)
      throw Error(errors::passes["tf32-without-f32"],
                  "kernel '" + kernel_.name + "' has no product of f32 to make faster",
                  {.argument = "dot_precision", .value = "tf32", .allowed = "f32"});
  }

  void finish() {
    walk(kernel_.body, [&](Operation& operation) {
      operation.across_warps = runs_over_warps(operation);
      if (operation.op != Op::for_blocks) return;
      if (const Axis& own = axis(operation.axis);
          operation.follows_list() && own.tile != own.requested_tile)
        refuse_tile(own.dim, own.tile, own.requested_tile, to_string(operation.where));
      walk(*operation.regions[0], [&](Operation& inner) {
        if (runs_over_warps(inner))
          refuse(errors::passes["reduction-in-mask"], inner,
                 "a reduction over '" + axis(inner.axis).dim +
                     "', which runs over warps, can't stand in a mask",
                 "a value made in front of the loop");
      });
    });
    for (Axis& axis : kernel_.axes) {
      if (axis.tile == 0) axis.tile = 1;
      if (axis.follows >= 0) axis.tile = this->axis(axis.follows).tile + halo(axis);
      if (axis.padded == 0) axis.padded = axis.tile;
      const auto bound = kernel_.bound.find(axis.dim);
      if (axis.follows < 0 && (axis.kind != Axis::Kind::whole || bound == kernel_.bound.end() ||
                               bound->second == axis.tile))
        schedule_.tile[axis.dim] = axis.tile;
    }
    schedule_.stages = stages_;
    schedule_.lanes_per_row = kernel_.layout.lanes_per_row;
    schedule_.vector = kernel_.layout.vector;
  }

  ir::Kernel& kernel_;
  const Target& target_;
  const ir::Schedule& wish_;
  ir::Schedule schedule_;
  std::vector<Operation*> dots_, takes_;
  const std::vector<Operation*> definitions_ = ir::definitions(kernel_);
  std::set<AxisId> other_rows_;  ///< axes besides the kernel's rows that run over warps
  int stages_ = 2;
};

}  // namespace

ir::Schedule choose_schedule(ir::Kernel& kernel, const Target& target, const ir::Schedule& wish) {
  return Scheduler(kernel, target, wish).run();
}

}  // namespace tilewright::passes
