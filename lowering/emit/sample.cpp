// Chooses extents and tolerances from the program. See sample.hpp.
#include "emit/sample.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "ir/flattened.hpp"

namespace tilewright::emit {

namespace {

using Visit = std::function<void(const ir::Operation&)>;

void each_operation(const ir::Region& region, const Visit& visit) {
  for (const auto& operation : region.operations) {
    visit(*operation);
    for (const auto& nested : operation->regions) each_operation(*nested, visit);
  }
}

using Definitions = std::map<ValueId, const ir::Operation*>;

Definitions definitions_of(const ir::Kernel& kernel) {
  Definitions made;
  each_operation(kernel.body, [&](const ir::Operation& operation) {
    for (const ValueId result : operation.results) made[result] = &operation;
  });
  return made;
}

/// Dimensions whose extents are divided or divide, in order of appearance.
std::vector<std::string> divided_dimensions(const ir::Kernel& kernel) {
  const Definitions made = definitions_of(kernel);
  std::vector<std::string> dims;
  std::set<ValueId> seen;
  std::function<void(ValueId)> collect = [&](ValueId value) {
    const auto found = made.find(value);
    if (found == made.end() || !seen.insert(value).second) return;
    const ir::Operation& x = *found->second;
    if (x.op == Op::extent && std::find(dims.begin(), dims.end(), x.name) == dims.end())
      dims.push_back(x.name);
    if (info(x.op).kind == OpKind::pointwise)
      for (const ValueId operand : x.operands) collect(operand);
  };
  each_operation(kernel.body, [&](const ir::Operation& x) {
    if ((x.op == Op::div || x.op == Op::mod) && !is_floating(kernel.type(x.operands[0]).dtype))
      for (const ValueId operand : x.operands) collect(operand);
  });
  return dims;
}

int product_of(const std::string& dim, const std::map<std::string, int>& extents) {
  int product = 1;
  for (const std::string& part : ir::parts_of(dim)) product *= extents.at(part);
  return product;
}
int tiles_in(int extent, int tile) { return (extent + tile - 1) / tile; }

/// Each loop that follows a list, with the load of where its row begins.
template <typename Visit>
void each_list(const ir::Kernel& kernel, const Visit& visit) {
  const Definitions made = definitions_of(kernel);
  each_operation(kernel.body, [&](const ir::Operation& loop) {
    if (!loop.follows_list()) return;
    const ir::Operation &begin = *made.at(loop.indices[0].value),
                        &end = *made.at(loop.indices[1].value);
    if (begin.op == Op::load && end.op == Op::load) visit(loop, begin, end);
  });
}

double tolerance_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1e-4;
    case DType::f16: return 4e-3;
    case DType::bf16: return 2e-2;
    case DType::e4m3: return 0.13;
    case DType::e5m2: return 0.26;
    default: return 0;
  }
}

}  // namespace

std::map<std::string, int> sample_extents(const ir::Kernel& traced) {
  std::map<std::string, int> extents;
  const auto choose = [&](const std::string& dim, int extent) {
    const auto bound = traced.bound.find(dim);
    extents.emplace(dim, bound == traced.bound.end() ? extent : bound->second);
  };
  int tiled[] = {77, 131, 45, 93}, tiles = 0;
  for (const ir::Axis& axis : traced.axes) {
    const std::string first = ir::parts_of(axis.dim)[0];
    if (axis.kind != ir::Axis::Kind::whole && axis.follows < 0 && !extents.contains(first))
      choose(first, tiled[tiles++ % 4]);
  }
  int share = 4;
  for (const std::string& dim : divided_dimensions(traced)) {
    choose(dim, share);
    share = std::max(1, share / 2);
  }
  int small[] = {2, 3, 5}, others = 0;
  const auto rest = [&](const std::string& dim) {
    if (!extents.contains(dim)) choose(dim, small[others++ % 3]);
  };
  const auto rest_of_parts = [&](const std::string& dim) {
    for (const std::string& part : ir::parts_of(dim)) rest(part);
  };
  for (const std::string& dim : traced.grid) rest_of_parts(dim);
  // As many rows of a list as there are tiles of rows, each with room for all tiles.
  each_list(traced,
            [&](const ir::Operation& loop, const ir::Operation& begin, const ir::Operation&) {
              const std::vector<std::string>& dims = traced.find_argument(begin.name)->dims;
              const ir::Axis& columns = traced.axes[static_cast<std::size_t>(loop.axis)];
              rest_of_parts(columns.dim);
              for (const ir::Axis& rows : traced.axes)
                if (rows.block == begin.indices.back().value && rows.follows < 0)
                  choose(dims.back(), tiles_in(product_of(rows.dim, extents), rows.requested_tile));
              int entries = tiles_in(product_of(columns.dim, extents), columns.requested_tile);
              for (const std::string& dim : dims) rest(dim), entries *= extents.at(dim);
              choose(traced.find_argument(loop.name)->dims[0], entries);
            });
  for (const Argument& argument : traced.arguments)
    for (const std::string& dim : argument.dims) rest(dim);
  for (const ir::Axis& axis : traced.axes)
    if (axis.kind != ir::Axis::Kind::whole && axis.follows < 0) rest_of_parts(axis.dim);
  return extents;
}

