// i32 arithmetic on tiles and on scalars: division that rounds toward -inf, shifts by any number,
// bits, and what wraps, with negative operands and at the ends of 32 bits. Coordinates within a
// tile and within a tensor.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <tilewright/dsl.hpp>

#include "language_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;
constexpr Dim<"d"> D;

constexpr std::int64_t least = -2147483648, most = 2147483647;

std::int64_t wrapped(std::int64_t x) {
  return (x % 4294967296 + 4294967296 + 2147483648) % 4294967296 - 2147483648;
}
std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  return wrapped(
      static_cast<std::int64_t>(std::floor(static_cast<double>(a) / static_cast<double>(b))));
}
/// a * 2^n, rounded toward -inf, for n of either sign: a shift, whose every bit beyond 32 is lost.
std::int64_t times_power(std::int64_t a, std::int64_t n) {
  if (n >= 32) return 0;
  if (n <= -32) return a < 0 ? -1 : 0;
  return n >= 0 ? wrapped(a * (std::int64_t{1} << n))
                : static_cast<std::int64_t>(
                      std::floor(std::ldexp(static_cast<double>(a), static_cast<int>(n))));
}
/// Bit by bit, from the sign down.
std::int64_t by_bit(std::int64_t a, std::int64_t b, const std::function<bool(bool, bool)>& of) {
  std::int64_t sum = 0;
  for (int bit = 0; bit < 32; ++bit) {
    const auto has = [bit](std::int64_t x) {
      return ((x - least * 2) / (std::int64_t{1} << bit)) % 2 != 0;
    };
    if (of(has(a), has(b))) sum += bit == 31 ? least : std::int64_t{1} << bit;
  }
  return sum;
}

/// Every pair of these, then random ones.
std::vector<double> operands(std::int64_t count, bool first) {
  const double ends[] = {0, 1, -1, 2, -2, 7, -7, 31, 32, -32, 33, 65, least, least + 1, most};
  constexpr std::int64_t n = std::size(ends);
  std::vector<double> x = integers(count, -100, 100, first ? 81 : 82);
  for (std::int64_t i = 0; i < count && i < n * n; ++i) x[at(i)] = ends[first ? i / n : i % n];
  return x;
}

}  // namespace

TEST_CASE("tiles: negative operands and the ends of 32 bits") {
  const auto arithmetic = kernel(
      "arithmetic",
      [](In<"x", i32, M, N> X, In<"y", i32, M, N> Y, Out<"quotient", i32, M, N> Quotient,
         Out<"remainder", i32, M, N> Remainder, Out<"left", i32, M, N> Left,
         Out<"right", i32, M, N> Right, Out<"both", i32, M, N> Both, Out<"any", i32, M, N> Any,
         Out<"one", i32, M, N> One, Out<"other", i32, M, N> Other, Out<"mixed", i32, M, N> Mixed) {
        auto m = blocks(M);
        for_blocks(N, [&](auto n) {
          auto x = let("x_tile", load(X(m, n)));
          auto y = let("y_tile", load(Y(m, n)));
          auto divisor = let("divisor", where(y == 0, 3, y));
          store(Quotient(m, n), x / divisor);
          store(Remainder(m, n), x % divisor);
          store(Left(m, n), x << y);
          store(Right(m, n), x >> y);
          store(Both(m, n), x & y);
          store(Any(m, n), x | y);
          store(One(m, n), x ^ y);
          store(Other(m, n), ~x);
          store(Mixed(m, n),
                ((x >> 3) & 0xff) + (y << 4) - (x >> 31) + (x << 31) + (y >> 40) + (y % 8 | 1));
        });
      });
  for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{17}, std::int64_t{65}}) {
    const std::int64_t columns = rows == 1 ? 333 : 19, count = rows * columns;
    Data x{i32, {rows, columns}, operands(count, true)};
    Data y{i32, {rows, columns}, operands(count, false)};
    Data empty{i32, {rows, columns}};
    std::map<std::string, Data> tensors{{"x", x}, {"y", y}};
    const auto expect = [&](const char* name,
                            const std::function<std::int64_t(std::int64_t, std::int64_t)>& of) {
      Data& result = tensors[name] = empty;
      for (std::int64_t i = 0; i < count; ++i)
        result.expected.push_back(
            static_cast<double>(of(static_cast<std::int64_t>(x.numbers[at(i)]),
                                   static_cast<std::int64_t>(y.numbers[at(i)]))));
    };
    const auto modulus = [](std::int64_t a, std::int64_t b) {
      return wrapped(a - b * static_cast<std::int64_t>(
                                 std::floor(static_cast<double>(a) / static_cast<double>(b))));
    };
    // A shift by less than 0 shifts everything out, as one by 32 does.
    const auto amount = [](std::int64_t n) { return n < 0 ? 32 : n; };
    expect("quotient", [](auto a, auto b) { return floor_quotient(a, b == 0 ? 3 : b); });
    expect("remainder", [&](auto a, auto b) { return modulus(a, b == 0 ? 3 : b); });
    expect("left", [&](auto a, auto b) { return times_power(a, amount(b)); });
    expect("right", [&](auto a, auto b) { return times_power(a, -amount(b)); });
    expect("both",
           [](auto a, auto b) { return by_bit(a, b, [](bool p, bool q) { return p && q; }); });
    expect("any",
           [](auto a, auto b) { return by_bit(a, b, [](bool p, bool q) { return p || q; }); });
    expect("one",
           [](auto a, auto b) { return by_bit(a, b, [](bool p, bool q) { return p != q; }); });
    expect("other", [](auto a, auto) { return -a - 1; });
    expect("mixed", [&](auto a, auto b) {
      const std::int64_t low =
          floor_quotient(a, 8) - 256 * floor_quotient(floor_quotient(a, 8), 256);
      const std::int64_t odd = modulus(b, 8) % 2 != 0 ? modulus(b, 8) : modulus(b, 8) + 1;
      return wrapped(low + times_power(b, 4) - (a < 0 ? -1 : 0) + times_power(a, 31) +
                     (b < 0 ? -1 : 0) + odd);
    });
    check(arithmetic, {tensors});
  }
}

