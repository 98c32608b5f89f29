// Recipes as rows of the table (recipe.hpp).
#include "variants/recipe.hpp"

#include <algorithm>

#include "variants/composed.hpp"

namespace tilewright::library {

HostTable host_table(const BlockMask& blocks) {
  const BlockMaskShape& s = blocks.shape();
  HostTable table{{s.heads, s.rows, s.columns}, {}};
  for (std::int64_t h = 0; h < s.heads; ++h)
    for (std::int64_t row = 0; row < s.rows; ++row)
      for (std::int64_t column = 0; column < s.columns; ++column)
        table.numbers.push_back(blocks.visits(0, h, row, column) ? 1 : 0);
  return table;
}

VariantEntry variant(Recipe recipe) {
  VariantEntry entry{.name = {},
                     .origin = recipe.origin,
                     .summary = recipe.summary,
                     .mask = recipe.mask,
                     .options = recipe.options,
                     .cases = recipe.cases};
  entry.recipe = std::make_shared<const Recipe>(std::move(recipe));
  return entry;
}

VariantEntry composed(const std::vector<const VariantEntry*>& parts) {
  VariantEntry whole;
  std::vector<std::shared_ptr<const Recipe>> recipes;
  const auto add = [](std::string& text, const std::string& more, const char* between) {
    text += (text.empty() || more.empty() ? "" : between) + more;
  };
  for (const VariantEntry* part : parts) {
    add(whole.name, part->name, "+");
    add(whole.origin, part->origin, "; ");
    add(whole.summary, part->summary, "; ");
    add(whole.mask, part->mask, " and ");
    for (const OptionHelp& option : part->options) {
      const auto same = [&](const OptionHelp& known) { return known.name == option.name; };
      if (std::none_of(whole.options.begin(), whole.options.end(), same))
        whole.options.push_back(option);
    }
    recipes.push_back(part->recipe);
  }
  for (const auto& recipe : recipes)
    if (recipe->shape)
      whole.shape = [recipe](Request& request) { recipe->shape(Problem(request), request.shape); };
  whole.make = [name = whole.name, recipes] { return make_composed(name, recipes); };
  return whole;
}

}  // namespace tilewright::library
