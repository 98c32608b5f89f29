// Every value gets its place; every shared buffer a row pitch without bank conflicts and an offset.
//
// ldmatrix reads 8 rows of 16 bytes at once, and they must fall into 8 different groups of 4 banks.
// Rows of a multiple of 8 chunks permute their chunks by the row number (chunk ^ row % 8); others
// get an odd pitch, which spreads 8 consecutive rows by itself.
#include <algorithm>
#include <map>
#include <set>

#include "ir/row_addresses.hpp"
#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

constexpr int chunk_bytes = 16;

/// A buffer's life in operations of the kernel's body, both ends included.
struct Life {
  ValueId buffer = no_value;
  std::size_t first = 0, last = 0;
};

class Placer {
 public:
  Placer(ir::Kernel& kernel, const Target& target) : kernel_(kernel), target_(target) {}

  void run() {
    stage_stores();
    shape_buffers();
    place_buffers();
    for (std::size_t id = 0; id < kernel_.values.size(); ++id) {
      ir::Value& value = kernel_.values[id];
      if (value.type.kind != ir::Type::Kind::tile || value.place.kind != ir::Place::Kind::unplaced)
        continue;
      value.place.kind =
          value.type.axes.empty() ? ir::Place::Kind::uniform : ir::Place::Kind::fragment;
    }
    walk(kernel_.body, [&](Operation& operation) {
      if (operation.op != Op::operand_load ||
          value(operation.results[0]).place.kind == ir::Place::Kind::operand_a)
        return;
      value(operation.results[0]).place = value(operation.operands[0]).place;
    });
  }

 private:
  ir::Value& value(ValueId id) { return kernel_.values[static_cast<std::size_t>(id)]; }

