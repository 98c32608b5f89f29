// Random mask expressions with two independent meanings: operations of the IR, and plain C++ on one
// pair of indices. The tests compare what the analysis says of the first with a count of the
// second.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "../ir/kernel_builder.hpp"

namespace tilewright::test {

/// The numbers of one launch.
struct Launch {
  std::int64_t rows = 1;
  std::int64_t keys = 1;
  std::int64_t a = 0;      ///< scalar(a)
  std::int64_t b = 0;      ///< scalar(b)
  std::int64_t chunk = 1;  ///< scalar(chunk), positive
};

struct Index2 {
  std::int64_t q, k;
};

inline std::int64_t floor_div(std::int64_t x, std::int64_t y) {
  const std::int64_t z = x / y;
  return z - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
}

/// The IR values a mask is built from, one set per kernel.
struct MaskValues {
  KernelBuilder* builder;
  ir::AxisId rows, keys;
  ValueId q() const { return builder->index(rows); }
  ValueId k() const { return builder->index(keys); }
};

struct Number {
  virtual ~Number() = default;
  virtual std::int64_t at(const Launch& launch, Index2 i) const = 0;
  virtual ValueId build(const MaskValues& values) const = 0;
};
using NumberPtr = std::shared_ptr<const Number>;

struct Leaf : Number {
  enum class Kind { q, k, constant, a, b, chunk, rows, keys } kind;
  std::int64_t value;
  explicit Leaf(Kind k, std::int64_t v = 0) : kind(k), value(v) {}
  std::int64_t at(const Launch& l, Index2 i) const override {
    switch (kind) {
      case Kind::q: return i.q;
      case Kind::k: return i.k;
      case Kind::constant: return value;
      case Kind::a: return l.a;
      case Kind::b: return l.b;
      case Kind::chunk: return l.chunk;
      case Kind::rows: return l.rows;
      case Kind::keys: return l.keys;
    }
    return 0;
  }
  ValueId build(const MaskValues& v) const override {
    switch (kind) {
      case Kind::q: return v.q();
      case Kind::k: return v.k();
      case Kind::constant: return v.builder->number(value);
      case Kind::a: return v.builder->scalar("a", DType::i32);
      case Kind::b: return v.builder->scalar("b", DType::i32);
      case Kind::chunk: return v.builder->scalar("chunk", DType::i32);
      case Kind::rows: return v.builder->extent("q");
      case Kind::keys: return v.builder->extent("kv");
    }
    return no_value;
  }
};

struct Binary : Number {
  Op op;
  NumberPtr x, y;
  Binary(Op o, NumberPtr l, NumberPtr r) : op(o), x(std::move(l)), y(std::move(r)) {}
  std::int64_t at(const Launch& l, Index2 i) const override {
    const std::int64_t a = x->at(l, i), b = y->at(l, i);
    switch (op) {
      case Op::add: return a + b;
      case Op::sub: return a - b;
      case Op::mul: return a * b;
      case Op::div: return floor_div(a, b);
      case Op::mod: return a - floor_div(a, b) * b;
      case Op::minimum: return std::min(a, b);
      case Op::shl: return a * (std::int64_t{1} << b);
      case Op::shr: return floor_div(a, std::int64_t{1} << b);
      case Op::bit_and: return a & b;
      default: return std::max(a, b);
    }
  }
  ValueId build(const MaskValues& v) const override {
    const ValueId a = x->build(v);
    const ValueId b = y->build(v);
    return v.builder->apply(op, {a, b});
  }
};

struct Absolute : Number {
  NumberPtr x;
  explicit Absolute(NumberPtr inner) : x(std::move(inner)) {}
  std::int64_t at(const Launch& l, Index2 i) const override { return std::abs(x->at(l, i)); }
  ValueId build(const MaskValues& v) const override {
    return v.builder->apply(Op::abs, {x->build(v)});
  }
};

struct Predicate {
  virtual ~Predicate() = default;
  virtual bool at(const Launch& launch, Index2 i) const = 0;
  virtual ValueId build(const MaskValues& values) const = 0;
};
using PredicatePtr = std::shared_ptr<const Predicate>;

struct Comparison : Predicate {
  Op op;
  NumberPtr x, y;
  Comparison(Op o, NumberPtr l, NumberPtr r) : op(o), x(std::move(l)), y(std::move(r)) {}
  bool at(const Launch& l, Index2 i) const override {
    const std::int64_t a = x->at(l, i), b = y->at(l, i);
    switch (op) {
      case Op::lt: return a < b;
      case Op::le: return a <= b;
      case Op::gt: return a > b;
      case Op::ge: return a >= b;
      case Op::eq: return a == b;
      default: return a != b;
    }
  }
  ValueId build(const MaskValues& v) const override {
    const ValueId a = x->build(v);
    const ValueId b = y->build(v);
    return v.builder->apply(op, {a, b});
  }
};

struct Logic : Predicate {
  Op op;
  PredicatePtr x, y;
  Logic(Op o, PredicatePtr l, PredicatePtr r = nullptr) : op(o), x(std::move(l)), y(std::move(r)) {}
  bool at(const Launch& l, Index2 i) const override {
    if (op == Op::logical_not) return !x->at(l, i);
    if (op == Op::logical_and) return x->at(l, i) && y->at(l, i);
    return x->at(l, i) || y->at(l, i);
  }
  ValueId build(const MaskValues& v) const override {
    const ValueId a = x->build(v);
    if (op == Op::logical_not) return v.builder->apply(op, {a});
    const ValueId b = y->build(v);
    return v.builder->apply(op, {a, b});
  }
};

inline NumberPtr leaf(Leaf::Kind kind) { return std::make_shared<Leaf>(kind); }
inline NumberPtr number(std::int64_t v) { return std::make_shared<Leaf>(Leaf::Kind::constant, v); }
inline NumberPtr combine(Op op, NumberPtr x, NumberPtr y) {
  return std::make_shared<Binary>(op, std::move(x), std::move(y));
}
inline PredicatePtr compare(Op op, NumberPtr x, NumberPtr y) {
  return std::make_shared<Comparison>(op, std::move(x), std::move(y));
}
inline PredicatePtr logic(Op op, PredicatePtr x, PredicatePtr y = nullptr) {
  return std::make_shared<Logic>(op, std::move(x), std::move(y));
}
inline NumberPtr row_index() { return leaf(Leaf::Kind::q); }
inline NumberPtr key_index() { return leaf(Leaf::Kind::k); }
/// q + extent(kv) - extent(q)
inline NumberPtr position() {
  return combine(Op::sub, combine(Op::add, row_index(), leaf(Leaf::Kind::keys)),
                 leaf(Leaf::Kind::rows));
}

}  // namespace tilewright::test
