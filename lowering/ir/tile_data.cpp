// Broadcasting, reductions and contractions of host tiles (tile_data.hpp). Pointwise meaning is in
// tile_pointwise.cpp.
#include "ir/tile_data.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ir/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

namespace {

std::size_t product_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

/// Copies with broadcasting: the innermost loop walks one stride.
template <typename T>
void spread(const std::vector<T>& from, std::vector<T>& to, const std::vector<std::int64_t>& shape,
            const std::vector<std::int64_t>& strides) {
  if (to.empty()) return;
  if (shape.empty()) {
    to[0] = from[0];
    return;
  }
  const std::size_t inner = shape.size() - 1;
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t offset = 0;
  for (std::size_t out = 0; out < to.size();) {
    for (std::int64_t i = 0; i < shape[inner]; ++i)
      to[out++] = from[static_cast<std::size_t>(offset + i * strides[inner])];
    for (std::size_t axis = inner; axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

bool is_subset(const std::vector<AxisId>& part, const std::vector<AxisId>& whole, AxisId except) {
  return std::all_of(part.begin(), part.end(), [&](AxisId axis) {
    return axis == except || std::find(whole.begin(), whole.end(), axis) != whole.end();
  });
}

}  // namespace

TileData::TileData(DType type, std::vector<AxisId> axis_ids, std::vector<std::int64_t> sizes)
    : dtype(type), axes(std::move(axis_ids)), shape(std::move(sizes)) {
  const std::size_t count = product_of(shape);
  if (floating())
    floats.assign(count, 0.f);
  else
    integers.assign(count, 0);
}

std::size_t TileData::size() const { return floating() ? floats.size() : integers.size(); }

int TileData::find(AxisId axis) const {
  const auto found = std::find(axes.begin(), axes.end(), axis);
  return found == axes.end() ? -1 : static_cast<int>(found - axes.begin());
}

void TileData::fill(double value) {
  if (floating())
    std::fill(floats.begin(), floats.end(), static_cast<float>(value));
  else
    std::fill(integers.begin(), integers.end(), static_cast<std::int64_t>(value));
}

TileData broadcast(const TileData& tile, const std::vector<AxisId>& axes,
                   const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> own(tile.axes.size(), 1);
  for (std::size_t i = own.size(); i-- > 1;) own[i - 1] = own[i] * tile.shape[i];
  std::vector<std::int64_t> strides(axes.size(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (const int at = tile.find(axes[i]); at >= 0) strides[i] = own[static_cast<std::size_t>(at)];
  TileData result(tile.dtype, axes, shape);
  if (tile.floating())
    spread(tile.floats, result.floats, shape, strides);
  else
    spread(tile.integers, result.integers, shape, strides);
  return result;
}

namespace {

/// Where in [begin, end) the largest of the shown elements stands first, or -1; NaN is never.
template <typename T, typename Shown>
std::int64_t place_of_largest(const std::vector<T>& x, std::size_t begin, std::size_t end,
                              const Shown& shown) {
  std::int64_t place = -1;
  T best{};
  for (std::size_t i = begin; i < end; ++i) {
    if (!shown(i) || x[i] != x[i] || (place >= 0 && !(x[i] > best))) continue;
    best = x[i];
    place = static_cast<std::int64_t>(i - begin);
  }
  return place;
}

}  // namespace

float round_to_tf32(float x) {
  if (!std::isfinite(x)) return x;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x1000u) & ~0x1fffu);
}

TileData reduce(Op op, const TileData& x, AxisId axis, const TileData* visible,
                std::int64_t first) {
  const int at = x.find(axis);
  if (visible && !is_subset(visible->axes, x.axes, -1))
    throw Error(errors::ir["mask-axis-missing"],
                "a reduction over a masked axis of a tile that lacks an axis of the mask");
  // Bring the axis innermost, so that each result is one run of elements.
  std::vector<AxisId> axes = x.axes;
  std::vector<std::int64_t> shape = x.shape;
  axes.erase(axes.begin() + at);
  shape.erase(shape.begin() + at);
  TileData result(op == Op::reduce_argmax ? DType::i32 : x.dtype, axes, shape);
  axes.push_back(axis);
  shape.push_back(x.shape[static_cast<std::size_t>(at)]);
  const TileData flat = broadcast(x, axes, shape);
  TileData mask;
  if (visible) mask = broadcast(*visible, axes, shape);
  const std::size_t run = static_cast<std::size_t>(shape.back());
  const bool sum = op == Op::reduce_sum;
  const auto shown = [&](std::size_t i) { return !visible || mask.integers[i] != 0; };
  for (std::size_t r = 0; r < result.size(); ++r) {
    if (op == Op::reduce_argmax) {
      const std::size_t begin = r * run, end = begin + run;
      const std::int64_t place = x.floating() ? place_of_largest(flat.floats, begin, end, shown)
                                              : place_of_largest(flat.integers, begin, end, shown);
      result.integers[r] = place < 0 ? -1 : static_cast<std::int32_t>(first + place);
    } else if (x.floating()) {
      float value = sum ? 0.f : -std::numeric_limits<float>::infinity();
      for (std::size_t i = r * run; i < (r + 1) * run; ++i)
        if (shown(i)) value = sum ? value + flat.floats[i] : std::fmax(value, flat.floats[i]);
      result.floats[r] = value;
    } else {
      const bool is_signed = x.dtype == DType::i32 || x.dtype == DType::i8;
      std::int64_t value = 0;
      if (!sum) {
        value = x.dtype == DType::i64   ? std::numeric_limits<std::int64_t>::min()
                : x.dtype == DType::i32 ? std::numeric_limits<std::int32_t>::min()
                : x.dtype == DType::i8  ? -128
                                        : 0;
      }
      for (std::size_t i = r * run; i < (r + 1) * run; ++i)
        if (shown(i)) value = sum ? value + flat.integers[i] : std::max(value, flat.integers[i]);
      if (x.dtype == DType::i32 || (is_signed && sum))
        value = static_cast<std::int32_t>(value);
      else if (x.dtype == DType::u32)
        value = static_cast<std::uint32_t>(value);
      result.integers[r] = value;
    }
  }
  return result;
}

TileData take(const TileData& x, const TileData& picks, AxisId axis, std::int64_t first,
              const std::vector<AxisId>& result_axes,
              const std::vector<std::int64_t>& result_shape) {
  TileData result(x.dtype, result_axes, result_shape);
  const TileData at = broadcast(picks, result_axes, result_shape);
  const std::int64_t length = x.shape[static_cast<std::size_t>(x.find(axis))];
  std::vector<std::int64_t> index(result_axes.size(), 0);
  for (std::size_t element = 0; element < result.size(); ++element) {
    const std::int64_t place = at.integers[element] - first;
    std::size_t from = 0;
    for (std::size_t i = 0; i < x.axes.size(); ++i) {
      const int own = result.find(x.axes[i]);
      const std::int64_t along = x.axes[i] == axis ? place : index[static_cast<std::size_t>(own)];
      from = from * static_cast<std::size_t>(x.shape[i]) + static_cast<std::size_t>(along);
    }
    if (place >= 0 && place < length) {
      if (x.floating())
        result.floats[element] = x.floats[from];
      else
        result.integers[element] = x.integers[from];
    }
    for (std::size_t i = index.size(); i-- > 0;) {
      if (++index[i] < result_shape[i]) break;
      index[i] = 0;
    }
  }
  return result;
}

namespace {

/// sum[batch][m][n] += a[batch][m][k] * b[batch][k][n] where visible[batch][m][k].
template <typename T>
void multiply(const std::vector<T>& a, const std::vector<T>& b, std::vector<T>& sum,
              const std::vector<std::int64_t>* visible, std::size_t batch, std::size_t m,
              std::size_t k, std::size_t n) {
  for (std::size_t row = 0; row < batch * m; ++row) {
    const std::size_t group = row / m;
    T* out = sum.data() + row * n;
    for (std::size_t i = 0; i < k; ++i) {
      if (visible && (*visible)[row * k + i] == 0) continue;
      const T factor = a[row * k + i];
      const T* line = b.data() + (group * k + i) * n;
      for (std::size_t j = 0; j < n; ++j) out[j] += factor * line[j];
    }
  }
}

struct AxisList {
  std::vector<AxisId> axes;
  std::vector<std::int64_t> shape;
  std::size_t count() const { return product_of(shape); }
  void add(const TileData& tile, AxisId axis) {
    axes.push_back(axis);
    shape.push_back(tile.shape[static_cast<std::size_t>(tile.find(axis))]);
  }
};

AxisList operator+(AxisList a, const AxisList& b) {
  a.axes.insert(a.axes.end(), b.axes.begin(), b.axes.end());
  a.shape.insert(a.shape.end(), b.shape.begin(), b.shape.end());
  return a;
}

}  // namespace

TileData contract(const TileData& a, const TileData& b, AxisId axis, const TileData* sum,
                  const TileData* visible, const std::vector<AxisId>& result_axes,
                  const std::vector<std::int64_t>& result_shape, DType result_type) {
  if (visible && !is_subset(visible->axes, a.axes, axis)) {
    if (!is_subset(visible->axes, b.axes, axis))
      throw Error(errors::ir["mask-axis-missing"],
                  "a contraction over a masked axis whose operands both lack an axis of the mask");
    return contract(b, a, axis, sum, visible, result_axes, result_shape, result_type);
  }
  AxisList batch, rows, columns, depth;
  depth.add(a, axis);
  for (const AxisId id : a.axes)
    if (id != axis) (b.find(id) >= 0 ? batch : rows).add(a, id);
  for (const AxisId id : b.axes)
    if (id != axis && a.find(id) < 0) columns.add(b, id);
  const AxisList left = batch + rows + depth;
  const AxisList right = batch + depth + columns;
  const AxisList all = batch + rows + columns;
  const TileData x = broadcast(a, left.axes, left.shape);
  const TileData y = broadcast(b, right.axes, right.shape);
  TileData mask;
  if (visible) mask = broadcast(*visible, left.axes, left.shape);
  TileData total(result_type, all.axes, all.shape);
  if (sum) total = broadcast(*sum, all.axes, all.shape);
  const std::vector<std::int64_t>* shown = visible ? &mask.integers : nullptr;
  if (a.floating())
    multiply(x.floats, y.floats, total.floats, shown, batch.count(), rows.count(), depth.count(),
             columns.count());
  else
    multiply(x.integers, y.integers, total.integers, shown, batch.count(), rows.count(),
             depth.count(), columns.count());
  for (std::int64_t& value : total.integers) value = static_cast<std::int32_t>(value);
  return broadcast(total, result_axes, result_shape);
}

}  // namespace tilewright::ir
