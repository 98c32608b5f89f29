// `tilewright list`: the variants, with what they are and where they come from.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "command/context.hpp"
#include "command/shape_options.hpp"

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
                          {"mask", entry.mask},
                          {"composable", entry.recipe != nullptr},
                          {"options", options_json(entry)}});
    }
    context.out << ordered_json{{"variants", variants}}.dump(2) << "\n";
    return success;
  }
  std::size_t width = 0;
  for (const library::VariantEntry& entry : context.variants)
    width = std::max(width, entry.name.size());
  const std::string indent(width + 2, ' ');
  for (const library::VariantEntry& entry : context.variants) {
    context.out << entry.name << indent.substr(entry.name.size()) << entry.summary << "\n"
                << indent << "from " << entry.origin << "\n";
    if (!entry.mask.empty()) context.out << indent << "sees " << entry.mask << "\n";
    std::string options;
    for (const library::OptionHelp& option : entry.options)
      options += (options.empty() ? "" : "  ") + std::string(option.name) + " " +
                 std::string(option.default_value);
    if (!options.empty()) context.out << indent << options << "\n";
  }
  context.out
      << "\nRow q stands at key p = q + seqlen_kv - seqlen_q. Variants compose: tilewright run "
         "alibi+sliding_window\nOptions: tilewright run --help\n";
  return success;
}

}  // namespace tilewright::command