  /// A 16-bit tile in accumulator layout is stored in 16-byte pieces, through shared memory.
  void stage_stores() {
    if (!kernel_.aligned || !kernel_.layout.tensor_cores) return;
    auto& operations = kernel_.body.operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      Operation& store = *operations[i];
      if (store.op != Op::store) continue;
      const Argument* tensor = kernel_.find_argument(store.name);
      const auto& axes = kernel_.type(store.operands[0]).axes;
      if (tensor == nullptr || !is_half(tensor->dtype) || axes.size() != 2) continue;
      if (!ir::has_row_addresses(kernel_, store, axes[0])) continue;
      if (axes[0] != value(store.operands[0]).row_axis || store.indices.back().axis != axes[1])
        continue;
      if (!in_whole_pieces(store)) continue;
      ir::Type type{.kind = ir::Type::Kind::buffer, .dtype = tensor->dtype, .axes = axes};
      auto alloc = make(kernel_, Op::shared_alloc, type, {}, store.where);
      value(alloc->results[0]).name = store.name;
      value(alloc->results[0]).place.kind = ir::Place::Kind::shared;
      store.operands.push_back(alloc->results[0]);
      staged_.insert(alloc->results[0]);
      operations.insert(operations.begin() + static_cast<std::ptrdiff_t>(i), std::move(alloc));
      ++i;
    }
  }

  /// Neighbours stand side by side from a 16-byte boundary on, and none outside of the tensor.
  bool in_whole_pieces(const Operation& store) const {
    for (std::size_t i = 0; i < store.indices.size(); ++i) {
      const ir::Index& index = store.indices[i];
      if (index.axis < 0) continue;
      const ir::Axis& axis = kernel_.axes[static_cast<std::size_t>(index.axis)];
      const bool kept_larger = axis.kind != ir::Axis::Kind::whole && axis.padded > axis.tile;
      if (index.step != 1 || kept_larger || axis.before > 0 || kernel_.may_leave(store, i))
        return false;
    }
    return store.indices.back().offset % (chunk_bytes / 2) == 0;
  }

  void shape_buffers() {
    for (ir::Value& buffer : kernel_.values) {
      if (buffer.type.kind != ir::Type::Kind::buffer || buffer.place.bytes != 0) continue;
      if (buffer.type.axes.size() == 1) {
        const int padded = kernel_.axes[static_cast<std::size_t>(buffer.type.axes[0])].padded;
        buffer.place.bytes = (padded * size_of(buffer.type.dtype) + 15) / 16 * 16;
        continue;
      }
      const auto padded = [&](std::size_t which) {
        return kernel_.axes[static_cast<std::size_t>(buffer.type.axes[which])].padded;
      };
      const int chunks = (padded(1) * size_of(buffer.type.dtype) + chunk_bytes - 1) / chunk_bytes;
      buffer.place.swizzle = permutes_chunks(chunks, buffer.type.dtype) ? 1 : 0;
      buffer.place.row_chunks = row_pitch(chunks, buffer.type.dtype);
      buffer.place.bytes = padded(0) * buffer.place.row_chunks * chunk_bytes * buffer.place.stages;
    }
  }

  std::vector<Life> lives() {
    std::vector<Life> found;
    std::map<ValueId, ValueId> source;  // what reads through operand_load -> buffer
    const auto& operations = kernel_.body.operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const auto note = [&](const Operation& operation) {
        if (operation.op == Op::operand_load) source[operation.results[0]] = operation.operands[0];
        for (ValueId operand : operation.operands) {
          if (const auto through = source.find(operand); through != source.end())
            operand = through->second;
          for (Life& life : found)
            if (life.buffer == operand) life.last = i;
        }
      };
      const auto begin = [&](const Operation& operation) {
        if (operation.op == Op::shared_alloc || operation.op == Op::convert_layout)
          found.push_back({operation.results[0], i, i});
      };
      begin(*operations[i]);
      for (const auto& inner : operations[i]->regions)
        walk(static_cast<const Region&>(*inner), begin);
      note(*operations[i]);
      for (const auto& inner : operations[i]->regions)
        walk(static_cast<const Region&>(*inner), note);
    }
    return found;
  }

  /// Whether `staged`, a tile on its way out, overwrites of `operand` only what its own warp has
  /// read: the same rows at the same place, copied in a loop (which has waited for them by then)
  /// and multiplied from the left.
  bool keeps_to_its_warp(ValueId staged, ValueId operand) {
    const ir::Place &to = value(staged).place, &from = value(operand).place;
    const ir::AxisId rows = kernel_.layout.row_axis;
    if (!staged_.count(staged) || to.offset != from.offset || to.row_chunks != from.row_chunks ||
        to.swizzle != from.swizzle || to.bytes > from.bytes / from.stages ||
        value(staged).type.axes[0] != rows || value(operand).type.axes[0] != rows)
      return false;
    bool keeps = true, moves = false;
    std::set<ValueId> reads;
    for (const auto& operation : kernel_.body.operations)
      keeps &= operation->op != Op::copy_async || operation->operands[0] != operand;
    walk(kernel_.body, [&](const Operation& operation) {
      const auto has = [&](std::size_t side) { return reads.count(operation.operands[side]) != 0; };
      if (operation.op == Op::operand_load && operation.operands[0] == operand)
        reads.insert(operation.results[0]);
      moves |= operation.op == Op::copy_async && operation.operands[0] == operand;
      for (std::size_t side = 0; side < operation.operands.size(); ++side)
        keeps &= !has(side) || (operation.op == Op::dot && side == 0);
    });
    return keeps && moves;
  }

  /// First fit in the order of the program. A buffer over the memory of an earlier, dead one needs
  /// a barrier before its first write: slower warps may still read the old contents.
  void place_buffers() {
    const auto all = lives();
    std::vector<Life> placed;
    std::vector<std::size_t> barriers;
    for (const Life& life : all) {
      ir::Place& place = value(life.buffer).place;
      int offset = 0;
      for (bool moved = true; moved;) {
        moved = false;
        for (const Life& other : placed) {
          const ir::Place& taken = value(other.buffer).place;
          const bool together = other.last >= life.first && life.last >= other.first;
          if (together && offset < taken.offset + taken.bytes &&
              taken.offset < offset + place.bytes) {
            offset = (taken.offset + taken.bytes + 1023) / 1024 * 1024;
            moved = true;
          }
        }
      }
      place.offset = offset;
      kernel_.shared_bytes = std::max(kernel_.shared_bytes, offset + place.bytes);
      const bool reuses = std::any_of(placed.begin(), placed.end(), [&](const Life& other) {
        const ir::Place& taken = value(other.buffer).place;
        return offset < taken.offset + taken.bytes && taken.offset < offset + place.bytes &&
               !keeps_to_its_warp(life.buffer, other.buffer);
      });
      if (reuses) barriers.push_back(life.first);
      placed.push_back(life);
    }
    if (kernel_.shared_bytes > target_.shared_limit)
      throw Error(errors::passes["tiles-do-not-fit"],
                  "the kernel's tiles do not fit the target's shared memory",
                  {.argument = kernel_.name,
                   .value = std::to_string(kernel_.shared_bytes) + " bytes",
                   .allowed = "at most " + std::to_string(target_.shared_limit) +
                              " bytes; smaller tiles or fewer stages"});
    std::sort(barriers.rbegin(), barriers.rend());
    barriers.erase(std::unique(barriers.begin(), barriers.end()), barriers.end());
    for (const std::size_t at : barriers) {
      const auto position = kernel_.body.operations.begin() + static_cast<std::ptrdiff_t>(at);
      const Provenance where = (*position)->where;
      auto barrier = std::make_unique<Operation>();
      barrier->op = Op::barrier;
      barrier->where = where;
      const auto behind = kernel_.body.operations.insert(position, std::move(barrier));
      // What was copied for a loop that never ran may still be on its way into this memory.
      auto wait = std::make_unique<Operation>();
      wait->op = Op::wait;
      wait->where = where;
      for (std::size_t i = 0; i < at; ++i)
        if (const Operation& copy = *kernel_.body.operations[i];
            copy.op == Op::copy_async && copy.sign_of == no_value)
          wait->operands.push_back(copy.results[0]);
      if (!wait->operands.empty()) kernel_.body.operations.insert(behind, std::move(wait));
    }
  }

  ir::Kernel& kernel_;
  const Target& target_;
  std::set<ValueId> staged_;  ///< buffers through which tiles are stored
};

}  // namespace

void place_values(ir::Kernel& kernel, const Target& target) { Placer(kernel, target).run(); }

}  // namespace tilewright::passes
