// The interpreter's control: programs of the grid, regions, loops over tiles, memory. Values are
// shared tiles in a table by id, so that carrying one through a loop costs nothing (interpret.hpp).
#include "ir/interpret.hpp"

#include <tuple>

#include "ir/errors.hpp"
#include "ir/program_state.hpp"

namespace tilewright::ir {

namespace {

class Interpreter : protected ProgramState {
 public:
  using ProgramState::ProgramState;

  void all() {
    resolve_extents();
    std::int64_t programs = 1;
    for (const auto& operation : kernel_.body.operations)
      if (operation->op == Op::each || operation->op == Op::block) {
        grid_.emplace_back(operation.get(), programs_along(*operation));
        programs *= grid_.back().second;
      }
    for (std::int64_t program = 0; program < programs; ++program) {
      std::int64_t rest = program;
      for (auto it = grid_.rbegin(); it != grid_.rend(); ++it) {
        values_[at(it->first->results[0])] = number(rest % it->second);
        rest /= it->second;
      }
      region(kernel_.body);
    }
  }

 protected:
  void region(const Region& region) {
    for (const auto& operation : region.operations)
      if (operation->op != Op::yield) execute(*operation);
  }

  void execute(const Operation& op) {
    switch (op.op) {
      case Op::each:
      case Op::block:
      case Op::wait:
      case Op::barrier:
      case Op::shared_alloc: return;
      case Op::store:
      case Op::atomic_add: return store(op);
      case Op::for_blocks: return op.follows_list() ? listed_blocks(op) : for_blocks(op);
      case Op::for_range: return for_range(op);
      case Op::when: return when(op);
      case Op::copy_async: copies_[op.operands[0]] = &op; return;
      default: break;
    }
    values_[at(op.results[0])] = op.sunk && in_full_tile() ? nullptr : result(op);
  }

  TilePointer result(const Operation& op) {
    const Type& type = kernel_.type(op.results[0]);
    switch (op.op) {
      case Op::constant: {
        TileData made = empty(type);
        made.fill(op.constant);
        return share(std::move(made));
      }
      case Op::scalar_argument: {
        TileData made = empty(type);
        made.fill(inputs_.scalars.at(op.name));
        return share(std::move(made));
      }
      case Op::extent: return number(extent(op.name));
      case Op::index: {
        TileData made = empty(type);
        const std::int64_t first = start_of(op.axis);
        for (std::size_t i = 0; i < made.size(); ++i)
          made.integers[i] = first + static_cast<std::int64_t>(i);
        return share(std::move(made));
      }
      case Op::iota: {
        TileData made = empty(type);
        for (std::size_t i = 0; i < made.size(); ++i)
          made.integers[i] = static_cast<std::int64_t>(i);
        return share(std::move(made));
      }
      case Op::load: return share(load(op, type));
      case Op::finish_reduce:
      case Op::convert_layout: return values_[at(op.operands[0])];
      case Op::operand_load: return operand_load(op, type);
      case Op::reduce_max:
      case Op::reduce_sum:
      case Op::reduce_argmax: {
        const TilePointer visible = visibility(op);
        return share(
            reduce(op.op, tile(op.operands[0]), op.axis, visible.get(), start_of(op.axis)));
      }
      case Op::dot: return dot(op, type);
      case Op::take: return take(op, type);
      default: return pointwise(op, type);
    }
  }

  TilePointer pointwise(const Operation& op, const Type& type) {
    // A select of cut tiles alone is not there in a full one.
    if (op.cut_only && in_full_tile()) {
      const TileData& taken = tile(op.operands[1]);
      const TileData like = empty(type);
      return share(broadcast(taken, like.axes, like.shape));
    }
    const TileData like = empty(type);
    std::vector<TileData> spread;
    spread.reserve(op.operands.size());
    std::vector<const TileData*> operands;
    for (const ValueId operand : op.operands) {
      const TileData& own = tile(operand);
      if (own.axes == like.axes) {
        operands.push_back(&own);
      } else {
        spread.push_back(broadcast(own, like.axes, like.shape));
        operands.push_back(&spread.back());
      }
    }
    return share(apply(op.op, type.dtype, operands));
  }

  TilePointer take(const Operation& op, const Type& type) const {
    const TileData like = empty(type);
    return share(ir::take(tile(op.operands[0]), tile(op.operands[1]), op.axis, start_of(op.axis),
                          like.axes, like.shape));
  }

  TilePointer negated(const TilePointer& x, ValueId sign) const {
    if (sign == no_value || !(tile(sign).floats[0] < 0)) return x;
    return share(apply(Op::neg, x->dtype, {x.get()}));
  }

