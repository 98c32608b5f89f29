// Inverts one inequality (mask_bounds.hpp). With m > 0 and F = floor(y / C):
//   m F + r >= 0  is  F >= ceil(-r / m) = -floor(r / m),  and  F >= t  is  y >= C t;
//  -m F + r >= 0  is  F <= floor(r / m),                  and  F <= t  is  y <= C t + C - 1.
#include "passes/mask_bounds.hpp"

#include <cstdlib>

namespace tilewright::passes {

namespace {

Bound make(Bound::Kind kind, RowFunction limit) { return {kind, std::move(limit)}; }

RowFunction constant(Linear offset) {
  RowFunction f;
  f.offset = std::move(offset);
  return f;
}

RowFunction shifted(Linear offset) {
  RowFunction f;
  f.kind = RowFunction::Kind::shifted;
  f.offset = std::move(offset);
  return f;
}

RowFunction step(Linear scale, Linear divisor, Linear shift, Linear offset) {
  if (scale.is(1) && divisor.is(1)) return shifted(shift + offset);
  RowFunction f;
  f.kind = RowFunction::Kind::step;
  f.scale = std::move(scale);
  f.divisor = std::move(divisor);
  f.shift = std::move(shift);
  f.offset = std::move(offset);
  return f;
}

/// a k + b q + c >= 0
std::optional<Bound> plain(std::int64_t a, std::int64_t b, const Linear& c) {
  if (a == 0 && b == 0) return make(Bound::Kind::guard, constant(c));
  const auto alone = [&](std::int64_t factor, Bound::Kind lower, Bound::Kind upper) {
    const Linear limit = floor_quotient(c, std::abs(factor));
    return factor > 0 ? make(lower, constant(limit * -1)) : make(upper, constant(limit));
  };
  if (b == 0) return alone(a, Bound::Kind::k_lower, Bound::Kind::k_upper);
  if (a == 0) return alone(b, Bound::Kind::q_lower, Bound::Kind::q_upper);
  if ((a > 0) == (b > 0)) return std::nullopt;
  const bool lower = a > 0;
  const auto kind = lower ? Bound::Kind::k_lower : Bound::Kind::k_upper;
  const std::int64_t m = std::abs(a);
  const std::int64_t n = std::abs(b);
  if (m == n) {
    const Linear limit = floor_quotient(c, m);
    return make(kind, shifted(lower ? limit * -1 : limit));
  }
  if (n == 1)  // k >= ceil((q - c) / m), or k <= floor((q + c) / m)
    return make(kind, step(1, m, lower ? c * -1 + (m - 1) : c, 0));
  if (m == 1) return make(kind, step(n, 1, 0, lower ? c * -1 : c));
  return std::nullopt;
}

/// A threshold t(q) for a quotient: constant, q + offset, or floor((q + shift) / divisor) + offset.
std::optional<Bound> compare(const Quotient& quotient, bool at_least, const RowFunction& t) {
  const Linear& c = quotient.divisor;
  if (t.kind == RowFunction::Kind::constant) {
    const Linear y = quotient.offset;
    if (at_least) return plain(quotient.k, quotient.q, y - product(c, t.offset));
    return plain(-quotient.k, -quotient.q, product(c, t.offset) + c - 1 - y);
  }
  if (quotient.k != 1 || quotient.q != 0) return std::nullopt;
  const Linear offset =
      product(c, t.offset) - quotient.offset + (at_least ? Linear(0) : c - Linear(1));
  const auto kind = at_least ? Bound::Kind::k_lower : Bound::Kind::k_upper;
  if (t.kind == RowFunction::Kind::table) {
    RowFunction steps = t;
    steps.scale = c;
    steps.offset = offset;
    return make(kind, std::move(steps));
  }
  if (t.kind == RowFunction::Kind::shifted) return make(kind, step(c, 1, 0, offset));
  return make(kind, step(c, t.divisor, t.shift, offset));
}

}  // namespace

Linear RowFunction::at(const Linear& q) const {
  switch (kind) {
    case Kind::constant: return offset;
    case Kind::shifted: return q + offset;
    case Kind::step:
    case Kind::table: return product(floor_quotient(q + shift, divisor), scale) + offset;
  }
  return offset;
}

namespace {

Linear end_of(const char* end, int tile) {
  return Linear(ir::IntExpr::symbol(std::string(end) + "(" + std::to_string(tile) + ")"));
}

/// floor((r + shift) / divisor), r the rows' part of `x` or its negation.
RowFunction of_table(const Affine& x, bool minus, const Linear& shift, const Linear& divisor,
                     MaskReader& reader) {
  const auto [tile, sign] = reader.row_tile(x);
  RowFunction f;
  f.kind = RowFunction::Kind::table;
  f.tile = tile;
  f.minus = minus != (sign < 0);
  f.shift = shift;
  f.divisor = divisor;
  return f;
}

/// a k + r + c >= 0 or a floor(k / C) + r + c >= 0, where r is what a row's tables give.
std::optional<Bound> by_table(const Affine& x, MaskReader& reader) {
  const Quotient* of_k = nullptr;
  for (const Quotient& quotient : x.quotients) {
    if (quotient.k == 0) continue;
    if (of_k || quotient.q != 0) return std::nullopt;
    of_k = &quotient;
  }
  if (of_k && x.k != 0) return std::nullopt;
  if (!of_k && x.k == 0) return make(Bound::Kind::row, of_table(x, false, x.constant, 1, reader));
  Linear size = std::abs(x.k);
  bool at_least = x.k > 0;
  if (of_k) {
    at_least = reader.is_positive(of_k->coefficient);
    if (!at_least && !reader.is_positive(of_k->coefficient * -1)) return std::nullopt;
    size = of_k->coefficient * (at_least ? 1 : -1);
  }
  const RowFunction t = at_least ? of_table(x, true, size - 1 - x.constant, size, reader)
                                 : of_table(x, false, x.constant, size, reader);
  if (of_k) return compare(*of_k, at_least, t);
  return make(at_least ? Bound::Kind::k_lower : Bound::Kind::k_upper, t);
}

}  // namespace

Linear RowFunction::least() const {
  return at(minus ? end_of("most", tile) * -1 : end_of("least", tile));
}
Linear RowFunction::most() const {
  return at(minus ? end_of("least", tile) * -1 : end_of("most", tile));
}

std::optional<Bound> bound_of(const Affine& x, MaskReader& reader) {
  if (!x.tables.empty()) return by_table(x, reader);
  if (x.quotients.empty()) return plain(x.k, x.q, x.constant);

  const Quotient* of_k = nullptr;
  const Quotient* of_q = nullptr;
  for (const Quotient& quotient : x.quotients) {
    const Quotient*& place = quotient.k != 0 ? of_k : of_q;
    if (place) return std::nullopt;
    place = &quotient;
  }
  const auto sign = [&](const Linear& form) {
    return reader.is_positive(form) ? 1 : reader.is_positive(form * -1) ? -1 : 0;
  };

  if (!of_k) {
    const int m = sign(of_q->coefficient);
    if (x.q != 0 || m == 0) return std::nullopt;
    const Linear size = of_q->coefficient * m;
    if (x.k == 0) {
      const Linear limit = floor_quotient(x.constant, size);
      return compare(*of_q, m > 0, constant(m > 0 ? limit * -1 : limit));
    }
    // k >= -m F - c, or k <= m F + c: both non-decreasing in q only with the signs apart.
    if (std::abs(x.k) != 1 || (x.k > 0) == (m > 0) || of_q->q != 1) return std::nullopt;
    const Linear offset = x.k > 0 ? x.constant * -1 : x.constant;
    return make(x.k > 0 ? Bound::Kind::k_lower : Bound::Kind::k_upper,
                step(size, of_q->divisor, of_q->offset, offset));
  }

  const int m = sign(of_k->coefficient);
  if (x.k != 0 || m == 0) return std::nullopt;
  const Linear size = of_k->coefficient * m;
  const bool at_least = m > 0;
  if (!of_q && x.q == 0) {
    const Linear limit = floor_quotient(x.constant, size);
    return compare(*of_k, at_least, constant(at_least ? limit * -1 : limit));
  }
  if (!of_q) {  // m F against q: the signs must be apart
    const bool apart = (x.q > 0) != at_least;
    if (!apart) return std::nullopt;
    if (size == Linear(std::abs(x.q))) {
      const Linear limit = floor_quotient(x.constant, size);
      return compare(*of_k, at_least, shifted(at_least ? limit * -1 : limit));
    }
    if (std::abs(x.q) != 1) return std::nullopt;
    // at least: F >= ceil((q - c) / m); at most: F <= floor((q + c) / m)
    return compare(*of_k, at_least,
                   step(1, size, at_least ? size - 1 - x.constant : x.constant, 0));
  }
  if (x.q != 0 || of_q->q != 1 || !(of_q->coefficient == of_k->coefficient * -1))
    return std::nullopt;
  const Linear limit = floor_quotient(x.constant, size);
  return compare(*of_k, at_least,
                 step(1, of_q->divisor, of_q->offset, at_least ? limit * -1 : limit));
}

}  // namespace tilewright::passes
