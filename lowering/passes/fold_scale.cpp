// exp2(s * c - m) is one fused multiply-add and one exp2 per element if the maximum is taken over s
// and multiplied by c once per row. That needs c > 0. A negative c is moved to the left operand of
// the dot (negated once, on its way into shared memory), and c = 0 becomes 2^-126, because 0 * -inf
// would turn hidden elements into NaN while s * 2^-126 is 0 to any precision an exponential can
// show.
#include <map>

#include "passes/passes.hpp"
#include "passes/rewrite.hpp"

namespace tilewright::passes {
namespace {

using ir::Operation;
using ir::Region;

struct Uses {
  std::map<ValueId, std::vector<Operation*>> of;
  std::map<ValueId, Operation*> definition;
};

Uses collect(Region& region) {
  Uses uses;
  walk(region, [&](Operation& operation) {
    for (ValueId operand : operation.operands) uses.of[operand].push_back(&operation);
    for (ValueId result : operation.results) uses.definition[result] = &operation;
  });
  return uses;
}

/// A scaled tile `t = x * c` whose every reader can take x instead.
struct Candidate {
  Operation* dot = nullptr;
  Operation* multiply = nullptr;
  Operation* mask = nullptr;  ///< where(visible, t, -inf), or null
  ValueId factor = no_value;
  std::vector<Operation*> readers;  ///< reduce_max(t) and exp2_safe(t, m)
};

class ScaleFolder {
 public:
  explicit ScaleFolder(ir::Kernel& kernel) : kernel_(kernel) {}

  void run() {
    uses_ = collect(kernel_.body);
    std::vector<Candidate> found;
    walk(kernel_.body, [&](Operation& operation) {
      Candidate candidate;
      if (operation.op == Op::mul && match(operation, candidate)) found.push_back(candidate);
    });
    for (const auto& candidate : found) rewrite(candidate);
    drop_dead(kernel_);
  }

 private:
  bool match(Operation& multiply, Candidate& candidate) {
    for (const std::size_t side : {0u, 1u}) {
      const auto x = uses_.definition.find(multiply.operands[side]);
      const ValueId factor = multiply.operands[1 - side];
      if (x == uses_.definition.end() || x->second->op != Op::dot || !is_uniform(kernel_, factor))
        continue;
      candidate.dot = x->second;
      candidate.factor = factor;
    }
    if (candidate.dot == nullptr || candidate.dot->operands.size() != 2) return false;
    if (uses_.of[candidate.dot->results[0]].size() != 1) return false;
    candidate.multiply = &multiply;

    // The sign goes to the left operand on its way into shared memory, once: it must be a load in
    // front of the loop that nothing else reads.
    const auto left = uses_.definition.find(candidate.dot->operands[0]);
    if (left == uses_.definition.end() || !may_be_copied(kernel_, *left->second)) return false;
    if (uses_.of[left->second->results[0]].size() != 1 || !outside_loops(left->second->results[0]))
      return false;

    ValueId tile = multiply.results[0];
    auto readers = uses_.of[tile];
    if (readers.size() == 1 && readers[0]->op == Op::select && readers[0]->cut_only &&
        readers[0]->operands[1] == tile) {
      candidate.mask = readers[0];
      tile = readers[0]->results[0];
      readers = uses_.of[tile];
    }
    bool has_maximum = false;
    for (Operation* reader : readers) {
      const bool maximum = reader->op == Op::reduce_max;
      const bool exponent =
          reader->op == Op::exp2_safe && reader->operands[0] == tile && reader->operands[1] != tile;
      if (!maximum && !exponent) return false;
      has_maximum |= maximum;
      candidate.readers.push_back(reader);
    }
    return has_maximum;
  }

  bool outside_loops(ValueId value) const {
    for (const auto& operation : kernel_.body.operations)
      for (ValueId result : operation->results)
        if (result == value) return true;
    return false;
  }

  /// Inserts `operation` right before (or after) the one given, wherever that is.
  void insert(Region& region, const Operation* anchor, bool after,
              std::unique_ptr<Operation> operation, bool& done) {
    for (std::size_t i = 0; i < region.operations.size() && !done; ++i) {
      if (region.operations[i].get() == anchor) {
        const auto at = static_cast<std::ptrdiff_t>(after ? i + 1 : i);
        region.operations.insert(region.operations.begin() + at, std::move(operation));
        done = true;
        return;
      }
      for (auto& inner : region.operations[i]->regions) {
        if (done) return;
        if (contains(*inner, anchor)) insert(*inner, anchor, after, std::move(operation), done);
      }
    }
  }
  static bool contains(const Region& region, const Operation* anchor) {
    bool found = false;
    walk(region, [&](const Operation& operation) { found |= &operation == anchor; });
    return found;
  }
  void place(const Operation* anchor, bool after, std::unique_ptr<Operation> operation) {
    bool done = false;
    insert(kernel_.body, anchor, after, std::move(operation), done);
  }

  void rewrite(const Candidate& candidate) {
    const Provenance& where = candidate.multiply->where;
    Operation* factor_definition = uses_.definition.at(candidate.factor);
    auto magnitude = make(kernel_, Op::abs, {.dtype = DType::f32}, {candidate.factor}, where);
    auto smallest = make(kernel_, Op::constant, {.dtype = DType::f32}, {}, where);
    smallest->constant = 0x1p-126;
    auto positive = make(kernel_, Op::maximum, {.dtype = DType::f32},
                         {magnitude->results[0], smallest->results[0]}, where);
    const ValueId c = positive->results[0];
    kernel_.values[static_cast<std::size_t>(c)].name = "factor";
    const Operation* first = magnitude.get();
    const Operation* second = smallest.get();
    place(factor_definition, true, std::move(magnitude));
    place(first, true, std::move(smallest));
    place(second, true, std::move(positive));

    ir::Value& sign = kernel_.values[static_cast<std::size_t>(candidate.factor)];
    if (sign.name.empty()) sign.name = "signed_factor";

    candidate.dot->sign_of = candidate.factor;
    const ValueId x = candidate.dot->results[0], scaled = candidate.multiply->results[0];
    ir::Value& product = kernel_.values[static_cast<std::size_t>(x)];
    const ir::Value& old = kernel_.values[static_cast<std::size_t>(scaled)];
    if (product.name.empty() && !old.name.empty()) {
      product.name = old.name;
      product.where = old.where;
    }
    product.note = "before its factor, which joins the exponent";
    ValueId tile = x;
    if (candidate.mask != nullptr) {
      candidate.mask->operands[1] = x;
      tile = candidate.mask->results[0];
    }
    for (Operation* reader : candidate.readers) {
      if (reader->op == Op::reduce_max) {
        reader->operands[0] = tile;
        const ValueId maximum = reader->results[0];
        auto product_of = make(kernel_, Op::mul, kernel_.type(maximum), {maximum, c}, where);
        Operation* made = product_of.get();
        const ValueId result = made->results[0];
        replace_uses(kernel_.body, maximum, result);
        made->operands[0] = maximum;
        reader->results[0] = maximum;
        place(reader, true, std::move(product_of));
      } else {
        auto product_of = make(kernel_, Op::mul, kernel_.type(tile), {tile, c}, where);
        reader->operands[0] = product_of->results[0];
        place(reader, false, std::move(product_of));
      }
    }
  }

  ir::Kernel& kernel_;
  Uses uses_;
};

}  // namespace

void fold_scale(ir::Kernel& kernel) { ScaleFolder(kernel).run(); }

}  // namespace tilewright::passes
