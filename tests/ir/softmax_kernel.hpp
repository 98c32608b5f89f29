// The kernel the IR's tests share: a softmax over a masked axis that is never whole in memory,
// between two contractions. Built by hand, the way the language's own construct traces.
#pragma once

#include <functional>
#include <limits>

#include "kernel_builder.hpp"

namespace tilewright::test {

struct SoftmaxShape {
  int row_tile = 16;
  int key_tile = 16;
  int depth = 8;   ///< extent of d
  int width = 12;  ///< extent of e
  DType dtype = DType::bf16;
};

/// `mask` gets the builder and the axes of q and kv; may be empty.
using MaskMaker = std::function<ValueId(KernelBuilder&, ir::AxisId, ir::AxisId)>;

inline ir::Kernel softmax_kernel(const SoftmaxShape& shape, const MaskMaker& mask) {
  KernelBuilder b("rows");
  using Kind = Argument::Kind;
  b.tensor(Kind::in, "q", shape.dtype, {"batch", "q", "d"});
  b.tensor(Kind::in, "k", shape.dtype, {"batch", "kv", "d"});
  b.tensor(Kind::in, "v", shape.dtype, {"batch", "kv", "e"});
  b.tensor(Kind::out, "out", shape.dtype, {"batch", "q", "e"});
  b.tensor(Kind::out, "lse", DType::f32, {"batch", "q"});
  const ValueId batch = b.each("batch");
  const ir::AxisId rows = b.blocks("q", shape.row_tile);
  const ir::AxisId keys = b.loop_axis("kv", shape.key_tile);
  const ir::AxisId d = b.whole("d", shape.depth);
  const ir::AxisId e = b.whole("e", shape.width);
  const ValueId scale = b.scalar("scale", DType::f32);
  const ValueId q = b.name(b.load("q", {b.at(batch), b.over(rows), b.over(d)}), "q");
  const double none = -std::numeric_limits<double>::infinity();
  const auto result = b.for_blocks(
      keys,
      {b.filled(DType::f32, none, {rows}), b.filled(DType::f32, 0, {rows}),
       b.filled(DType::f32, 0, {rows, e})},
      mask ? std::function<ValueId()>([&] { return mask(b, rows, keys); }) : nullptr,
      [&](const KernelBuilder::Values& state) -> KernelBuilder::Values {
        const ValueId k = b.load("k", {b.at(batch), b.over(keys), b.over(d)});
        const ValueId s = b.name(b.apply(Op::mul, {b.dot(q, k, d), scale}), "s");
        const ValueId top =
            b.name(b.apply(Op::maximum, {state[0], b.reduce(Op::reduce_max, s, keys)}), "m_new");
        const ValueId p = b.name(b.apply(Op::exp2_safe, {s, top}), "p");
        const ValueId alpha = b.name(b.apply(Op::exp2_safe, {state[0], top}), "alpha");
        const ValueId sum = b.apply(
            Op::add, {b.apply(Op::mul, {state[1], alpha}), b.reduce(Op::reduce_sum, p, keys)});
        const ValueId v = b.load("v", {b.at(batch), b.over(keys), b.over(e)});
        const ValueId product = b.dot(b.cast(shape.dtype, p), v, keys);
        const ValueId acc = b.apply(Op::add, {b.apply(Op::mul, {state[2], alpha}), product});
        return {top, sum, acc};
      });
  const char* names[] = {"row_max", "row_sum", "acc"};
  for (std::size_t i = 0; i < 3; ++i) b.name(result[i], names[i]);
  const ValueId empty = b.apply(Op::eq, {result[1], b.constant(DType::f32, 0)});
  const ValueId divisor = b.apply(Op::select, {empty, b.constant(DType::f32, 1), result[1]});
  const ValueId out = b.apply(Op::div, {result[2], divisor});
  b.store("out", {b.at(batch), b.over(rows), b.over(e)}, out);
  const ValueId lse = b.apply(Op::add, {result[0], b.apply(Op::log2, {result[1]})});
  b.store("lse", {b.at(batch), b.over(rows)}, lse);
  return std::move(b.kernel);
}

inline ValueId bottom_right(KernelBuilder& b, ir::AxisId rows, ir::AxisId keys) {
  const ValueId p =
      b.apply(Op::sub, {b.apply(Op::add, {b.index(rows), b.extent("kv")}), b.extent("q")});
  return b.apply(Op::ge, {p, b.index(keys)});
}

}  // namespace tilewright::test