  static TilePointer as_multiplied(const Operation& dot, const TilePointer& x) {
    if (!dot.tf32) return x;
    TileData rounded = *x;
    for (float& number : rounded.floats) number = round_to_tf32(number);
    return share(std::move(rounded));
  }

  TilePointer dot(const Operation& op, const Type& type) {
    const TilePointer a = as_multiplied(op, negated(values_[at(op.operands[0])], op.sign_of));
    const TilePointer b = as_multiplied(op, values_[at(op.operands[1])]);
    const TilePointer visible = visibility(op);
    const TileData like = empty(type);
    const TileData* sum = op.operands.size() == 3 ? &tile(op.operands[2]) : nullptr;
    return share(contract(*a, *b, op.axis, sum, visible.get(), like.axes, like.shape, type.dtype));
  }

  /// A buffer means what was last copied into it, at the tile the loops are at.
  TilePointer operand_load(const Operation& op, const Type& type) {
    const ValueId buffer = op.operands[0];
    const auto copy = copies_.find(buffer);
    if (copy == copies_.end()) return negated(values_[at(buffer)], op.sign_of);
    const TilePointer copied = negated(share(load(*copy->second, type)), copy->second->sign_of);
    return negated(copied, op.sign_of);
  }

  void run_body(const Region& body, std::int64_t counter, std::vector<TilePointer>& carried) {
    values_[at(body.arguments[0])] = number(counter);
    for (std::size_t i = 0; i < carried.size(); ++i)
      values_[at(body.arguments[i + 1])] = carried[i];
    region(body);
    const Operation& yield = *body.operations.back();
    for (std::size_t i = 0; i < carried.size(); ++i) carried[i] = values_[at(yield.operands[i])];
  }

  std::vector<TilePointer> start(const Operation& op, std::size_t skip) const {
    std::vector<TilePointer> carried;
    for (std::size_t i = skip; i < op.operands.size(); ++i)
      carried.push_back(values_[at(op.operands[i])]);
    return carried;
  }

  void finish(const Operation& op, const std::vector<TilePointer>& carried) {
    for (std::size_t i = 0; i < carried.size(); ++i) values_[at(op.results[i])] = carried[i];
  }

  void for_range(const Operation& op) {
    std::vector<TilePointer> carried = start(op, 1);
    const std::int64_t count = scalar(op.operands[0]);
    for (std::int64_t i = 0; i < count; ++i) run_body(*op.regions[0], i, carried);
    finish(op, carried);
  }

  void when(const Operation& op) {
    std::vector<TilePointer> merged = start(op, 1);
    if (scalar(op.operands[0]) != 0) {
      region(*op.regions[0]);
      const Operation& yield = *op.regions[0]->operations.back();
      for (std::size_t i = 0; i < merged.size(); ++i) merged[i] = values_[at(yield.operands[i])];
    }
    finish(op, merged);
  }

  /// Tile by tile as the list has them.
  void listed_blocks(const Operation& op) {
    const Region &mask = *op.regions[0], &body = *op.regions[1];
    const HostTensor& list = inputs_.tensors.at(op.name);
    const std::int64_t tiles = tiles_along(op.axis);
    const auto must_be_below = [&](std::int64_t value, std::int64_t end, const char* what) {
      if (value < 0 || value >= end)
        refuse(errors::ir["list-entry-outside"],
               std::string(what) + " of the list '" + op.name + "' is out of range",
               {op.name, std::to_string(value), "0 … " + std::to_string(end - 1),
                to_string(op.where)});
    };
    std::vector<TilePointer> carried = start(op, 0);
    const std::int64_t end = scalar(op.indices[1].value);
    for (std::int64_t at = scalar(op.indices[0].value); at < end; ++at) {
      must_be_below(at, list.shape[0], "an entry");
      const auto entry = static_cast<std::int64_t>(list.get(at * list.stride(0)));
      const std::int64_t n = entry < 0 ? ~entry : entry;
      must_be_below(n, tiles, "a tile");
      const bool ragged = (n + 1) * tile_size(op.axis) > extent(axis(op.axis).dim);
      Running loop{op.axis, nullptr, entry < 0 || ragged};
      values_[this->at(body.arguments[0])] = number(n);
      if (entry < 0 && !mask.operations.empty()) {
        region(mask);
        loop.visible = values_[this->at(mask.operations.back()->operands[0])];
      }
      running_.push_back(loop);
      run_body(body, n, carried);
      running_.pop_back();
    }
    finish(op, carried);
  }

