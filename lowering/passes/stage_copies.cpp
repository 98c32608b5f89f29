// Tiles that feed the tensor cores travel through shared memory. A tile loaded once gets one
// buffer; a tile that changes with its loop gets a ring of `stages` buffers, filled `stages - 1`
// tiles ahead.
// Long file: copies, waits and barriers depend on one another, in loops and outside.
//
// Within a ring one wait and one barrier per tile are enough: after them every thread's copies of
// this tile are visible, and every thread has left the tile before, whose buffer the next copy
// overwrites. Older copies (a tile loaded in front of the loop) are complete by then as well,
// because copies complete in the order they were issued, so they need no wait of their own.
#include <algorithm>
#include <map>
#include <set>

#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "passes/rewrite.hpp"
#include "tilewright/error.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;
using List = std::vector<std::unique_ptr<Operation>>;

class CopyStager {
 public:
  CopyStager(ir::Kernel& kernel, const ir::Schedule& schedule)
      : kernel_(kernel), schedule_(schedule) {}

  void run() {
    collect(kernel_.body);
    if (!operands_.empty()) stage(kernel_.body, nullptr);
    walk(kernel_.body, [&](Operation& operation) {
      if (operation.op == Op::operand_load) shared_reads_.insert(operation.results[0]);
    });
    convert(kernel_.body, false);
    drop_dead(kernel_);
  }

 private:
  /// Loads that a dot reads directly.
  void collect(Region& region) {
    walk(kernel_.body, [&](Operation& operation) {
      for (ValueId result : operation.results) definition_[result] = &operation;
    });
    walk(region, [](Operation& branch) {
      if (branch.op != Op::when) return;
      walk(*branch.regions[0], [](Operation& dot) {
        if (dot.op == Op::dot)
          throw Error(errors::passes["dot-inside-when"],
                      "dot inside when is not built in this version",
                      {.argument = "dot",
                       .allowed = "dot before the when, or a mask on the loop",
                       .where = to_string(dot.where)});
      });
    });
    walk(region, [&](Operation& dot) {
      if (dot.op != Op::dot) return;
      for (const std::size_t side : {0u, 1u}) {
        const auto from = definition_.find(dot.operands[side]);
        if (from != definition_.end() && may_be_copied(kernel_, *from->second))
          operands_.insert(dot.operands[side]);
      }
    });
  }

