// Random masks for the property tests, with two meanings that share nothing: operations of the IR,
// and plain loops over one row of keys. They may read tables by row and by key, and ask for
// remainders.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../ir/kernel_builder.hpp"

namespace tilewright::test {

/// The numbers of one launch.
struct Given {
  std::int64_t rows = 1, keys = 1;
  std::int64_t a = 0, b = 0, t = 1;            ///< scalars; t is positive
  std::vector<std::int64_t> first, last, any;  ///< tables: by row, by row, by key
};

struct Written;
using WrittenPtr = std::shared_ptr<const Written>;

/// A number or a truth value.
struct Written {
  std::string what;  ///< "q", "k", "number", "scalar", "rows", "keys", "table", or empty: `op`
  Op op = Op::add;
  std::int64_t number = 0;
  std::string name;  ///< scalar, table
  std::vector<WrittenPtr> parts;

  /// [keys] of row q: what C++ makes of it.
  std::vector<std::int64_t> row(const Given& given, std::int64_t q) const;
  ValueId build(KernelBuilder& builder, ir::AxisId rows, ir::AxisId keys) const;
  std::string text() const;
};

inline std::vector<std::int64_t> Written::row(const Given& given, std::int64_t q) const {
  std::vector<std::int64_t> result(static_cast<std::size_t>(given.keys));
  if (what == "k") {
    for (std::int64_t k = 0; k < given.keys; ++k) result[static_cast<std::size_t>(k)] = k;
    return result;
  }
  if (!what.empty()) {
    if (what == "table" && name == "any") return given.any;
    const auto at = static_cast<std::size_t>(q);
    const std::int64_t value = what == "q"        ? q
                               : what == "number" ? number
                               : what == "rows"   ? given.rows
                               : what == "keys"   ? given.keys
                               : what == "table"
                                   ? (name == "first" ? given.first[at] : given.last[at])
                               : name == "a" ? given.a
                               : name == "b" ? given.b
                                             : given.t;
    std::fill(result.begin(), result.end(), value);
    return result;
  }
  const auto x = parts[0]->row(given, q);
  const auto y = parts.size() > 1 ? parts[1]->row(given, q) : x;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t m = x[i], n = y[i];
    const auto quotient = [&] { return m / n - (m % n != 0 && (m < 0) != (n < 0) ? 1 : 0); };
    switch (op) {
      case Op::add: result[i] = m + n; break;
      case Op::sub: result[i] = m - n; break;
      case Op::mul: result[i] = m * n; break;
      case Op::div: result[i] = quotient(); break;
      case Op::mod: result[i] = m - quotient() * n; break;
      case Op::minimum: result[i] = m < n ? m : n; break;
      case Op::maximum: result[i] = m < n ? n : m; break;
      case Op::abs: result[i] = m < 0 ? -m : m; break;
      case Op::lt: result[i] = m < n; break;
      case Op::le: result[i] = m <= n; break;
      case Op::gt: result[i] = m > n; break;
      case Op::ge: result[i] = m >= n; break;
      case Op::eq: result[i] = m == n; break;
      case Op::ne: result[i] = m != n; break;
      case Op::logical_and: result[i] = m && n; break;
      case Op::logical_or: result[i] = m || n; break;
      default: result[i] = !m; break;
    }
  }
  return result;
}

inline ValueId Written::build(KernelBuilder& builder, ir::AxisId rows, ir::AxisId keys) const {
  if (what == "q") return builder.index(rows);
  if (what == "k") return builder.index(keys);
  if (what == "number") return builder.number(number);
  if (what == "scalar") return builder.scalar(name, DType::i32);
  if (what == "rows") return builder.extent("q");
  if (what == "keys") return builder.extent("kv");
  if (what == "table") return builder.load(name, {builder.over(name == "any" ? keys : rows)});
  std::vector<ValueId> operands;
  for (const WrittenPtr& part : parts) operands.push_back(part->build(builder, rows, keys));
  return builder.apply(op, operands);
}