std::vector<SampleList> sample_lists(const ir::Kernel& traced,
                                     const std::map<std::string, int>& extents) {
  std::vector<SampleList> lists;
  each_list(
      traced, [&](const ir::Operation& loop, const ir::Operation& begin, const ir::Operation& end) {
        const ir::Axis& columns = traced.axes[static_cast<std::size_t>(loop.axis)];
        const bool cut = !loop.regions[0]->operations.empty();
        for (SampleList& known : lists)
          if (known.tiles == loop.name) {
            known.cut |= cut;
            return;
          }
        lists.push_back({begin.name, end.name, loop.name,
                         tiles_in(product_of(columns.dim, extents), columns.requested_tile), cut});
      });
  return lists;
}

int sample_limit(const ir::Kernel& traced, const std::string& tensor,
                 const std::map<std::string, int>& extents) {
  const Definitions made = definitions_of(traced);
  int limit = 0;
  each_operation(traced.body, [&](const ir::Operation& x) {
    if (x.follows_list()) return;
    const Argument* indexed = traced.find_argument(x.name);
    for (std::size_t i = 0; i < x.indices.size(); ++i) {
      const auto index = made.find(x.indices[i].value);
      if (index == made.end() || index->second->op != Op::load || index->second->name != tensor)
        continue;
      const int extent = extents.at(indexed->dims[i]);
      limit = limit == 0 ? extent : std::min(limit, extent);
    }
  });
  return limit == 0 ? 8 : limit;
}

double sample_tolerance(const ir::Kernel& traced, const std::string& tensor) {
  const Definitions made = definitions_of(traced);
  // Region arguments follow from what the loop starts with and what its body yields.
  std::map<ValueId, std::vector<ValueId>> carried;
  std::vector<ValueId> waiting;
  each_operation(traced.body, [&](const ir::Operation& x) {
    if (writes_memory(x.op) && x.name == tensor) waiting.push_back(x.operands[0]);
    if (x.op != Op::for_blocks && x.op != Op::for_range && x.op != Op::when) return;
    const std::size_t first = x.op != Op::for_blocks;
    const ir::Region& body = *x.regions.back();
    for (std::size_t i = 0; i < x.results.size(); ++i) {
      const std::vector<ValueId> from = {x.operands[i + first],
                                         body.operations.back()->operands[i]};
      carried[x.results[i]] = from;
      if (x.op != Op::when) carried[body.arguments[i + 1]] = from;
    }
  });
  const Argument* argument = traced.find_argument(tensor);
  double tolerance = tolerance_of(argument->dtype);
  if (tolerance == 0) return 0;
  std::set<ValueId> seen;
  while (!waiting.empty()) {
    const ValueId value = waiting.back();
    waiting.pop_back();
    if (value == no_value || !seen.insert(value).second) continue;
    if (const auto from = carried.find(value); from != carried.end()) {
      waiting.insert(waiting.end(), from->second.begin(), from->second.end());
      continue;
    }
    const auto found = made.find(value);
    if (found == made.end()) continue;
    const ir::Operation& x = *found->second;
    if (x.op == Op::cast && is_floating(traced.type(x.operands[0]).dtype))
      tolerance = std::max(tolerance, tolerance_of(traced.type(value).dtype));
    waiting.insert(waiting.end(), x.operands.begin(), x.operands.end());
  }
  return tolerance;
}

}  // namespace tilewright::emit