  /// Computed operands that are not in place where they are go through shared memory: written
  /// before the dot that reads them first, between two barriers. In a loop the barrier at the top,
  /// or the one at the end, keeps the next round's write behind this round's reads; a loop that has
  /// neither gets one.
  void convert(Region& region, bool in_loop) {
    std::map<ValueId, ValueId> in_shared;  // tile -> what reads it from shared memory
    bool has_barrier = !in_loop;
    for (const auto& operation : region.operations) has_barrier |= operation->op == Op::barrier;
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& dot = *region.operations[i];
      for (auto& inner : dot.regions) convert(*inner, true);
      if (dot.op != Op::dot) continue;
      List writes, reads;
      for (const std::size_t side : {0u, 1u}) {
        const ValueId tile = dot.operands[side];
        if (shared_reads_.count(tile) != 0 || is_fragment_operand(kernel_, dot, side)) continue;
        auto known = in_shared.find(tile);
        if (known == in_shared.end()) {
          ir::Type type = kernel_.type(tile);
          auto read = make(kernel_, Op::operand_load, type, {}, dot.where);
          type.kind = ir::Type::Kind::buffer;
          auto write = make(kernel_, Op::convert_layout, type, {tile}, dot.where);
          ir::Value& buffer = kernel_.values[static_cast<std::size_t>(write->results[0])];
          const std::string& name = kernel_.values[static_cast<std::size_t>(tile)].name;
          buffer.name = name.empty() ? "operand" : name;
          buffer.place.kind = ir::Place::Kind::shared;
          read->operands = {write->results[0]};
          shared_reads_.insert(read->results[0]);
          known = in_shared.emplace(tile, read->results[0]).first;
          writes.push_back(std::move(write));
          reads.push_back(std::move(read));
        }
        dot.operands[side] = known->second;
      }
      if (writes.empty()) continue;
      if (!has_barrier) writes.insert(writes.begin(), barrier(dot));
      has_barrier = true;
      writes.push_back(barrier(dot));
      move_into(writes, reads);
      const std::size_t count = writes.size();
      insert(region, i, writes);
      i += count;
    }
  }

  ValueId buffer_for(const Operation& load, int stages, List& before) {
    const ValueId value = load.results[0];
    ir::Type type = kernel_.type(value);
    type.kind = ir::Type::Kind::buffer;
    auto alloc = make(kernel_, Op::shared_alloc, type, {}, load.where);
    const ValueId buffer = alloc->results[0];
    ir::Value& made = kernel_.values[static_cast<std::size_t>(buffer)];
    const ir::Value& source = kernel_.values[static_cast<std::size_t>(value)];
    made.name = source.name.empty() ? load.name : source.name;
    made.place.kind = ir::Place::Kind::shared;
    made.place.stages = stages;
    before.push_back(std::move(alloc));
    return buffer;
  }

  std::unique_ptr<Operation> copy_of(const Operation& load, ValueId buffer, int ahead) {
    auto copy =
        make(kernel_, Op::copy_async, {.kind = ir::Type::Kind::token}, {buffer}, load.where);
    copy->name = load.name;
    copy->indices = load.indices;
    copy->stage_ahead = ahead;
    // The sign of a folded factor rides on the copy of the dot's left operand.
    walk(kernel_.body, [&](Operation& dot) {
      if (dot.op == Op::dot && dot.sign_of >= 0 && dot.operands[0] == load.results[0]) {
        copy->sign_of = dot.sign_of;
        dot.sign_of = no_value;
      }
    });
    return copy;
  }

  /// Replaces the operand loads of `region` by copies and reads.
  void stage(Region& region, const Operation* loop) {
    if (loop == nullptr) {
      stage_outside(region);
    } else {
      stage_inside(region, *loop);
    }
    // This loop's buffers stand in front of it, those of a loop inside it in front of that one.
    List own = std::move(pending_allocations_);
    pending_allocations_.clear();
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      Operation& inner = *region.operations[i];
      if (inner.op != Op::for_blocks && inner.op != Op::for_range) continue;
      stage(*inner.regions.back(), &inner);
      const std::size_t count = pending_allocations_.size();
      insert(region, i, pending_allocations_);
      i += count;
    }
    pending_allocations_ = std::move(own);
  }

  /// Tiles loaded outside every loop are copied right before what reads them first. A loop waits
  /// for them with its own tiles; a dot out here waits itself, once for both its operands.
  void stage_outside(Region& region) {
    const std::size_t known = outer_.size();
    for (std::size_t i = 0; i < region.operations.size(); ++i) {
      if (!is_operand(*region.operations[i])) continue;
      const Operation& load = *region.operations[i];
      const ValueId value = load.results[0];
      std::size_t reader = i + 1;
      while (reader < region.operations.size() && !uses(*region.operations[reader], value))
        ++reader;
      List list;
      const ValueId buffer = buffer_for(load, 1, list);
      auto copy = copy_of(load, buffer, 0);
      outer_.push_back({value, buffer, copy->results[0]});
      list.push_back(std::move(copy));
      insert(region, reader, list);
    }
    std::vector<Outer> unread(outer_.begin() + static_cast<std::ptrdiff_t>(known), outer_.end());
    for (std::size_t at = 0; at < region.operations.size() && !unread.empty(); ++at) {
      const Operation& dot = *region.operations[at];
      if (dot.op != Op::dot) continue;
      const auto now = std::stable_partition(unread.begin(), unread.end(), [&](const Outer& outer) {
        return !uses_directly(dot, outer.value);
      });
      if (now == unread.end()) continue;
      std::vector<ValueId> tokens;
      List reads;
      for (auto outer = now; outer != unread.end(); ++outer) {
        tokens.push_back(outer->token);
        reads.push_back(read_of(*outer, dot));
        for (std::size_t later = at; later < region.operations.size(); ++later)
          read_instead(*region.operations[later], outer->value, reads.back()->results[0]);
      }
      unread.erase(now, unread.end());
      List list;
      list.push_back(wait_for(std::move(tokens), 0, dot));
      list.push_back(barrier(dot));
      move_into(list, reads);
      const std::size_t count = list.size();
      insert(region, at, list);
      at += count;
    }
  }

  void stage_inside(Region& region, const Operation& loop) {
    const bool ring = loop.op == Op::for_blocks;
    const int stages = ring ? std::max(1, schedule_.stages) : 1;
    // All tiles of a loop run ahead together or none does: one wait then covers them all.
    bool moves = ring && stages > 1, own = false;
    for (const auto& operation : region.operations)
      if (is_operand(*operation)) {
        moves &= follows(*operation, loop, region);
        own = true;
      }
    const bool ahead = own && moves, alone = own && !moves;
    List copies, reads, outer_reads;
    std::vector<ValueId> waited;
    for (const Outer& outer : outer_) {
      bool used = false;
      for (const auto& operation : region.operations)
        used |= operation->op == Op::dot && uses_directly(*operation, outer.value);
      if (!used) continue;
      waited.push_back(outer.token);
      auto read = read_of(outer, loop);
      const ValueId result = read->results[0];
      // In registers for the whole loop, where the loop has a round before its first tile to read
      // it.
      if (ahead && in_registers(outer))
        kernel_.values[static_cast<std::size_t>(result)].place.kind = ir::Place::Kind::operand_a;
      walk(region, [&](Operation& operation) { read_instead(operation, outer.value, result); });
      outer_reads.push_back(std::move(read));
    }
    for (const auto& operation : region.operations) {
      if (!is_operand(*operation)) continue;
      const Operation& load = *operation;
      const ValueId buffer = buffer_for(load, moves ? stages : 1, pending_allocations_);
      auto copy = copy_of(load, buffer, moves ? stages - 1 : 0);
      auto read = make(kernel_, Op::operand_load, kernel_.type(load.results[0]),
                       {buffer, copy->results[0]}, load.where);
      waited.push_back(copy->results[0]);
      reads.push_back(std::move(read));
      copies.push_back(std::move(copy));
    }
    for (std::size_t i = 0; i < reads.size(); ++i) {
      const auto is_source = [&](const std::unique_ptr<Operation>& operation) {
        return is_operand(*operation) && operation->name == copies[i]->name &&
               operation->indices == copies[i]->indices;
      };
      for (const auto& operation : region.operations)
        if (is_source(operation)) retarget(operation->results[0], reads[i]->results[0]);
    }
    if (waited.empty()) return;
    List body;
    // A copy with stage_ahead k stands where its tile is used and is issued k tiles earlier, after
    // that tile's barrier: the emitter runs it ahead.
    move_into(body, copies);
    body.push_back(wait_for(waited, ahead ? stages - 2 : 0, loop));
    body.push_back(barrier(loop));
    move_into(body, outer_reads);
    move_into(body, reads);
    insert(region, scalars_end(region), body);
    if (alone) {  // the next tile's copies overwrite what slower warps may still be reading
      List last;
      last.push_back(barrier(loop));
      insert(region, region.operations.size() - 1, last);
    }
  }

  bool is_operand(const Operation& operation) const {
    return operation.op == Op::load && operands_.count(operation.results[0]) != 0;
  }

  /// A dot's operands come from shared memory; who else reads the tile has it in registers.
  static void read_instead(Operation& operation, ValueId tile, ValueId read) {
    if (operation.op != Op::dot) return;
    for (const std::size_t side : {0u, 1u})
      if (operation.operands[side] == tile) operation.operands[side] = read;
  }

  static bool uses(const Operation& operation, ValueId value) {
    bool found = std::find(operation.operands.begin(), operation.operands.end(), value) !=
                 operation.operands.end();
    for (const auto& inner : operation.regions)
      walk(static_cast<const Region&>(*inner),
           [&](const Operation& nested) { found |= uses_directly(nested, value); });
    return found;
  }
  static bool uses_directly(const Operation& operation, ValueId value) {
    return std::find(operation.operands.begin(), operation.operands.end(), value) !=
           operation.operands.end();
  }

  static void insert(Region& region, std::size_t at, List& list) {
    region.operations.insert(region.operations.begin() + static_cast<std::ptrdiff_t>(at),
                             std::make_move_iterator(list.begin()),
                             std::make_move_iterator(list.end()));
    list.clear();
  }

  std::unique_ptr<Operation> wait_for(std::vector<ValueId> tokens, int pending,
                                      const Operation& near) {
    auto wait = std::make_unique<Operation>();
    wait->op = Op::wait;
    wait->operands = std::move(tokens);
    wait->pending = pending;
    wait->where = near.where;
    return wait;
  }

  static void move_into(List& list, List& from) {
    for (auto& operation : from) list.push_back(std::move(operation));
    from.clear();
  }

  std::unique_ptr<Operation> barrier(const Operation& near) {
    auto made = std::make_unique<Operation>();
    made->op = Op::barrier;
    made->where = near.where;
    return made;
  }

  /// How many leading operations are scalars that the copies' addresses may need.
  std::size_t scalars_end(const Region& region) const {
    std::set<ValueId> needed;
    std::size_t end = 0;
    for (std::size_t i = 0; i < region.operations.size(); ++i)
      for (const auto& index : region.operations[i]->indices)
        if (operands_.count(region.operations[i]->results.empty()
                                ? no_value
                                : region.operations[i]->results[0]))
          needed.insert(index.value);
    for (std::size_t i = 0; i < region.operations.size(); ++i)
      for (ValueId result : region.operations[i]->results)
        if (needed.count(result)) end = i + 1;
    return end;
  }

  /// Whether the tile changes with the loop, and its address is known ahead of time: every scalar
  /// index, and every number a tile of indices is made from, comes from outside the loop.
  bool follows(const Operation& load, const Operation& loop, const Region& body) const {
    bool moves = false;
    for (const auto& index : load.indices) {
      if (index.kind == IndexSpec::Kind::block && kernel_.leader(index.axis) == loop.axis)
        moves = true;
      if (index.value == no_value) continue;
      if (!known_ahead(index.value, body)) return false;
      moves |= has_axis(kernel_, index.value, loop.axis);
    }
    return moves;
  }
  bool known_ahead(ValueId value, const Region& body) const {
    if (!defined_in(body, value)) return true;
    const auto from = definition_.find(value);
    if (is_uniform(kernel_, value) || from == definition_.end()) return false;
    const auto& operands = from->second->operands;
    const auto& indices = from->second->indices;
    return std::all_of(operands.begin(), operands.end(),
                       [&](ValueId operand) { return known_ahead(operand, body); }) &&
           std::all_of(indices.begin(), indices.end(), [&](const ir::Index& index) {
             return index.value == no_value || known_ahead(index.value, body);
           });
  }

  /// A tile that was copied in front of the loops.
  struct Outer {
    ValueId value, buffer, token;
  };
  std::unique_ptr<Operation> read_of(const Outer& outer, const Operation& near) {
    return make(kernel_, Op::operand_load, kernel_.type(outer.value), {outer.buffer, outer.token},
                near.where);
  }

  bool in_registers(const Outer& outer) const {
    const std::string& name = kernel_.values[static_cast<std::size_t>(outer.buffer)].name;
    const auto place = schedule_.place.find(name);
    return place != schedule_.place.end() && place->second == "operand_a";
  }

  void retarget(ValueId from, ValueId to) {
    walk(kernel_.body, [&](Operation& dot) {
      if (dot.op != Op::dot) return;
      for (ValueId& operand : dot.operands)
        if (operand == from) operand = to;
    });
  }

  ir::Kernel& kernel_;
  const ir::Schedule& schedule_;
  std::map<ValueId, const Operation*> definition_;  ///< as it was before any copy was made
  std::set<ValueId> operands_;
  std::set<ValueId> shared_reads_;  ///< tiles that are read from shared memory already
  std::vector<Outer> outer_;
  List pending_allocations_;
};

}  // namespace

void stage_copies(ir::Kernel& kernel, const ir::Schedule& schedule) {
  CopyStager(kernel, schedule).run();
}

}  // namespace tilewright::passes
