// What one program of the grid knows while it is interpreted: extents, the values so far, the loops
// that run, and memory. The interpreter's control (interpret.cpp) moves it forward; no rule of the
// language is here beyond how tiles meet tensors and what a mask shows.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/errors.hpp"
#include "ir/interpret.hpp"
#include "ir/print.hpp"
#include "ir/tile_data.hpp"
#include "tilewright/error.hpp"

namespace tilewright::ir {

/// A loop over tiles that is running.
struct Running {
  AxisId axis;
  TilePointer visible;  ///< the mask's tile; null: all
  bool cut = true;
};

class ProgramState {
 public:
  ProgramState(const Kernel& kernel, Inputs& inputs, const InterpretOptions& options)
      : kernel_(kernel), inputs_(inputs), options_(options), values_(kernel.values.size()) {}

 protected:
  void set_extent(const std::string& dim, std::int64_t extent, const std::string& by);
  void resolve_extents();
  std::int64_t extent(const std::string& dim) const;
  std::int64_t tile_size(AxisId id) const;
  std::int64_t elements_along(AxisId id) const;
  std::int64_t tiles_along(AxisId id) const;
  std::int64_t programs_along(const Operation& operation) const;
  /// Index of the tile's first element along its axis.
  std::int64_t start_of(AxisId id) const;
  TileData empty(const Type& type) const;
  const TileData& tile(ValueId value) const;
  /// Elements that a reduction over op.axis takes: inside the extent, and shown by the loop's mask.
  TilePointer visibility(const Operation& op) const;
  TileData load(const Operation& op, const Type& type) const;
  void store(const Operation& op);
  /// The symbols of a domain, by the numbers of this program.
  std::int64_t symbol(const std::string& text) const;
  /// Whether any, and whether all elements inside the extents are visible.
  std::pair<bool, bool> seen(const TileData& visible) const;

  bool in_full_tile() const { return !running_.empty() && !running_.back().cut; }

  static std::size_t at(ValueId value) { return static_cast<std::size_t>(value); }
  const Axis& axis(AxisId id) const { return kernel_.axes[static_cast<std::size_t>(id)]; }
  [[noreturn]] void refuse(const ErrorEntry& entry, const std::string& message,
                           Error::Detail detail) const {
    throw Error(entry, "kernel '" + kernel_.name + "': " + message, std::move(detail));
  }

  static TilePointer share(TileData tile) {
    return std::make_shared<const TileData>(std::move(tile));
  }

  static TilePointer number(std::int64_t value) {
    TileData tile(DType::i32, {}, {});
    tile.integers[0] = value;
    return share(std::move(tile));
  }

  std::int64_t scalar(ValueId value) const { return tile(value).integers[0]; }
  /// One tile of indices: where each element stands along an axis of the tensor.
  struct Pick {
    TileData indices;
    std::int64_t stride, limit;
  };
  /// An index over an axis of the tile: element e of it is element step * e + offset.
  struct Walk {
    std::size_t axis;
    std::int64_t step, offset, stride, limit;
  };
  /// Visits the elements of a tile that lie inside the tensor: action(element of the tile, offset).
  template <typename Action>
  void each_element(const Operation& op, const HostTensor& tensor, const TileData& tile,
                    const Action& action) const {
    std::int64_t base = 0;
    std::vector<Pick> picks;
    std::vector<Walk> walks;
    std::vector<std::int64_t> starts, limits;
    for (std::size_t i = 0; i < op.indices.size(); ++i) {
      const Index& index = op.indices[i];
      if (index.kind == IndexSpec::Kind::scalar) {
        const std::int64_t element = scalar(index.value);
        if (element < 0 || element >= tensor.shape[i])
          refuse(errors::ir["index-outside-tensor"],
                 "an index into '" + op.name + "' is out of range",
                 {op.name, std::to_string(element), "0 … " + std::to_string(tensor.shape[i] - 1),
                  to_string(op.where)});
        base += element * tensor.stride(i);
        continue;
      }
      if (index.kind == IndexSpec::Kind::gather) {
        picks.push_back({broadcast(this->tile(index.value), tile.axes, tile.shape),
                         tensor.stride(i), tensor.shape[i]});
        continue;
      }
      walks.push_back({static_cast<std::size_t>(tile.find(index.axis)), index.step, index.offset,
                       tensor.stride(i), tensor.shape[i]});
    }
    for (const AxisId id : tile.axes) {
      starts.push_back(start_of(id));
      limits.push_back(elements_along(id));
    }
    std::vector<std::int64_t> index(tile.axes.size(), 0);
    for (std::size_t element = 0; element < tile.size(); ++element) {
      std::int64_t offset = base;
      bool inside = true;
      for (std::size_t i = 0; i < index.size(); ++i) {
        const std::int64_t place = starts[i] + index[i];
        inside = inside && place >= 0 && place < limits[i];
      }
      for (const Walk& walk : walks) {
        const std::int64_t place = walk.step * (starts[walk.axis] + index[walk.axis]) + walk.offset;
        inside = inside && place >= 0 && place < walk.limit;
        offset += place * walk.stride;
      }
      for (const Pick& pick : picks) {
        const std::int64_t place = pick.indices.integers[element];
        inside = inside && place >= 0 && place < pick.limit;
        offset += place * pick.stride;
      }
      if (inside) action(element, offset);
      for (std::size_t i = index.size(); i-- > 0;) {
        if (++index[i] < tile.shape[i]) break;
        index[i] = 0;
      }
    }
  }

  const Kernel& kernel_;
  Inputs& inputs_;
  const InterpretOptions& options_;
  std::map<std::string, std::int64_t> extents_;
  std::vector<TilePointer> values_;
  std::vector<Running> running_;
};

}  // namespace tilewright::ir