TEST_CASE("scalars of the launch and of memory") {
  const auto scalars = kernel("scalars", [](In<"x", i32, M> X, Scalar<"a", i32> a,
                                            Scalar<"b", i32> b, Out<"y", i32, M, D> Y) {
    auto m = each(M);
    auto x = let("x_here", load(X(m)));
    auto d = index(D);
    auto pick = [&](int i, auto value, auto rest) { return where(d == i, value, rest); };
    store(Y(m, D),
          pick(0, a / b,
               pick(1, a % b,
                    pick(2, a << (b & 31),
                         pick(3, a >> b,
                              pick(4, x & a, pick(5, x | b, pick(6, x ^ ~a, x << m + d))))))));
  });
  for (const auto& [a, b] : {std::pair{-17, 5}, {17, -5}, {-1, 1}, {1000000007, 40}, {-8, -3}}) {
    Data x{i32, {9}, {0, 1, -1, 5, -6, 77, 123456, -123456, 2}}, y{i32, {9, 8}};
    for (std::int64_t i = 0; i < 9; ++i) {
      const auto number = static_cast<std::int64_t>(x.numbers[at(i)]);
      const auto logic = [](std::int64_t p, std::int64_t q, auto of) { return by_bit(p, q, of); };
      const std::int64_t row[] = {
          floor_quotient(a, b),
          a - b * floor_quotient(a, b),
          times_power(a, by_bit(b, 31, [](bool p, bool q) { return p && q; })),
          times_power(a, b < 0 ? -32 : -b),
          logic(number, a, [](bool p, bool q) { return p && q; }),
          logic(number, b, [](bool p, bool q) { return p || q; }),
          logic(number, -a - 1, [](bool p, bool q) { return p != q; }),
          times_power(number, i + 7)};
      for (const std::int64_t value : row) y.expected.push_back(static_cast<double>(value));
    }
    check(scalars, {{{"x", x}, {"y", y}}, {{"a", a}, {"b", b}}, {{"d", 8}}});
  }
}

TEST_CASE("iota counts from the start of the tile, index from that of the tensor") {
  const auto places = kernel("places", [](In<"x", f32, M, D> X, Out<"row", i32, M> R,
                                          Out<"y", i32, M, D> Y, Out<"shown", f32, M, D> S) {
    auto m = blocks(M, 8);
    store(R(m), iota(M) * 1000 + index(M));
    store(Y(m, D), iota(M) * 1000 + iota(D) - index(D));
    store(S(m, D), where(iota(M) % 2 == 0 && iota(D) < 5, load(X(m, D)), 0.f));
  });
  for (const std::int64_t rows : odd_extents) {
    const std::int64_t columns = rows == 333 ? 17 : 65;
    Data x{f32, {rows, columns}, noise(rows * columns, 83)};
    Data row{i32, {rows}}, y{i32, {rows, columns}}, shown{f32, {rows, columns}};
    for (std::int64_t i = 0; i < rows; ++i) {
      row.expected.push_back(static_cast<double>(i % 8 * 1000 + i));
      for (std::int64_t j = 0; j < columns; ++j) {
        y.expected.push_back(static_cast<double>(i % 8 * 1000));
        shown.expected.push_back(i % 8 % 2 == 0 && j < 5 ? x.numbers[at(i * columns + j)] : 0);
      }
    }
    check(places, {{{"x", x}, {"row", row}, {"y", y}, {"shown", shown}}, {}, {{"d", columns}}});
  }
}

TEST_CASE("floats become the nearest integer there is, NaN becomes 0") {
  const auto converts = kernel("converts", [](In<"x", f32, M> X, Out<"y", i32, M> Y) {
    auto m = blocks(M);
    store(Y(m), cast<i32>(load(X(m)) * 1e30f));
  });
  const Data x{f32, {5}, {1e30, -1e30, 0, INFINITY, NAN}};
  Data y{i32, {5}, {}, {2147483647, -2147483648.0, 0, 2147483647, 0}};
  check(converts, {{{"x", x}, {"y", y}}});
}