  void for_blocks(const Operation& op) {
    const Region& mask = *op.regions[0];
    const Region& body = *op.regions[1];
    const std::int64_t tiles = tiles_along(op.axis);
    const std::string& dim = axis(op.axis).dim;
    std::vector<TileClass> classes;
    if (op.domain)
      classes = classify(*op.domain, tiles, [&](const std::string& text) { return symbol(text); });
    std::vector<TilePointer> carried = start(op, 0);
    for (std::int64_t n = 0; n < tiles; ++n) {
      values_[at(body.arguments[0])] = number(n);
      Running loop{op.axis, nullptr, true};
      bool any = true;
      bool all = true;
      if (!mask.operations.empty()) {
        region(mask);
        loop.visible = values_[at(mask.operations.back()->operands[0])];
        std::tie(any, all) = seen(*loop.visible);
      }
      if (op.domain) {
        const TileClass given = classes[static_cast<std::size_t>(n)];
        if ((given == TileClass::skipped && any) || (given == TileClass::full && !all))
          refuse(errors::ir["kernel-inconsistent"],
                 "the domain of the loop over '" + dim + "' contradicts its mask in tile " +
                     std::to_string(n) + " [internal defect]",
                 {dim, print_domain(*op.domain), "", to_string(op.where)});
        if (given == TileClass::skipped) continue;
        const bool ragged = (n + 1) * tile_size(op.axis) > extent(dim);
        loop.cut = given == TileClass::cut || ragged;
      } else if (!any) {
        continue;
      }
      running_.push_back(loop);
      run_body(body, n, carried);
      running_.pop_back();
    }
    finish(op, carried);
  }

  std::map<ValueId, const Operation*> copies_;
  std::vector<std::pair<const Operation*, std::int64_t>> grid_;
};

}  // namespace

class ProgramValues::Evaluator : private Interpreter {
 public:
  Evaluator(const Kernel& kernel, Inputs& inputs)
      : Interpreter(kernel, inputs, partial), from_(definitions(kernel)) {
    resolve_extents();
  }
  void start(const std::map<ValueId, std::int64_t>& grid) {
    values_.assign(values_.size(), nullptr);
    for (const auto& [value, program] : grid) values_[at(value)] = number(program);
  }
  std::int64_t integer(ValueId value) {
    compute(value);
    return scalar(value);
  }

 private:
  void compute(ValueId value) {
    if (value == no_value || values_[at(value)] || kernel_.type(value).kind != Type::Kind::tile)
      return;
    const Operation* from = from_[at(value)];
    if (from == nullptr)
      refuse(errors::ir["kernel-inconsistent"],
             print_value(kernel_, value) + " is not known in front of the loops",
             {print_value(kernel_, value), "", "", ""});
    for (const ValueId operand : from->operands) compute(operand);
    for (const Index& index : from->indices) compute(index.value);
    values_[at(value)] = result(*from);
  }

  static constexpr InterpretOptions partial{.partial = true};
  std::vector<const Operation*> from_;
};

ProgramValues::ProgramValues(const Kernel& kernel, Inputs& inputs)
    : evaluator_(std::make_unique<Evaluator>(kernel, inputs)) {}
ProgramValues::~ProgramValues() = default;
void ProgramValues::start(const std::map<ValueId, std::int64_t>& grid) { evaluator_->start(grid); }
std::int64_t ProgramValues::operator()(ValueId value) { return evaluator_->integer(value); }

Origins origins_of(const Kernel& kernel, const std::vector<ValueId>& values) {
  const auto from = definitions(kernel);
  Origins origins;
  std::set<ValueId> seen;
  std::vector<ValueId> pending = values;
  while (!pending.empty()) {
    const ValueId value = pending.back();
    pending.pop_back();
    if (value == no_value || !seen.insert(value).second) continue;
    for (const AxisId id : kernel.type(value).axes)
      pending.push_back(kernel.axes[static_cast<std::size_t>(kernel.leader(id))].block);
    const Operation* operation = from[static_cast<std::size_t>(value)];
    if (operation == nullptr) continue;
    if (operation->op == Op::each || operation->op == Op::block) origins.grid.insert(value);
    if (operation->op == Op::load || operation->op == Op::scalar_argument)
      origins.arguments.insert(operation->name);
    pending.insert(pending.end(), operation->operands.begin(), operation->operands.end());
    for (const Index& index : operation->indices) pending.push_back(index.value);
  }
  return origins;
}

void interpret(const Kernel& kernel, Inputs& inputs, const InterpretOptions& options) {
  Interpreter(kernel, inputs, options).all();
}

}  // namespace tilewright::ir
