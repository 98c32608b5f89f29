// `tilewright warmup FILE`: the kernels of a list, compiled into the cache before they are needed.
//
// Every good line is compiled whatever the others are. Progress goes to standard error: on a
// terminal one line that is written over, else a line for each; standard output gets the summary.
#include <fmt/core.h>

#include <algorithm>

#include "command/errors.hpp"
#include "command/table_text.hpp"
#include "command/warmup_list.hpp"
#include "formats/errors.hpp"
#include "formats/file.hpp"
#include "plan_errors.hpp"
#include "runtime/byte_size.hpp"
#include "runtime/environment.hpp"
#include "runtime/errors.hpp"
#include "runtime/nvrtc.hpp"

namespace tilewright::command {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t longest_list = 1 << 20;

/// What became of a line, as its kernels are done one by one.
struct LineState {
  std::size_t left = 0;  ///< kernels
  bool from_cache = true, kept = true;
  std::uint64_t bytes = 0;
  double seconds = 0;
};

class Progress {
 public:
  Progress(const Context& context, std::size_t lines) : context_(context), lines_(lines) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A line of its own that stays, also on a terminal.
  void say(const std::string& text) {
    clear();
    context_.err << "tilewright: " << text << "\n";
  }

  void done(const WarmupLine& line, const std::string& outcome) {
    std::string text = fmt::format("[{}/{}] {}: {}", ++done_, lines_, line.text, outcome);
    if (!context_.terminals.err) {
      context_.err << text << "\n";
    } else {
      constexpr std::size_t width = 79;
      if (text.size() > width) text = text.substr(0, width - 3) + "...";
      clear();
      context_.err << text << std::flush;
      shown_ = true;
    }
  }

 private:
  void clear() {
    if (shown_) context_.err << "\r\x1b[K" << std::flush;
    shown_ = false;
  }

  const Context& context_;
  std::size_t lines_, done_ = 0;
  bool shown_ = false;
};

std::string read_list(const Context& context, const std::string& file) {
  if (file != "-") return formats::read_text(file, "FILE", longest_list);
  std::string text = formats::read_text(context.in, longest_list);
  if (text.size() > longest_list)
    throw Error(errors::formats["file-too-long"], "the list is too long",
                {"FILE", "-", "at most 1048576 bytes", ""});
  return text;
}

WarmupOptions options_of(const Arguments& arguments) {
  WarmupOptions options;
  options.jobs = static_cast<int>(arguments.integer("--jobs", 0, 1, 1024));
  if (!arguments.given("--memory")) return options;
  const std::string text = arguments.text("--memory");
  const auto bytes = runtime::parse_byte_size(text);
  constexpr std::uint64_t least = runtime::Nvrtc::bytes_per_compile;
  if (!bytes || *bytes < least)
    throw Error(
        bytes ? errors::plan["warmup-memory-too-small"] : errors::command["option-not-a-number"],
        bytes ? "one compile takes more memory than that" : "--memory is not a size",
        {"--memory", text, fmt::format("{}, at least {}M", runtime::byte_size_form, least >> 20),
         ""});
  options.memory = *bytes;
  return options;
}

struct Summary {
  std::string file;
  std::vector<WarmupLine> lines;
  std::vector<LineState> states;
  int jobs = 0;
  double seconds = 0;

  std::size_t count(bool (*matches)(const WarmupLine&, const LineState&)) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) found += matches(lines[i], states[i]);
    return found;
  }
  std::size_t compiled() const {
    return count(
        [](const auto& line, const auto& state) { return !line.error && !state.from_cache; });
  }
  std::size_t cached() const {
    return count(
        [](const auto& line, const auto& state) { return !line.error && state.from_cache; });
  }
  std::size_t refused() const {
    return count([](const auto& line, const auto&) { return line.error.has_value(); });
  }
  std::size_t not_kept() const {
    return count([](const auto& line, const auto& state) { return !line.error && !state.kept; });
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const LineState& state : states) sum += state.bytes;
    return sum;
  }
  ExitStatus status() const {
    ExitStatus worst = not_kept() != 0 ? failed : success;
    for (const WarmupLine& line : lines)
      if (line.error) worst = std::max(worst, status_of(line.error->kind()));
    return worst;
  }
};