inline std::string Written::text() const {
  if (what == "number") return std::to_string(number);
  if (what == "scalar" || what == "table") return name;
  if (!what.empty()) return what;
  if (parts.size() == 1) return std::string(info(op).name) + "(" + parts[0]->text() + ")";
  return "(" + parts[0]->text() + " " + std::string(info(op).name) + " " + parts[1]->text() + ")";
}

inline WrittenPtr word(std::string what, std::string name = {}, std::int64_t number = 0) {
  return std::make_shared<Written>(Written{std::move(what), Op::add, number, std::move(name), {}});
}
inline WrittenPtr made(Op op, WrittenPtr x, WrittenPtr y = nullptr) {
  Written result{"", op, 0, "", {std::move(x)}};
  if (y) result.parts.push_back(std::move(y));
  return std::make_shared<Written>(std::move(result));
}

/// What the atoms of a mask are made of.
enum class Family { lines, slopes, grids, affine, modular, tables, all };

class WrittenMasks {
 public:
  WrittenMasks(unsigned seed, Family family) : random_(seed), family_(family) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool one_in(int n) { return between(1, n) == 1; }

  WrittenPtr mask(int depth) {
    if (depth == 0 || one_in(4)) return atom();
    if (one_in(5)) return made(Op::logical_not, mask(depth - 1));
    return made(one_in(2) ? Op::logical_and : Op::logical_or, mask(depth - 1), mask(depth - 1));
  }

  Given launch(std::int64_t longest) {
    Given g;
    g.rows = between(1, longest), g.keys = one_in(3) ? g.rows : between(1, longest);
    g.a = between(-10, longest), g.b = between(-10, 30), g.t = between(1, 24);
    const bool documents = one_in(2);
    std::int64_t from = 0, to = 0;
    for (std::int64_t q = 0; q < g.rows; ++q) {
      if (q >= to) from = to, to = q + between(1, 30);
      g.first.push_back(documents ? from : between(-5, g.keys + 5));
      g.last.push_back(documents ? to : between(-5, g.keys + 5));
    }
    for (std::int64_t k = 0; k < g.keys; ++k) g.any.push_back(between(0, 3));
    return g;
  }

 private:
  WrittenPtr number(std::int64_t low, std::int64_t high) {
    return word("number", "", between(low, high));
  }
  WrittenPtr constant() {
    return one_in(3) ? word("scalar", one_in(2) ? "a" : "b") : number(-20, 60);
  }
  WrittenPtr row() {
    if (one_in(2)) return word("q");
    return made(Op::sub, made(Op::add, word("q"), word("keys")), word("rows"));
  }
  WrittenPtr modulus() { return one_in(3) ? word("scalar", "t") : number(1, 24); }
  Op order() {
    const Op all[] = {Op::lt, Op::le, Op::gt, Op::ge};
    return all[between(0, 3)];
  }
  WrittenPtr key() { return word("k"); }

  WrittenPtr atom() {
    switch (family_) {
      case Family::lines: return line(1);
      case Family::slopes: return line(3);
      case Family::grids: return grid();
      case Family::affine: return affine();
      case Family::modular: return one_in(2) ? affine() : modular();
      case Family::tables: return one_in(2) ? affine() : table();
      case Family::all: break;
    }
    switch (between(0, 5)) {
      case 0: return affine();
      case 1: return modular();
      case 2: return table();
      case 3: return made(order(), made(Op::mul, key(), row()), number(0, 4000));
      case 4: return made(order(), word("table", "any"), number(0, 3));
      default:
        return made(
            one_in(2) ? Op::eq : order(),
            made(Op::add, made(Op::mul, key(), number(1, 3)), made(Op::mod, row(), modulus())),
            constant());
    }
  }

