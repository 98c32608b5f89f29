// `tilewright dump VARIANT`: one stage of the compiler's work, as text, for one architecture.
#include <array>
#include <nlohmann/json.hpp>
#include <tilewright/error.hpp>

#include "command/context.hpp"
#include "command/errors.hpp"
#include "command/shape_options.hpp"
#include "formats/file.hpp"
#include "variants/table.hpp"

namespace tilewright::command {
namespace {

using library::Stage;

// In the order of the enumeration.
constexpr std::array<std::string_view, 7> stages{"dsl", "ir",    "schedule", "cuda",
                                                 "ptx", "cubin", "sass"};
constexpr std::array<std::string_view, 6> architectures{"sm_80", "sm_86",  "sm_89",
                                                        "sm_90", "sm_90a", "sm_120"};

}  // namespace

int dump(const Context& context, const Arguments& arguments) {
  const library::VariantEntry entry =
      library::find_variant(context.variants, arguments.text("VARIANT"));
  const auto stage = static_cast<Stage>(
      arguments.choice("--stage", static_cast<std::size_t>(Stage::cuda), stages));
  const std::string arch(architectures[arguments.choice("--arch", 0, architectures)]);
  const library::Request request = request_of(arguments, entry, context.variants);

  const bool to_file = arguments.given("-o");
  const std::string output = arguments.text("-o");
  if (to_file) formats::require_writable_target(output);
  const bool binary = stage == Stage::cubin;
  if (binary && !to_file && (context.terminals.out || arguments.flag("--json"))) {
    throw Error(errors::command["cubin-to-terminal"], "a cubin is not text",
                {"--stage", "cubin", "-o FILE, or standard output that is not a terminal", ""});
  }

  const std::string content = entry.make()->dump(request, arch, stage);
  if (to_file) formats::write_file(output, content);
  if (arguments.flag("--json")) {
    nlohmann::ordered_json object{{"ok", true},
                                  {"variant", entry.name},
                                  {"arch", arch},
                                  {"stage", stages[static_cast<std::size_t>(stage)]}};
    if (to_file) {
      object["output"] = output;
    } else {
      object["text"] = content;
    }
    context.out << object.dump(2) << "\n";
  } else if (!to_file) {
    context.out.write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  return success;
}

}  // namespace tilewright::command
