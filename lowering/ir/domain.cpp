// What the intervals of a domain ask for. How they are derived: passes/analyze_masks.hpp.
#include "ir/domain.hpp"

#include <algorithm>

namespace tilewright::ir {

namespace {

using Kind = IntExpr::Kind;

bool is_tile_number(const std::string& name) { return name.starts_with("block("); }

void collect(const IntExpr& e, std::vector<std::string>& names) {
  if (e.kind() == Kind::constant) return;
  if (e.kind() == Kind::symbol) {
    if (!is_tile_number(e.name()) && std::find(names.begin(), names.end(), e.name()) == names.end())
      names.push_back(e.name());
    return;
  }
  collect(e.left(), names);
  collect(e.right(), names);
}

}  // namespace

std::vector<std::string> names_in(const Domain& domain) {
  std::vector<std::string> names;
  for (const auto* intervals : {&domain.visited, &domain.hidden, &domain.hidden_in_loop})
    for (const TileInterval& interval : *intervals)
      for (const IntExpr* e :
           {&interval.first, &interval.last, &interval.condition, &interval.repeats})
        collect(*e, names);
  return names;
}

std::vector<int> values_named(const Domain& domain) {
  std::vector<int> values;
  for (const std::string& name : names_in(domain))
    if (name.starts_with("value(")) values.push_back(std::stoi(name.substr(6)));
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace tilewright::ir