  /// a q + b k + c compared with 0 or with a length, a and b up to `steepest`, one of them not 0.
  WrittenPtr line(std::int64_t steepest) {
    const Op all[] = {Op::lt, Op::le, Op::gt, Op::ge, Op::eq, Op::ne};
    const auto times = [&](WrittenPtr x, std::int64_t factor) {
      return factor == 1 ? x : made(Op::mul, std::move(x), number(factor, factor));
    };
    const std::int64_t a = between(-steepest, steepest), b = between(-steepest, steepest);
    WrittenPtr sum = b != 0 || a == 0 ? times(key(), b == 0 ? 1 : b) : times(row(), a);
    if (a != 0 && b != 0) sum = made(Op::add, sum, times(row(), a));
    const WrittenPtr limits[] = {constant(), constant(), word("rows"), word("keys")};
    return made(all[between(0, one_in(3) ? 5 : 3)], made(Op::add, sum, constant()),
                limits[between(0, 3)]);
  }

  /// Rows or columns of a grid of tokens compared, within it or not.
  WrittenPtr grid() {
    if (one_in(6)) return affine();
    const Op part = one_in(3) ? Op::div : Op::mod;
    const WrittenPtr width = number(width_, width_);
    const WrittenPtr key = made(part, word("k"), width), row = made(part, word("q"), width);
    if (one_in(5)) return made(order(), key, number(-2, part == Op::div ? 4 : width_));
    return made(order(), key, made(Op::add, row, number(-9, 9)));
  }

  /// Prefixes, triangles, windows, chunks, ranges of rows.
  WrittenPtr affine() {
    switch (between(0, 5)) {
      case 0: return made(order(), key(), constant());
      case 1: return made(order(), row(), constant());
      case 2: return made(order(), key(), made(Op::add, row(), constant()));
      case 3:
        return made(one_in(2) ? Op::le : Op::gt, made(Op::abs, made(Op::sub, row(), key())),
                    constant());
      case 4: {
        const WrittenPtr size = modulus();
        return made(Op::eq, made(Op::div, key(), size), made(Op::div, row(), size));
      }
      default: return made(order(), row(), key());
    }
  }

  WrittenPtr compared(WrittenPtr x, std::int64_t high) {
    const Op all[] = {Op::eq, Op::ne, Op::eq, Op::lt, Op::le, Op::gt, Op::ge};
    return made(all[between(0, 6)], std::move(x),
                one_in(3)   ? number(0, 0)
                : one_in(6) ? word("scalar", "b")
                            : number(-1, high));
  }
  WrittenPtr modular() {
    const WrittenPtr t = modulus();
    switch (between(0, 5)) {
      case 0: return compared(made(Op::mod, made(Op::add, key(), constant()), t), 12);
      case 1: return compared(made(Op::mod, made(Op::sub, row(), key()), t), 12);
      case 2: return compared(made(Op::mod, row(), t), 12);
      case 3: return compared(made(Op::mod, made(Op::div, key(), number(1, 20)), number(2, 5)), 4);
      case 4:
        return made(one_in(2) ? Op::eq : Op::ne, made(Op::mod, key(), t), made(Op::mod, row(), t));
      default:
        return compared(
            made(Op::mod,
                 made(one_in(2) ? Op::add : Op::sub, made(Op::mul, key(), number(1, 3)), row()), t),
            12);
    }
  }

  WrittenPtr table() {
    const WrittenPtr read = word("table", one_in(2) ? "first" : "last");
    switch (between(0, 4)) {
      case 0: return made(order(), key(), read);
      case 1: return made(order(), read, made(Op::add, key(), constant()));
      case 2: return made(order(), read, constant());
      case 3: return made(order(), made(Op::sub, row(), read), key());
      default:
        return made(Op::logical_and, made(Op::ge, key(), word("table", "first")),
                    made(Op::lt, key(), word("table", "last")));
    }
  }

  std::mt19937 random_;
  Family family_;
  std::int64_t width_ = family_ == Family::grids ? between(12, 80) : 0;
};

}  // namespace tilewright::test
