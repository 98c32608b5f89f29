// Reads affine tiles off a mask's operations (mask_affine.hpp). Integers are taken as unbounded: a
// mask whose sums leave 32 bits has no use.
#include "passes/mask_affine.hpp"

#include <algorithm>

#include "ir/flattened.hpp"
#include "ir/interpret.hpp"
#include "ir/print.hpp"

namespace tilewright::passes {

using ir::IntExpr;

Affine operator*(const Affine& a, std::int64_t factor) {
  if (factor == 0) return {};
  Affine result = a;
  result.k *= factor;
  result.q *= factor;
  result.constant = a.constant * factor;
  for (Quotient& quotient : result.quotients) quotient.coefficient = quotient.coefficient * factor;
  for (auto* choices : {&result.choices, &result.tables})
    for (Choice& choice : *choices) choice.coefficient *= factor;
  return result;
}

namespace {

void add(std::vector<Choice>& sum, const std::vector<Choice>& terms) {
  for (const Choice& term : terms) {
    const auto same = std::find_if(sum.begin(), sum.end(),
                                   [&](const Choice& c) { return c.value == term.value; });
    if (same == sum.end()) {
      sum.push_back(term);
      continue;
    }
    same->coefficient += term.coefficient;
    if (same->coefficient == 0) sum.erase(same);
  }
}

}  // namespace

Affine operator+(const Affine& a, const Affine& b) {
  Affine sum = a;
  sum.k += b.k;
  sum.q += b.q;
  sum.constant = a.constant + b.constant;
  for (const Quotient& term : b.quotients) {
    bool merged = false;
    for (auto it = sum.quotients.begin(); it != sum.quotients.end() && !merged; ++it)
      if (it->k == term.k && it->q == term.q && it->offset == term.offset &&
          it->divisor == term.divisor) {
        it->coefficient = it->coefficient + term.coefficient;
        if (it->coefficient.is(0)) sum.quotients.erase(it);
        merged = true;
        break;
      }
    if (!merged) sum.quotients.push_back(term);
  }
  add(sum.choices, b.choices);
  add(sum.tables, b.tables);
  return sum;
}

bool operator==(const Affine& a, const Affine& b) {
  const Affine rest = a - b;
  return rest.is_constant() && rest.constant.is(0);
}

const ir::Operation* MaskReader::definition(ValueId value) const {
  return value < 0 ? nullptr : definitions_[static_cast<std::size_t>(value)];
}

/// Whether a value changes from one tile of the loop to the next.
bool MaskReader::varies(ValueId value) const {
  if (value == no_value) return false;
  const auto known = varies_.find(value);
  if (known != varies_.end()) return known->second;
  return varies_[value] = find_variation(value);
}

bool MaskReader::find_variation(ValueId value) const {
  if (value == loop_.regions[1]->arguments[0]) return true;
  for (const ir::AxisId axis : kernel_.type(value).axes)
    if (kernel_.leader(axis) == loop_.axis) return true;
  const ir::Operation* from = definition(value);
  if (!from) return false;
  for (const ValueId operand : from->operands)
    if (varies(operand)) return true;
  for (const ir::Index& index : from->indices)
    if (kernel_.leader(index.axis) == loop_.axis ||
        (index.value != no_value && varies(index.value)))
      return true;
  return false;
}

bool MaskReader::over_rows(ValueId value) const {
  return rows_ >= 0 && kernel_.type(value).axes == std::vector{rows_} && !varies(value);
}

bool MaskReader::reads_memory(ValueId value) const {
  const ir::Operation* from = definition(value);
  if (from == nullptr) return false;
  if (from->op == Op::load) return true;
  const auto known = reads_memory_.find(value);
  if (known != reads_memory_.end()) return known->second;
  return reads_memory_[value] = std::any_of(from->operands.begin(), from->operands.end(),
                                            [&](ValueId operand) { return reads_memory(operand); });
}

/// Whether all memory behind a value is inputs: it may be read in front of the loop.
bool MaskReader::stays_the_same(ValueId value) const {
  const auto arguments = ir::origins_of(kernel_, {value}).arguments;
  return std::all_of(arguments.begin(), arguments.end(), [&](const std::string& name) {
    const Argument* argument = kernel_.find_argument(name);
    return argument != nullptr &&
           (argument->kind == Argument::Kind::in || argument->kind == Argument::Kind::scalar);
  });
}

std::pair<int, int> MaskReader::row_tile(const Affine& x) {
  Affine tile = x;
  tile.k = 0;
  tile.constant = 0;
  std::erase_if(tile.quotients, [](const Quotient& quotient) { return quotient.k != 0; });
  const int sign = tile.tables[0].coefficient > 0 ? 1 : -1;
  tile = tile * sign;
  const auto found = std::find(row_tiles_->begin(), row_tiles_->end(), RowTile{tile});
  const auto number = static_cast<int>(found - row_tiles_->begin());
  if (found == row_tiles_->end()) row_tiles_->push_back({tile});
  return {number, sign};
}

bool MaskReader::is_uniform(ValueId value) {
  return kernel_.type(value).axes.empty() && !varies(value);
}

Linear MaskReader::opaque_symbol(ValueId value) {
  opaque.insert(value);
  return Linear(IntExpr::symbol("value(" + std::to_string(value) + ")"));
}

Linear MaskReader::uniform(ValueId value) {
  if (const auto known = uniform_.find(value); known != uniform_.end()) return known->second;
  return uniform_[value] = find_uniform(value);
}

Linear MaskReader::find_uniform(ValueId value) {
  const ir::Operation* from = definition(value);
  if (!from) return opaque_symbol(value);
  const bool number = dtype(value) == DType::i32;
  const auto operand = [&](std::size_t i) { return uniform(from->operands[i]); };
  const auto expression = [&](std::size_t i) { return operand(i).expression(); };
  switch (from->op) {
    case Op::constant:
      if (number || dtype(value) == DType::b1) return static_cast<std::int64_t>(from->constant);
      break;
    case Op::scalar_argument:
      if (number) return Linear(IntExpr::symbol("scalar(" + from->name + ")"));
      break;
    case Op::extent: {
      const auto bound = kernel_.bound.find(from->name);
      if (bound != kernel_.bound.end()) return bound->second;
      return Linear(IntExpr::symbol("extent(" + from->name + ")"));
    }
    default: break;
  }
  if (number) switch (from->op) {
      case Op::add: return operand(0) + operand(1);
      case Op::sub: return operand(0) - operand(1);
      case Op::neg: return operand(0) * -1;
      case Op::mul: return product(operand(0), operand(1));
      case Op::div:
        if (operand(1).is(0)) break;
        return floor_quotient(operand(0), operand(1));
      case Op::mod:
        if (operand(1).is(0)) break;
        return Linear(mod(expression(0), expression(1)));
      case Op::minimum: return Linear(minimum(expression(0), expression(1)));
      case Op::maximum: return Linear(maximum(expression(0), expression(1)));
      default: break;
    }
  return opaque_symbol(value);
}

bool MaskReader::is_positive(const Linear& form) {
  if (form.is_constant()) return form.constant() > 0;
  if (form.constant() != 0 || form.terms().size() != 1 || form.terms()[0].second <= 0) return false;
  return is_positive(form.terms()[0].first);
}

bool MaskReader::is_positive(const IntExpr& atom) {
  if (atom.kind() == IntExpr::Kind::mul)
    return is_positive(atom.left()) && is_positive(atom.right());
  if (atom.is_constant()) return atom.constant() > 0;
  if (atom.kind() != IntExpr::Kind::symbol) return false;
  if (atom.name().starts_with("scalar(")) {
    positive.insert(atom.name());
    return true;
  }
  // Where a part of the rows or of the loop is empty, there are no elements to ask about.
  for (const ir::AxisId axis : {rows_, loop_.axis}) {
    if (axis < 0) continue;
    const std::string& dim = kernel_.axes[static_cast<std::size_t>(axis)].dim;
    if (!ir::is_flattened(dim)) continue;
    for (const std::string& part : ir::parts_of(dim))
      if (atom.name() == "extent(" + part + ")") return true;
  }
  return false;
}

std::optional<Affine> MaskReader::divided(const Affine& x, const Linear& divisor) {
  if (divisor.is(1)) return x;
  if (!is_positive(divisor) || !x.choices.empty() || !x.tables.empty()) return std::nullopt;
  Affine result;
  Quotient quotient;
  quotient.coefficient = 1;
  quotient.divisor = divisor;
  if (x.quotients.empty()) {
    quotient.k = x.k;
    quotient.q = x.q;
    quotient.offset = x.constant;
  } else {
    // floor((floor(y / c) + b) / d) is floor((y + b c) / (c d)).
    const Quotient& inner = x.quotients[0];
    if (x.quotients.size() != 1 || x.k != 0 || x.q != 0 || !inner.coefficient.is(1))
      return std::nullopt;
    quotient.k = inner.k;
    quotient.q = inner.q;
    quotient.offset = inner.offset + product(inner.divisor, x.constant);
    quotient.divisor = product(inner.divisor, divisor);
  }
  result.quotients.push_back(quotient);
  return result;
}

/// x % divisor. What is a multiple of the divisor in x does not matter.
std::optional<Affine> MaskReader::remainder(Affine x, const Linear& divisor) {
  const auto whole = [&](const Linear& form) {
    if (!divisor.is_constant()) return form == divisor || form == divisor * -1;
    const std::int64_t by = divisor.constant();
    return form.constant() % by == 0 &&
           std::all_of(form.terms().begin(), form.terms().end(),
                       [&](const Linear::Term& term) { return term.second % by == 0; });
  };
  if (!divisor.is(0))
    std::erase_if(x.quotients, [&](const Quotient& term) { return whole(term.coefficient); });
  auto quotient = divided(x, divisor);
  if (!quotient) return std::nullopt;
  for (Quotient& term : quotient->quotients) term.coefficient = divisor;
  return x - *quotient;
}

std::optional<Affine> MaskReader::affine(ValueId value) {
  if (dtype(value) != DType::i32) return std::nullopt;
  if (const auto known = affine_.find(value); known != affine_.end()) return known->second;
  return affine_[value] = find_affine(value);
}

std::optional<Affine> MaskReader::find_affine(ValueId value) {
  const auto sum = sum_of(value);
  // Data as a whole rather than case by case: one table bounds exactly where two would not.
  const bool data =
      row_tiles_ != nullptr && over_rows(value) && reads_memory(value) && stays_the_same(value);
  if (!data || (sum && sum->choices.empty())) return sum;
  Affine result;
  result.tables.push_back({1, value});
  return result;
}

std::optional<Affine> MaskReader::sum_of(ValueId value) {
  Affine result;
  if (is_uniform(value)) {
    result.constant = uniform(value);
    return result;
  }
  const ir::Operation* from = definition(value);
  if (!from) return std::nullopt;
  const auto constant_of = [](const std::optional<Affine>& x) -> std::optional<std::int64_t> {
    if (!x || !x->is_constant() || !x->constant.is_constant()) return std::nullopt;
    return x->constant.constant();
  };
  switch (from->op) {
    case Op::index:
      if (from->axis != loop_.axis && from->axis != rows_) return std::nullopt;
      (from->axis == loop_.axis ? result.k : result.q) = 1;
      return result;
    case Op::minimum:
    case Op::maximum:
    case Op::abs:
    case Op::select: result.choices.push_back({1, value}); return result;
    case Op::cast: return affine(from->operands[0]);
    case Op::neg: {
      const auto x = affine(from->operands[0]);
      return x ? std::optional(*x * -1) : std::nullopt;
    }
    default: break;
  }
  if (from->operands.size() != 2) return std::nullopt;
  const auto a = affine(from->operands[0]);
  const auto b = affine(from->operands[1]);
  if (!a || !b) return std::nullopt;
  switch (from->op) {
    case Op::add: return *a + *b;
    case Op::sub: return *a - *b;
    case Op::mul: {
      if (const auto factor = constant_of(b)) return *a * *factor;
      if (const auto factor = constant_of(a)) return *b * *factor;
      const Affine& tile = a->is_constant() ? *b : *a;
      const Affine& factor = a->is_constant() ? *a : *b;
      if (!factor.is_constant() || tile.k || tile.q || !tile.choices.empty() ||
          !tile.tables.empty())
        return std::nullopt;
      result.constant = product(tile.constant, factor.constant);
      for (Quotient quotient : tile.quotients) {
        quotient.coefficient = product(quotient.coefficient, factor.constant);
        result.quotients.push_back(quotient);
      }
      return result;
    }
    case Op::div:
      if (!b->is_constant()) return std::nullopt;
      return divided(*a, b->constant);
    case Op::mod: {
      if (!b->is_constant()) return std::nullopt;
      if (b->constant.is(1)) return result;
      return remainder(*a, b->constant);
    }
    case Op::shl:
    case Op::shr: {
      const auto bits = constant_of(b);
      if (!bits || *bits < 0 || *bits > 30) return std::nullopt;
      if (from->op == Op::shl) return *a * (std::int64_t{1} << *bits);
      return divided(*a, std::int64_t{1} << *bits);
    }
    case Op::bit_or:
    case Op::bit_xor:
      if (constant_of(b) == 0) return a;
      if (constant_of(a) == 0) return b;
      return std::nullopt;
    case Op::bit_and: {
      const auto ones = constant_of(b);
      if (!ones || *ones <= 0 || (*ones & (*ones + 1)) != 0) return std::nullopt;
      return remainder(*a, *ones + 1);
    }
    default: return std::nullopt;
  }
}

std::string MaskReader::describe(ValueId value, int deep) const {
  if (deep > 12) return "...";
  const ir::Value& v = kernel_.values[static_cast<std::size_t>(value)];
  const ir::Operation* from = definition(value);
  if (!from) return v.name.empty() ? ir::print_value(kernel_, value) : v.name;
  const std::string word(info(from->op).name);
  switch (from->op) {
    case Op::constant: return ir::print_number(from->constant);
    case Op::scalar_argument: return from->name;
    case Op::extent:
    case Op::each:
    case Op::block: return word + "(" + from->name + ")";
    case Op::index: return "index(" + kernel_.axes[static_cast<std::size_t>(from->axis)].dim + ")";
    case Op::load: return "load(" + from->name + ")";
    default: break;
  }
  static const std::pair<Op, const char*> signs[] = {
      {Op::add, "+"},         {Op::sub, "-"},    {Op::mul, "*"},  {Op::div, "/"},
      {Op::mod, "%"},         {Op::lt, "<"},     {Op::le, "<="},  {Op::gt, ">"},
      {Op::ge, ">="},         {Op::eq, "=="},    {Op::ne, "!="},  {Op::logical_and, "&&"},
      {Op::logical_or, "||"}, {Op::shl, "<<"},   {Op::shr, ">>"}, {Op::bit_and, "&"},
      {Op::bit_or, "|"},      {Op::bit_xor, "^"}};
  const auto operand = [&](ValueId id) {
    const ir::Operation* inner = definition(id);
    const bool binary = inner && is_pointwise(inner->op) && inner->operands.size() == 2;
    return binary ? "(" + describe(id, deep + 1) + ")" : describe(id, deep + 1);
  };
  if (from->operands.size() == 2)
    for (const auto& [op, sign] : signs)
      if (op == from->op)
        return operand(from->operands[0]) + " " + sign + " " + operand(from->operands[1]);
  if (from->op == Op::logical_not) return "!" + operand(from->operands[0]);
  std::string text = word + "(";
  for (std::size_t i = 0; i < from->operands.size(); ++i)
    text += (i ? ", " : "") + describe(from->operands[i], deep + 1);
  return text + ")";
}

}  // namespace tilewright::passes
