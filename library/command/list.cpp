// `tilewright list`: the variants, with what they are and where they come from.
#include <nlohmann/json.hpp>

#include "command/context.hpp"
#include "command/shape_options.hpp"
#include "command/table_text.hpp"

namespace tilewright::command {
namespace {

using nlohmann::ordered_json;

ordered_json options_json(const library::VariantEntry& entry) {
  ordered_json options = ordered_json::array();
  const auto add = [&](std::span<const library::OptionHelp> table) {
    for (const library::OptionHelp& option : table) {
      options.push_back(
          {{"name", option.name}, {"default", option.default_value}, {"help", option.help}});
    }
  };
  add(entry.options);
  add(shape_options());
  add(schedule_options());
  return options;
}

}  // namespace

int list(const Context& context, const Arguments& arguments) {
  if (arguments.flag("--json")) {
    ordered_json variants = ordered_json::array();
    for (const library::VariantEntry& entry : context.variants) {
      variants.push_back({{"name", entry.name},
                          {"origin", entry.origin},
                          {"summary", entry.summary},
                          {"options", options_json(entry)}});
    }
    context.out << ordered_json{{"variants", variants}}.dump(2) << "\n";
    return success;
  }
  std::vector<std::vector<std::string>> rows{{"VARIANT", "WHAT IT IS", "WHERE IT COMES FROM"}};
  for (const library::VariantEntry& entry : context.variants) {
    rows.push_back(
        {std::string(entry.name), std::string(entry.summary), std::string(entry.origin)});
  }
  context.out << aligned(rows) << "\nOptions of one variant: tilewright run VARIANT --help\n";
  return success;
}

}  // namespace tilewright::command
