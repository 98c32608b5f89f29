// See warmup_list.hpp.
#include "command/warmup_list.hpp"

#include <map>
#include <sstream>

#include "command/command_line.hpp"
#include "command/errors.hpp"
#include "command/shape_options.hpp"
#include "variants/table.hpp"

namespace tilewright::command {
namespace {

/// A comment starts at a # that begins a word.
std::string without_comment(const std::string& line) {
  constexpr const char* blanks = " \t\r\v\f";
  std::size_t end = line.size();
  for (std::size_t at = line.find('#'); at != line.npos; at = line.find('#', at + 1)) {
    if (at != 0 && std::string_view(blanks).find(line[at - 1]) == std::string_view::npos) continue;
    end = at;
    break;
  }
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == line.npos || first >= end) return "";
  const std::size_t last = line.find_last_not_of(blanks, end - 1);
  return line.substr(first, last + 1 - first);
}

/// Devices are opened once, however many lines name them.
class Targets {
 public:
  explicit Targets(const Arguments& fallback) : fallback_(fallback) {}

  const runtime::ImageTarget& of(const Arguments& line) {
    const bool own = line.given("--arch") || line.given("--device");
    const Arguments& from = own ? line : fallback_;
    if (from.given("--arch") && from.given("--device"))
      throw Error(errors::command["options-exclude-each-other"],
                  "--arch and --device both say what to compile for",
                  {"--device", from.text("--device"), "one of the two", ""});
    const bool arch = from.given("--arch");
    const std::string name = from.text(arch ? "--arch" : "--device");
    if (arch) (void)passes::target_of(name);  // refuses what is no architecture of ours
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    return known_.emplace(name, runtime::ImageTarget::named(name)).first->second;
  }

 private:
  const Arguments& fallback_;
  std::map<std::string, runtime::ImageTarget> known_;
};

void read_line(WarmupLine& line, Targets& targets, library::VariantTable variants) {
  const Arguments arguments = parse_kernel_line(line.text, variants);
  const library::VariantEntry entry = library::find_variant(variants, arguments.text("VARIANT"));
  const library::Request request = request_of(arguments, entry, variants);
  const runtime::ImageTarget target = targets.of(arguments);
  entry.make()->visit_kernels(
      request, [&](std::shared_ptr<const KernelSource> kernel, const CompileRequest& how) {
        line.items.emplace_back(*kernel, how, target);
        line.kernels.push_back(std::move(kernel));
      });
}

}  // namespace

std::vector<WarmupLine> read_warmup_list(const std::string& text, const Arguments& fallback,
                                         library::VariantTable variants) {
  Targets targets(fallback);
  std::vector<WarmupLine> lines;
  std::istringstream stream(text);
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    std::string words = without_comment(line);
    if (words.empty()) continue;
    WarmupLine& read = lines.emplace_back();
    read.number = number;
    read.text = std::move(words);
    try {
      read_line(read, targets, variants);
    } catch (const Error& error) {
      read.items.clear();
      read.error = error;
    }
  }
  return lines;
}

}  // namespace tilewright::command
