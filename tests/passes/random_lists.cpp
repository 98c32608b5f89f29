// Loops of random programs that follow a list (random_program.hpp): rows of any length in any
// order. Under a mask every tile is marked as cut, for a full one says that the mask shows all of
// it.
#include <algorithm>
#include <numeric>

#include "random_program.hpp"

namespace tilewright::test {
namespace {

constexpr std::int64_t row_tile = 16;  ///< blocks(m, 16) in every program with lists
std::int64_t tile_of(char dim) { return dim == 'n' ? 16 : 32; }
std::int64_t tiles(std::int64_t extent, std::int64_t tile) { return (extent + tile - 1) / tile; }
std::int64_t rows_of(const Recipe& recipe) { return tiles(recipe.extents.at("m"), row_tile); }
std::int64_t columns_of(char dim, const Recipe& recipe) {
  return tiles(recipe.extents.at(std::string(1, dim)), tile_of(dim));
}

}  // namespace

std::optional<TileList> Writer::list_of(const std::string& dim, bool masked) {
  if (!recipe_.has_rows || recipe_.requested_tile != row_tile || !lists_.chance(50)) return {};
  const ValueId rows = blocks_.at("m");
  const auto tensor = [&](const std::string& name, const std::string& of) {
    const bool known = std::any_of(declared_.begin(), declared_.end(),
                                   [&](const Argument& a) { return a.name == name; });
    if (known) return name;
    declared_.push_back({Argument::Kind::in, name, DType::i32, {of}});
    gate_.declare(declared_.back());
    return name;
  };
  const auto end_of_row = [&](const char* kind) {
    Node made{.op = Op::load, .dtype = DType::i32, .name = tensor(kind + dim, "rows_" + dim)};
    made.indices = {{IndexSpec::Kind::scalar, "", rows}};
    return gate_.value(made, where());
  };
  TileList list;
  list.first = end_of_row("u");
  list.last = end_of_row("v");
  list.tensor = tensor((masked ? "k" : "f") + dim, "entries_" + dim);
  list.rows = rows;
  list.tile = static_cast<int>(tile_of(dim[0]));
  return list;
}

std::int64_t extent_of(const std::string& dim, const Recipe& recipe) {
  if (dim.starts_with("rows_")) return rows_of(recipe);
  if (dim.starts_with("entries_"))
    return std::max<std::int64_t>(rows_of(recipe) * columns_of(dim.back(), recipe), 1);
  return recipe.extents.at(dim);
}

bool fill_list(const Argument& argument, const Recipe& recipe, Random& random,
               ir::HostTensor& tensor) {
  const char kind = argument.name[0], dim = argument.name.back();
  if (std::string("uvfk").find(kind) == std::string::npos) return false;
  const std::int64_t columns = columns_of(dim, recipe);
  std::vector<std::int64_t> order(static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < rows_of(recipe); ++row) {
    if (kind == 'u' || kind == 'v') {
      const int length = random.below(static_cast<int>(columns) + 1);
      tensor.set(row, static_cast<double>(row * columns + (kind == 'v' ? length : 0)));
      continue;
    }
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<int>(i)))]);
    for (std::int64_t i = 0; i < columns; ++i) {
      const std::int64_t tile = order[static_cast<std::size_t>(i)];
      const bool cut = kind == 'k' || random.chance(50);
      tensor.set(row * columns + i, static_cast<double>(cut ? ~tile : tile));
    }
  }
  return true;
}

}  // namespace tilewright::test
