// Evaluates a domain for one program: which class each tile has. The intervals may overlap and
// touch; only their union counts. How they are derived: passes/analyze_masks.hpp.
#include "ir/domain.hpp"

#include <algorithm>

namespace tilewright::ir {

std::vector<TileClass> classify(const Domain& domain, std::int64_t tiles,
                                const std::function<std::int64_t(const std::string&)>& symbol) {
  std::vector<TileClass> classes(static_cast<std::size_t>(std::max<std::int64_t>(tiles, 0)),
                                 TileClass::skipped);
  const auto each_tile = [&](const TileInterval& interval, const auto& action) {
    const std::int64_t first = std::max<std::int64_t>(interval.first.evaluate(symbol), 0);
    const std::int64_t last = std::min(interval.last.evaluate(symbol), tiles - 1);
    for (std::int64_t tile = first; tile <= last; ++tile)
      action(classes[static_cast<std::size_t>(tile)]);
  };
  for (const TileInterval& interval : domain.visited)
    each_tile(interval, [](TileClass& tile) { tile = TileClass::full; });
  for (const TileInterval& interval : domain.hidden)
    each_tile(interval, [](TileClass& tile) {
      if (tile == TileClass::full) tile = TileClass::cut;
    });
  return classes;
}

}  // namespace tilewright::ir
