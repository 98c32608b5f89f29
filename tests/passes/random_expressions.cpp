// Random expressions, leaves first (random_program.hpp). In exact programs every f32 number is a
// small multiple of a small power of two, so that sums and products do not round and the order of
// additions cannot matter; whether that held is not trusted but measured (every_pass.cpp).
// Long file: one function for each sort of expression, all drawing from the same source.
#include <algorithm>

#include "random_program.hpp"

namespace tilewright::test {

bool contains(const Dims& dims, const std::string& dim) {
  return std::find(dims.begin(), dims.end(), dim) != dims.end();
}
bool subset(const Dims& part, const Dims& whole) {
  return std::all_of(part.begin(), part.end(),
                     [&](const std::string& dim) { return contains(whole, dim); });
}
Dims united(const Dims& a, const Dims& b) {
  Dims all = a;
  for (const std::string& dim : b)
    if (!contains(all, dim)) all.push_back(dim);
  return all;
}
Dims without(Dims dims, const std::string& dim) {
  std::erase(dims, dim);
  return dims;
}

Typed Writer::node(Op op, DType dtype, const std::vector<Typed>& operands) {
  Node made;
  made.op = op;
  made.dtype = dtype;
  for (const Typed& operand : operands) {
    made.operands.push_back(operand.id);
    made.dims = united(made.dims, operand.dims);
  }
  return {gate_.value(made, where()), dtype, made.dims};
}

Typed Writer::number(DType dtype, double value) {
  Node made;
  made.op = Op::constant;
  made.dtype = dtype;
  made.constant = value;
  return {gate_.value(made, where()), dtype, {}};
}

/// Counted in the tensor, or now and then, where one tile holds all of a dimension, in the tile.
Typed Writer::index_of(const std::string& dim) {
  Node made;
  made.op = !blocks_.contains(dim) && random_.chance(30) ? Op::iota : Op::index;
  made.dtype = DType::i32;
  made.dims = {dim};
  made.name = dim;
  return {gate_.value(made, where()), DType::i32, {dim}};
}

Typed Writer::extent_of(const std::string& dim) {
  Node made;
  made.op = Op::extent;
  made.dtype = DType::i32;
  made.name = dim;
  return {gate_.value(made, where()), DType::i32, {}};
}

Typed Writer::scalar(char kind, DType dtype) {
  const std::string name = std::string(1, kind) + "_" + std::to_string(random_.below(3));
  const auto known = std::find_if(declared_.begin(), declared_.end(),
                                  [&](const Argument& a) { return a.name == name; });
  if (known == declared_.end()) {
    declared_.push_back({Argument::Kind::scalar, name, dtype, {}});
    gate_.declare(declared_.back());
  }
  Node made;
  made.op = Op::scalar_argument;
  made.dtype = dtype;
  made.name = name;
  return {gate_.value(made, where()), dtype, {}};
}

/// A tile of a tensor of its own, or of one that has such tiles. Axes in any order, the batch among
/// them by number, some behind an index that is computed or comes from memory.
Typed Writer::load(char kind, DType dtype, const Dims& dims) {
  Dims axes = dims;
  if (recipe_.has_batch && random_.chance(80)) axes.insert(axes.begin(), "b");
  if (recipe_.has_batch && !contains(axes, "b") && random_.chance(30))
    axes.insert(axes.begin(), "g");
  if (axes.empty()) axes = {recipe_.has_batch ? "b" : "g"};
  if (recipe_.wild && axes.size() > 1 && random_.chance(50)) std::swap(axes.front(), axes.back());
  std::string name;
  for (const Argument& known : declared_)
    if (known.kind == Argument::Kind::in && known.name[0] == kind && known.dtype == dtype &&
        known.dims == axes && random_.chance(50))
      name = known.name;
  if (name.empty()) {
    name = std::string(1, kind) + std::to_string(declared_.size());
    declared_.push_back({Argument::Kind::in, name, dtype, axes});
    gate_.declare(declared_.back());
  }
  Node made;
  made.op = Op::load;
  made.dtype = dtype;
  made.name = name;
  for (const std::string& axis : axes) {
    IndexSpec index;
    index.dim = axis;
    if (axis == "b") {
      index.value = batch_;
    } else if (axis == "g") {  // half as many as b: shared by two, or named by a table
      if (!recipe_.has_batch)
        index.value = integer(0).id;
      else if (random_.chance(70))
        index.value = node(Op::div, DType::i32, {{batch_, DType::i32, {}}, integer(2)}).id;
      else
        index.value = load('t', DType::i32, {}).id;
    } else if (const auto block = blocks_.find(axis); block != blocks_.end()) {
      index.kind = IndexSpec::Kind::block;
      index.value = block->second;
      made.dims.push_back(axis);
    } else {
      index.kind = IndexSpec::Kind::whole;
      made.dims.push_back(axis);
    }
    // Elsewhere than the element itself, perhaps outside: not for divisors and table entries.
    if (recipe_.shapes && index.kind != IndexSpec::Kind::scalar && (kind == 'x' || kind == 'i') &&
        shapes_.chance(25)) {
      if (index.kind == IndexSpec::Kind::block) index.selection.step = shapes_.between(1, 3);
      index.selection.offset = shapes_.between(-4, 9);
      index.of = axis;
    }
    made.indices.push_back(index);
  }
  return {gate_.value(made, where()), dtype, made.dims};
}

/// Sometimes taken from other elements along a dimension that is there as a whole.
Typed Writer::leaf(DType dtype, const Dims& allowed) {
  const Typed x = plain_leaf(dtype, allowed);
  if (!recipe_.shapes || !shapes_.chance(12)) return x;
  const auto whole = recipe_.bound();
  Dims along;
  for (const std::string& dim : x.dims)
    if (whole.contains(dim) && !blocks_.contains(dim)) along.push_back(dim);
  if (along.empty()) return x;
  const std::string& dim = shapes_.of(along);
  const Typed own = index_of(dim);
  const Typed at = shapes_.chance(50)
                       ? node(Op::add, DType::i32, {own, integer(shapes_.between(-20, 20))})
                   : shapes_.chance(50) ? node(Op::bit_xor, DType::i32, {own, integer(1)})
                                        : node(Op::mul, DType::i32, {own, integer(2)});
  Node made;
  made.op = Op::take;
  made.dtype = dtype;
  made.operands = {x.id, at.id};
  made.axis = dim;
  made.dims = united(without(x.dims, dim), at.dims);
  return {gate_.value(made, where()), dtype, made.dims};
}

Typed Writer::plain_leaf(DType dtype, const Dims& allowed) {
  const auto known = readable(dtype, allowed);
  if (!known.empty() && random_.chance(60)) return random_.of(known);
  if (random_.chance(25)) {
    if (dtype == DType::i32)
      return random_.chance(50) ? scalar('w', dtype) : integer(random_.between(-6, 9));
    if (dtype == DType::f32)
      return random_.chance(50) ? scalar('s', dtype) : number(dtype, random_.between(-8, 8) / 4.0);
  }
  if (dtype == DType::i32 && random_.chance(50)) return small_integer(allowed);
  Dims dims;
  for (const std::string& dim : allowed)
    if (random_.chance(60)) dims.push_back(dim);
  if (dims.empty() && !allowed.empty()) dims = {random_.of(allowed)};
  return load(dtype == DType::i32 ? 'i' : 'x', dtype, dims);
}

/// What masks and indices are made of: never near the ends of 32 bits.
Typed Writer::small_integer(const Dims& allowed) {
  if (!allowed.empty() && random_.chance(60)) return index_of(random_.of(allowed));
  if (recipe_.has_batch && random_.chance(40)) return {batch_, DType::i32, {}};
  if (!allowed.empty() && random_.chance(50)) return extent_of(random_.of(allowed));
  return random_.chance(50) ? scalar('w', DType::i32) : integer(random_.between(-6, 9));
}

Typed Writer::floating(const Dims& allowed, int depth) {
  if (depth == 0 || random_.chance(15)) return leaf(DType::f32, allowed);
  const auto next = [&] { return floating(allowed, depth - 1); };
  if (!recipe_.exact && random_.chance(35)) return rounding(allowed, depth);
  switch (random_.below(12)) {
    case 0:
    case 1: {
      const Typed a = next();
      return node(Op::add, DType::f32, {a, next()});
    }
    case 2: {
      const Typed a = next();
      return node(Op::sub, DType::f32, {a, next()});
    }
    case 3: {
      const Typed a = next();
      return node(Op::mul, DType::f32, {a, leaf(DType::f32, allowed)});
    }
    case 4: {  // (x * a) * b, which meets itself in one factor
      const Typed a = node(Op::mul, DType::f32, {next(), scalar('s', DType::f32)});
      return node(Op::mul, DType::f32,
                  {a, random_.chance(50) ? number(DType::f32, 0.5) : scalar('s', DType::f32)});
    }
    case 5: {
      const Typed a = next();
      return node(Op::minimum, DType::f32, {a, next()});
    }
    case 6: {
      const Typed a = next();
      return node(Op::maximum, DType::f32, {a, next()});
    }
    case 7: {
      const Op op = random_.chance(50) ? Op::neg : Op::abs;
      return node(op, DType::f32, {next()});
    }
    case 8: {
      const Typed c = condition(allowed, depth - 1);
      const Typed a = next();
      return node(Op::select, DType::f32, {c, a, next()});
    }
    case 9:
      return cast(DType::f32,
                  node(Op::mod, DType::i32, {integral(allowed, depth - 1), integer(7)}));
    case 10: {  // a quotient by a power of two that may vary along a row or an element
      const Typed a = next();
      if (random_.chance(50))  // not 0 in the tensor, and 0 past its end
        return node(Op::div, DType::f32, {a, load('y', DType::f32, allowed)});
      const Typed c = condition(allowed, depth - 1);
      return node(
          Op::div, DType::f32,
          {a, node(Op::select, DType::f32, {c, number(DType::f32, 2), number(DType::f32, -4)})});
    }
    default: {
      const Typed half =
          random_.chance(50) ? leaf(recipe_.half, allowed) : cast(recipe_.half, next());
      return cast(DType::f32, half);
    }
  }
}

/// Operations whose results are rounded: kept where their argument is tame.
Typed Writer::rounding(const Dims& allowed, int depth) {
  const auto next = [&] { return floating(allowed, depth - 1); };
  const auto tame = [&](double low, double high) {
    const Typed low_end = node(Op::maximum, DType::f32, {next(), number(DType::f32, low)});
    return node(Op::minimum, DType::f32, {low_end, number(DType::f32, high)});
  };
  const auto positive = [&] {
    return node(Op::add, DType::f32,
                {node(Op::abs, DType::f32, {next()}), number(DType::f32, 0.75)});
  };
  switch (random_.below(12)) {
    case 10: return node(Op::log2, DType::f32, {load('y', DType::f32, allowed)});
    case 11: return node(Op::rsqrt, DType::f32, {load('y', DType::f32, allowed)});
    case 0: return node(Op::exp2, DType::f32, {tame(-8, 3)});
    case 1: return node(Op::exp, DType::f32, {tame(-6, 2)});
    case 2: return node(Op::log2, DType::f32, {positive()});
    case 3: return node(Op::log, DType::f32, {positive()});
    case 4: return node(Op::tanh, DType::f32, {next()});
    case 5: return node(Op::rsqrt, DType::f32, {positive()});
    case 6: return node(Op::sqrt, DType::f32, {node(Op::abs, DType::f32, {next()})});
    case 7: {
      const Typed a = tame(-4, 2);
      return node(Op::exp2_safe, DType::f32, {a, tame(-1, 4)});
    }
    case 8: {
      const Typed a = next();
      return node(Op::div, DType::f32, {a, positive()});
    }
    default: {
      const Typed a = next();
      return node(Op::mul, DType::f32, {a, number(DType::f32, random_.between(-9, 9) / 7.0)});
    }
  }
}

Typed Writer::integral(const Dims& allowed, int depth) {
  if (depth == 0 || random_.chance(20)) return leaf(DType::i32, allowed);
  const auto next = [&] { return integral(allowed, depth - 1); };
  const auto divisor = [&]() -> Typed {
    switch (random_.below(4)) {
      case 0: return integer(random_.between(1, 7));
      case 1: return integer(-random_.between(1, 7));
      case 2: return scalar('w', DType::i32);
      default: {  // never 0: odd
        const Typed odd = node(Op::bit_or, DType::i32,
                               {node(Op::mod, DType::i32, {next(), integer(8)}), integer(1)});
        return odd;
      }
    }
  };
  switch (random_.below(16)) {
    case 0: {
      const Typed a = next();
      return node(Op::add, DType::i32, {a, next()});
    }
    case 1: {
      const Typed a = next();
      return node(Op::sub, DType::i32, {a, next()});
    }
    case 2: {
      const Typed a = next();
      return node(Op::mul, DType::i32, {a, next()});
    }
    case 3: {
      const Typed a = next();
      return node(Op::div, DType::i32, {a, divisor()});
    }
    case 4: {
      const Typed a = next();
      return node(Op::mod, DType::i32, {a, divisor()});
    }
    case 5: {
      const Typed a = next();
      return node(Op::minimum, DType::i32, {a, next()});
    }
    case 6: {
      const Typed a = next();
      return node(Op::maximum, DType::i32, {a, next()});
    }
    case 7: return node(Op::neg, DType::i32, {next()});
    case 8: return node(Op::abs, DType::i32, {next()});
    case 9: {
      const Op op = random_.chance(50) ? Op::shl : Op::shr;
      const Typed a = next();
      if (random_.chance(30)) return node(op, DType::i32, {a, next()});  // by any number
      return node(op, DType::i32, {a, integer(random_.below(6))});
    }
    case 10: {
      const Typed a = next();
      const Op op = random_.of(std::vector<Op>{Op::bit_and, Op::bit_or, Op::bit_xor});
      return node(op, DType::i32, {a, next()});
    }
    case 11: return node(Op::bit_not, DType::i32, {next()});
    case 12: {
      const Typed c = condition(allowed, depth - 1);
      const Typed a = next();
      return node(Op::select, DType::i32, {c, a, next()});
    }
    case 13: {  // wraps
      const Typed a =
          random_.chance(20) ? integer(random_.chance(50) ? 1000000007 : -987654321) : next();
      return node(Op::mul, DType::i32, {a, integer(random_.chance(50) ? 1000003 : -1640531527)});
    }
    case 14: {
      const Typed seed = random_.chance(50) ? scalar('w', DType::i32) : integer(random_.below(99));
      const Typed offset = next();
      return node(Op::random_bits, DType::i32, {seed, integer(random_.below(3)), offset, next()});
    }
    default:  // seldom: the processor's flag takes a truncation for a rounding
      if (random_.chance(75)) return leaf(DType::i32, allowed);
      return cast(DType::i32, recipe_.exact ? floating(allowed, depth - 1) : leaf(DType::f32, {}));
  }
}

Typed Writer::condition(const Dims& allowed, int depth) {
  if (depth > 0 && random_.chance(30)) {
    const Typed a = condition(allowed, depth - 1);
    if (random_.chance(30)) return node(Op::logical_not, DType::b1, {a});
    const Op op = random_.chance(50) ? Op::logical_and : Op::logical_or;
    return node(op, DType::b1, {a, condition(allowed, depth - 1)});
  }
  const std::vector<Op> comparisons = {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne};
  const Op op = random_.of(comparisons);
  if (recipe_.exact && random_.chance(40)) {  // a rounded number near its bound proves nothing
    const Typed a = floating(allowed, depth > 0 ? depth - 1 : 0);
    return node(op, DType::b1, {a, leaf(DType::f32, allowed)});
  }
  const Typed a = depth > 0 ? integral(allowed, depth - 1) : small_integer(allowed);
  return node(op, DType::b1, {a, small_integer(allowed)});
}

Typed Writer::value(DType dtype, const Dims& allowed, int depth) {
  if (dtype == DType::i32) return integral(allowed, depth);
  if (is_half(dtype)) return cast(dtype, floating(allowed, depth));
  return floating(allowed, depth);
}

Typed Writer::cast(DType to, const Typed& x) {
  if (x.dtype == to) return x;
  return node(Op::cast, to, {x});
}

Typed Writer::dot(const Typed& a, const Typed& b, const std::string& axis) {
  Node made;
  made.op = Op::dot;
  made.dtype = DType::f32;
  made.operands = {a.id, b.id};
  made.axis = axis;
  made.dims = united(without(a.dims, axis), without(b.dims, axis));
  return {gate_.value(made, where()), DType::f32, made.dims};
}

Typed Writer::reduce(Op op, const Typed& x, const std::string& axis) {
  Node made;
  made.op = op;
  made.dtype = op == Op::reduce_argmax ? DType::i32 : x.dtype;
  made.operands = {x.id};
  made.axis = axis;
  made.dims = without(x.dims, axis);
  return {gate_.value(made, where()), made.dtype, made.dims};
}

/// The same numbers over more dimensions.
Typed Writer::spread(Typed x, const Dims& over) {
  for (const std::string& dim : over)
    if (!contains(x.dims, dim)) {
      const Typed every = node(Op::ge, DType::b1, {index_of(dim), integer(0)});
      x = node(Op::select, x.dtype, {every, x, x});
    }
  return x;
}

}  // namespace tilewright::test
