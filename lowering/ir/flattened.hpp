// Flattened dimensions in the IR: an axis whose dimension is named "m*g" counts pairs, the last
// part fastest. Only axes and the grid have such a dimension; tensors, extents and strides have its
// parts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::ir {

/// {"m", "g"} of "m*g"; {"m"} of "m".
std::vector<std::string> parts_of(const std::string& dim);
inline bool is_flattened(const std::string& dim) { return dim.find(packing) != std::string::npos; }
/// "m_g" of "m*g": for names in generated text.
std::string identifier_of(std::string dim);

/// How long `dim` is, by the extents of its parts.
std::int64_t extent_by_parts(const std::string& dim,
                             const std::function<std::int64_t(const std::string&)>& extent);
/// extent(m) * extent(g), over the names of a domain.
IntExpr extent_expression(const std::string& dim);
/// The extent, where it is fixed at compile: those of all parts are.
std::optional<int> bound_extent(const Kernel& kernel, const std::string& dim);

/// What defines a value; null for the arguments of regions.
using DefinitionOf = std::function<const Operation*(ValueId)>;
/// The index along one part of each element of a flattened axis: inside that dimension wherever the
/// axis is inside its own extent.
struct Coordinate {
  AxisId axis = -1;
  std::string part;
};
std::optional<Coordinate> coordinate_of(const Kernel& kernel, const DefinitionOf& definition,
                                        ValueId value);
/// Whether the tiles of indices in `access` are coordinates, of every part of their axes: then no
/// two elements of the tile are one element of the tensor.
bool picks_each_once(const Kernel& kernel, const DefinitionOf& definition, const Operation& access);

}  // namespace tilewright::ir