ordered_json to_json(const Summary& summary) {
  ordered_json object{{"ok", summary.status() == success}};
  ordered_json errors = ordered_json::array();
  for (const WarmupLine& line : summary.lines) {
    if (!line.error) continue;
    ordered_json error = error_json(*line.error);
    if (errors.empty()) object["error"] = error;
    error["line"] = line.number;
    error["text"] = line.text;
    errors.push_back(std::move(error));
  }
  object["lines"] = summary.lines.size();
  object["compiled"] = summary.compiled();
  object["cached"] = summary.cached();
  object["refused"] = summary.refused();
  object["not_kept"] = summary.not_kept();
  object["bytes"] = summary.bytes();
  object["jobs"] = summary.jobs;
  object["seconds"] = summary.seconds;
  object["cache"] = runtime::environment::cache_directory().string();
  object["errors"] = std::move(errors);
  if (!object["ok"] && !object.contains("error"))
    object["error"] =
        error_json(Error(errors::runtime["cache-not-writable"], "the cache cannot be written",
                         {"cache", object["cache"], "a folder with room", ""}));
  return object;
}

std::string to_text(const Summary& summary) {
  const auto part = [](std::size_t number, const char* what) {
    return number == 0 ? std::string() : fmt::format(", {} {}", number, what);
  };
  return fmt::format("{} {}: {} compiled, {} cached{}{} ({} at a time, {:.1f} s, {} in {})\n",
                     summary.lines.size(), summary.lines.size() == 1 ? "line" : "lines",
                     summary.compiled(), summary.cached(), part(summary.refused(), "refused"),
                     part(summary.not_kept(), "not kept"), summary.jobs, summary.seconds,
                     human_bytes(static_cast<double>(summary.bytes())),
                     runtime::environment::cache_directory().string());
}

/// Compiles the items of all good lines, and puts what happened into `summary`.
void compile_lines(const Context& context, const WarmupOptions& wanted, Summary& summary) {
  Progress progress(context, summary.lines.size());
  std::vector<WarmupItem> items;
  std::vector<std::size_t> line_of;
  const auto refuse = [&](WarmupLine& line) {
    progress.say(fmt::format("{}:{}: {}", summary.file, line.number, error_text(*line.error)));
    progress.done(line, "refused");
  };
  for (std::size_t i = 0; i < summary.lines.size(); ++i) {
    WarmupLine& line = summary.lines[i];
    summary.states[i].left = line.items.size();
    if (line.error) refuse(line);
    for (const WarmupItem& item : line.items) {
      items.push_back(item);
      line_of.push_back(i);
    }
  }

  WarmupOptions options = wanted;
  options.progress = [&](std::size_t item, const WarmupResult& result) {
    WarmupLine& line = summary.lines[line_of[item]];
    LineState& state = summary.states[line_of[item]];
    if (result.error && !line.error) line.error = result.error;
    state.from_cache &= result.from_cache;
    state.kept &= result.kept;
    state.bytes += result.bytes;
    state.seconds += result.seconds;
    if (--state.left != 0) return;
    if (line.error)
      refuse(line);
    else
      progress.done(line, state.from_cache ? std::string("cached")
                                           : fmt::format("compiled in {:.2f} s", state.seconds));
  };
  const WarmupReport report = tilewright::warmup(items, options);
  summary.jobs = report.jobs;
  summary.seconds = report.seconds;
}

}  // namespace

int warmup(const Context& context, const Arguments& arguments) {
  const std::string file = arguments.text("FILE");
  const WarmupOptions options = options_of(arguments);
  if (arguments.given("--arch") && arguments.given("--device"))
    throw Error(errors::command["options-exclude-each-other"],
                "--arch and --device both say what to compile for",
                {"--device", arguments.text("--device"), "one of the two", ""});
  Summary summary{file == "-" ? "standard input" : file, {}, {}};
  summary.lines = read_warmup_list(read_list(context, file), arguments, context.variants);
  summary.states.resize(summary.lines.size());
  compile_lines(context, options, summary);

  const std::uint64_t limit = runtime::environment::cache_limit();
  if (summary.bytes() > limit)
    context.err << fmt::format(
        "tilewright warning: these kernels take {}, but the cache keeps {}; see TILEWRIGHT_CACHE\n",
        human_bytes(static_cast<double>(summary.bytes())), human_bytes(static_cast<double>(limit)));
  if (arguments.flag("--json"))
    context.out << json_text(to_json(summary));
  else
    context.out << to_text(summary);
  return summary.status();
}

}  // namespace tilewright::command
