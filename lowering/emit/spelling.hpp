// How one pointwise operation reads in C++: operators with the fewest parentheses that compilers do
// not warn about, functions of <cmath>, and a few small functions of the reference's own where C++
// means something else (division toward -inf, exp2 of a difference of infinities). Used by
// reference.cpp.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::emit {

/// Binding strength of the outermost operator, C++'s order: a larger number binds tighter.
namespace precedence {
inline constexpr int choice = 1, logical_or = 2, logical_and = 3, bits = 4, comparison = 5,
                     shift = 6, sum = 7, product = 8, unary = 9, primary = 10;
}

struct Spelled {
  std::string text;
  int precedence = emit::precedence::primary;
};

/// `x`, in parentheses unless it binds at least as tightly as `least`.
std::string at_least(const Spelled& x, int least);

/// What is known of the operands of an integer operation.
struct IntegerFacts {
  bool non_negative = false;  ///< neither operand is negative and a divisor is not 0
  bool small = false;         ///< the result cannot leave 32 bits
};

/// Functions of the reference's own that a text calls, by name.
using Calls = std::set<std::string>;

/// `operation` on spelled operands of type `from`, giving `to`. Throws Error{unsupported} for an
/// operation that is not pointwise.
Spelled spell(const ir::Operation& operation, DType from, DType to,
              const std::vector<Spelled>& operands, IntegerFacts facts, Calls& calls);

/// A constant of type `type`; a floating one always looks like one.
Spelled spell_constant(double value, DType type, Calls& calls);

/// Definitions of the functions in `calls`, in a fixed order, one a line.
std::vector<std::string> definitions_of(const Calls& calls);

}  // namespace tilewright::emit
