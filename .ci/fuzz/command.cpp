// See targets.hpp. What would touch a device, the compiler or the disk's files is left out: the
// variant is asked which kernels it would compile, and no more.
#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>
#include <vector>

#include "command/command_line.hpp"
#include "command/shape_options.hpp"
#include "command/warmup_list.hpp"
#include "passes/passes.hpp"
#include "targets.hpp"
#include "variants/table.hpp"

namespace tilewright::fuzz {
namespace {

using command::Arguments;

/// What each refusal becomes for a person and for a program.
void check_refusal(const Error& error) {
  require(!command::error_text(error).empty(), "a refusal has a sentence");
  require(nlohmann::json::accept(command::json_text(command::error_json(error))),
          "a refusal's JSON is JSON");
  require(command::status_of(error.kind()) != command::success, "a refusal is no success");
}

void complete(const Arguments& arguments, const library::VariantTable& variants) {
  const library::VariantEntry entry = library::find_variant(variants, arguments.text("VARIANT"));
  const library::Request request = command::request_of(arguments, entry, variants);
  (void)arguments.seed("--seed", 0);
  if (arguments.given("--arch")) (void)passes::target_of(arguments.text("--arch"));
  const auto variant = entry.make();
  variant->visit_kernels(
      request, [](const std::shared_ptr<const KernelSource>& kernel, const CompileRequest&) {
        require(kernel != nullptr, "a kernel that is named is there");
      });
  (void)variant->rounds_scores(request);
  (void)variant->formula(request);
}

void command_line(const std::vector<std::string>& words) {
  const library::VariantTable variants = library::variants();
  const command::ParsedCommand parsed = command::parse(words, variants);
  if (parsed.call == nullptr) {
    require(!parsed.text.empty(), "a command without a call has a text to show");
  } else if (parsed.call == command::run || parsed.call == command::dump) {
    complete(parsed.arguments, variants);
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

void command(std::string_view input) {
  constexpr std::string_view list = "# list\n";
  try {
    if (!input.starts_with(list)) {
      // Words reach a program as C strings.
      if (input.find('\0') == std::string_view::npos) command_line(lines_of(input));
      return;
    }
    Arguments fallback;
    fallback.set("--arch", "sm_80");
    const auto lines = command::read_warmup_list(std::string(input.substr(list.size())), fallback,
                                                 library::variants());
    for (const command::WarmupLine& line : lines) {
      require(line.error.has_value() == line.items.empty(), "a line has kernels or an error");
      if (line.error) check_refusal(*line.error);
    }
  } catch (const Error& error) {
    check_refusal(error);
  }
}

}  // namespace tilewright::fuzz
