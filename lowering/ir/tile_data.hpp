// A tile's elements while the interpreter runs, and arithmetic on them: broadcasting by axis, the
// meaning of each pointwise operation, reductions and contractions that leave hidden elements out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::ir {

/// Floating tiles hold f32 values, all others 64-bit integers already wrapped to their type.
struct TileData {
  DType dtype = DType::f32;
  std::vector<AxisId> axes;
  std::vector<std::int64_t> shape;
  std::vector<float> floats;
  std::vector<std::int64_t> integers;

  TileData() = default;
  TileData(DType type, std::vector<AxisId> axis_ids, std::vector<std::int64_t> sizes);

  std::size_t size() const;
  bool floating() const { return is_floating(dtype); }
  int find(AxisId axis) const;  ///< position among the axes, or -1
  void fill(double value);
};
using TilePointer = std::shared_ptr<const TileData>;

/// `tile` over `axes` (a superset of its own), in that order.
TileData broadcast(const TileData& tile, const std::vector<AxisId>& axes,
                   const std::vector<std::int64_t>& shape);

/// A pointwise operation on tiles that have the result's axes already.
TileData apply(Op op, DType result, const std::vector<const TileData*>& operands);

/// Over one axis; `visible` (b1, the operand's axes or fewer) may be null: all are. `first`: the
/// logical index of the axis's first element, for reduce_argmax.
TileData reduce(Op op, const TileData& x, AxisId axis, const TileData* visible, std::int64_t first);

/// The nearest TF32 number, ties away from zero (PTX ISA, cvt.rna.tf32.f32); infinities and NaN
/// stay.
float round_to_tf32(float x);

/// x where its `axis` is at the index that `picks` holds, counted from `first`; 0 outside of x.
TileData take(const TileData& x, const TileData& picks, AxisId axis, std::int64_t first,
              const std::vector<AxisId>& result_axes,
              const std::vector<std::int64_t>& result_shape);

/// Contracts `axis`; adds to `sum`, which has the result's axes in any order and may be null.
TileData contract(const TileData& a, const TileData& b, AxisId axis, const TileData* sum,
                  const TileData* visible, const std::vector<AxisId>& result_axes,
                  const std::vector<std::int64_t>& result_shape, DType result_type);

}  // namespace tilewright::ir
