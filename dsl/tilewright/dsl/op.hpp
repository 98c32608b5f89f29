// The vocabulary of tile programs: every operation the language can record and the passes can
// insert, with its name, its number of operands and what kind of thing it is. The one table of
// operations.
#pragma once

#include <cstdint>
#include <string_view>

namespace tilewright {

enum class Op : std::uint8_t {
  // Scalars that come from outside, and coordinates.
  constant,         ///< a number; where it starts a `Var`, a tile filled with it
  scalar_argument,  ///< a Scalar of the kernel's signature
  each,             ///< index of a grid dimension with one program per index
  block,   ///< number of the grid's tile of a dimension (region argument of a loop otherwise)
  index,   ///< i32 tile: the logical index of each element of an axis
  iota,    ///< i32 tile: the index of each element of an axis within its tile
  extent,  ///< i32: the extent of a dimension
  // Memory.
  load,
  store,
  atomic_add,  ///< adds to what memory holds; any number of programs may add to one element
  // Pointwise, broadcasting by dimension name.
  add,
  sub,
  mul,
  div,
  mod,
  neg,
  minimum,
  maximum,
  exp2,
  exp,
  log2,
  log,
  tanh,
  rsqrt,
  sqrt,
  abs,
  exp2_safe,  ///< (x, m): exp2(x - m), 0 where m is -inf
  cast,
  select,  ///< (condition, if_true, if_false)
  lt,
  le,
  gt,
  ge,
  eq,
  ne,
  logical_and,
  logical_or,
  logical_not,
  shl,
  shr,
  bit_and,
  bit_or,
  bit_xor,
  bit_not,
  random_bits,  ///< (seed, seed_high, offset, stream): 32 bits of Philox4x32-10
  // Over one axis.
  dot,  ///< (a, b[, accumulator]): contracts one dimension
  reduce_max,
  reduce_sum,
  reduce_argmax,  ///< i32: the logical index of the largest, of equal ones the lowest; -1: of none
  take,           ///< (x, i): x where its axis is at i, 0 where that is outside of x
  // Control. A region ends with `yield`.
  for_blocks,  ///< over the tiles of a dimension that a mask leaves
  for_range,   ///< over 0 … count-1
  when,        ///< (condition, values …): its body once, which yields new values, or those given
  yield,
  // What scheduling inserts.
  shared_alloc,  ///< a buffer in shared memory: `stages` copies of a tile
  copy_async,    ///< (buffer): a tile of a tensor into a stage of it; gives a token
  wait,          ///< (tokens): these copies of this thread are complete
  barrier,       ///< all threads of the block
  operand_load,  ///< (buffer): a tile from shared memory as an operand fragment of the tensor cores
  convert_layout,  ///< the same tile in another place (registers to shared memory, an accumulator
                   ///< as an operand)
  finish_reduce,   ///< (x): completes over lanes, or all threads, a sum that was kept per thread
};

enum class OpKind : std::uint8_t { leaf, memory, pointwise, tile, control, scheduled };

struct OpInfo {
  std::string_view name;
  int arity;  ///< number of operands, -1 where it varies
  OpKind kind;
};

constexpr OpInfo info(Op op) {
  switch (op) {
    case Op::constant: return {"constant", 0, OpKind::leaf};
    case Op::scalar_argument: return {"scalar", 0, OpKind::leaf};
    case Op::each: return {"each", 0, OpKind::leaf};
    case Op::block: return {"block", 0, OpKind::leaf};
    case Op::index: return {"index", 0, OpKind::leaf};
    case Op::iota: return {"iota", 0, OpKind::leaf};
    case Op::extent: return {"extent", 0, OpKind::leaf};
    case Op::load: return {"load", -1, OpKind::memory};
    case Op::store: return {"store", -1, OpKind::memory};
    case Op::atomic_add: return {"atomic_add", -1, OpKind::memory};
    case Op::add: return {"add", 2, OpKind::pointwise};
    case Op::sub: return {"sub", 2, OpKind::pointwise};
    case Op::mul: return {"mul", 2, OpKind::pointwise};
    case Op::div: return {"div", 2, OpKind::pointwise};
    case Op::mod: return {"mod", 2, OpKind::pointwise};
    case Op::neg: return {"neg", 1, OpKind::pointwise};
    case Op::minimum: return {"min", 2, OpKind::pointwise};
    case Op::maximum: return {"max", 2, OpKind::pointwise};
    case Op::exp2: return {"exp2", 1, OpKind::pointwise};
    case Op::exp: return {"exp", 1, OpKind::pointwise};
    case Op::log2: return {"log2", 1, OpKind::pointwise};
    case Op::log: return {"log", 1, OpKind::pointwise};
    case Op::tanh: return {"tanh", 1, OpKind::pointwise};
    case Op::rsqrt: return {"rsqrt", 1, OpKind::pointwise};
    case Op::sqrt: return {"sqrt", 1, OpKind::pointwise};
    case Op::abs: return {"abs", 1, OpKind::pointwise};
    case Op::exp2_safe: return {"exp2_safe", 2, OpKind::pointwise};
    case Op::cast: return {"cast", 1, OpKind::pointwise};
    case Op::select: return {"where", 3, OpKind::pointwise};
    case Op::lt: return {"lt", 2, OpKind::pointwise};
    case Op::le: return {"le", 2, OpKind::pointwise};
    case Op::gt: return {"gt", 2, OpKind::pointwise};
    case Op::ge: return {"ge", 2, OpKind::pointwise};
    case Op::eq: return {"eq", 2, OpKind::pointwise};
    case Op::ne: return {"ne", 2, OpKind::pointwise};
    case Op::logical_and: return {"and", 2, OpKind::pointwise};
    case Op::logical_or: return {"or", 2, OpKind::pointwise};
    case Op::logical_not: return {"not", 1, OpKind::pointwise};
    case Op::shl: return {"shl", 2, OpKind::pointwise};
    case Op::shr: return {"shr", 2, OpKind::pointwise};
    case Op::bit_and: return {"bit_and", 2, OpKind::pointwise};
    case Op::bit_or: return {"bit_or", 2, OpKind::pointwise};
    case Op::bit_xor: return {"bit_xor", 2, OpKind::pointwise};
    case Op::bit_not: return {"bit_not", 1, OpKind::pointwise};
    case Op::random_bits: return {"random_bits", 4, OpKind::pointwise};
    case Op::dot: return {"dot", -1, OpKind::tile};
    case Op::reduce_max: return {"reduce_max", -1, OpKind::tile};
    case Op::reduce_sum: return {"reduce_sum", -1, OpKind::tile};
    case Op::reduce_argmax: return {"reduce_argmax", -1, OpKind::tile};
    case Op::take: return {"take", -1, OpKind::tile};
    case Op::for_blocks: return {"for_blocks", -1, OpKind::control};
    case Op::for_range: return {"for_range", -1, OpKind::control};
    case Op::when: return {"when", -1, OpKind::control};
    case Op::yield: return {"yield", -1, OpKind::control};
    case Op::shared_alloc: return {"shared_alloc", 0, OpKind::scheduled};
    case Op::copy_async: return {"copy_async", -1, OpKind::scheduled};
    case Op::wait: return {"wait", -1, OpKind::scheduled};
    case Op::barrier: return {"barrier", 0, OpKind::scheduled};
    case Op::operand_load: return {"operand_load", -1, OpKind::scheduled};
    case Op::convert_layout: return {"convert_layout", 1, OpKind::scheduled};
    case Op::finish_reduce: return {"finish_reduce", -1, OpKind::scheduled};
  }
  return {"?", -1, OpKind::leaf};
}

constexpr bool writes_memory(Op op) { return op == Op::store || op == Op::atomic_add; }
constexpr bool is_pointwise(Op op) { return info(op).kind == OpKind::pointwise; }
constexpr bool is_comparison(Op op) { return op >= Op::lt && op <= Op::ne; }
constexpr bool is_reduction(Op op) { return op >= Op::reduce_max && op <= Op::reduce_argmax; }

}  // namespace tilewright
