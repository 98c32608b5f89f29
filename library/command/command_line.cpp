// See command_line.hpp. CLI11 does the grammar and the help; every value is taken as text and read
// later, so that all refusals of values come from one place (arguments.hpp).
#include "command/command_line.hpp"

#include <CLI/CLI.hpp>
#include <set>
#include <tilewright/error.hpp>

#include "command/errors.hpp"
#include "command/help.hpp"
#include "command/shape_options.hpp"

namespace tilewright::command {
namespace {

using library::OptionHelp;

constexpr const char* version_text = "tilewright 0.1.0\n";

/// The JSON name of an option is its long name, or its only one.
void add_option(CLI::App& app, const std::string& names, std::string name,
                const std::string& default_text, const std::string& help, Arguments& arguments,
                std::string_view value = "N") {
  CLI::Option* option = app.add_option_function<std::string>(
      names, [&arguments, name](const std::string& text) { arguments.set(name, text); }, help);
  option->type_name(std::string(value));
  if (!default_text.empty()) option->default_str(default_text);
}

void add_flag(CLI::App& app, const std::string& name, const std::string& help,
              Arguments& arguments) {
  app.add_flag_function(
      name,
      [&arguments, name](std::int64_t count) {
        if (count > 0) arguments.set(name, "true");
      },
      help);
}

void add_table(CLI::App& app, std::span<const OptionHelp> table, const char* group,
               Arguments& arguments) {
  for (const OptionHelp& help : table) {
    const std::string name(help.name);
    if (help.flag) {
      add_flag(app, name, std::string(help.help), arguments);
    } else {
      add_option(app, name, name, std::string(help.default_value), std::string(help.help),
                 arguments, help.value);
    }
    app.get_option(name)->group(group);
  }
}

/// VARIANT, the shape, the schedule and every variant's own options, each once.
void add_variant_options(CLI::App& app, library::VariantTable variants, Arguments& arguments) {
  app.add_option_function<std::string>(
         "VARIANT", [&arguments](const std::string& text) { arguments.set("VARIANT", text); },
         "a name from `tilewright list`")
      ->required();
  add_table(app, shape_options(), "Shape", arguments);
  add_table(app, schedule_options(), "Schedule", arguments);
  std::set<std::string_view> known;
  for (const library::VariantEntry& entry : variants) {
    for (const OptionHelp& help : entry.options) {
      if (!known.insert(help.name).second) continue;
      add_table(app, std::span(&help, 1), "Variants' own", arguments);
    }
  }
}

/// What CLI11 objects to, as our error: its messages start with the option's name.
Error usage_error(const CLI::ParseError& error) {
  const std::string message = error.what();
  const std::size_t colon = message.find(':');
  std::string argument = "arguments";
  if (colon != std::string::npos && message.rfind("-", 0) == 0) argument = message.substr(0, colon);
  if (const std::size_t name = message.find("--"); colon != std::string::npos && name < colon) {
    argument = message.substr(name, message.find_first_of(" :,", name) - name);
  }
  if (error.get_name() == "RequiredError" && message.rfind("VARIANT", 0) == 0) argument = "VARIANT";
  return Error(errors::command["option-misused"], message, {argument, "", "see --help", ""});
}

/// The first word no option took.
[[noreturn]] void refuse_extra(const CLI::App& app, const std::string& word) {
  std::string allowed;
  if (app.get_parent() == nullptr) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      allowed += (allowed.empty() ? "" : ", ") + command->get_name();
    }
    throw Error(errors::command["command-unknown"], "there is no such command",
                {word.rfind('-', 0) == 0 ? word : "command", word, allowed, ""});
  }
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) allowed += (allowed.empty() ? "" : " ") + option->get_name();
  }
  const bool looks_like_option = word.rfind('-', 0) == 0;
  throw Error(
      errors::command["option-unknown"],
      looks_like_option ? "there is no option of that name" : "unexpected word",
      {looks_like_option ? word.substr(0, word.find('=')) : "arguments", word, allowed, ""});
}

void refuse_extras(const CLI::App& deepest) {
  for (const CLI::App* app = &deepest; app != nullptr; app = app->get_parent()) {
    if (const auto extras = app->remaining(); !extras.empty()) refuse_extra(*app, extras.front());
  }
}

struct Grammar {
  CLI::App app{"Attention kernels written in a tile language, compiled at run time.", "tilewright"};
  std::vector<std::pair<CLI::App*, int (*)(const Context&, const Arguments&)>> calls;
  Arguments arguments;
  bool show_version = false;

  CLI::App& add(CLI::App& parent, const char* name, const char* help,
                int (*call)(const Context&, const Arguments&)) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->allow_extras();
    command->footer(help_footer(name));
    add_json(*command);
    if (call != nullptr) calls.emplace_back(command, call);
    return *command;
  }

  void add_json(CLI::App& command) {
    add_flag(command, "--json", "print one JSON object and nothing else", arguments);
  }

  void add_device(CLI::App& command) {
    add_option(command, "--device", "--device", "$TILEWRIGHT_DEVICE, else auto",
               "auto, cuda:0, emulator:sm_80, emulator:sm_90a", arguments, "DEVICE");
  }

  /// The two ways to say what a kernel is compiled for.
  void add_targets(CLI::App& command, const std::string& before) {
    add_option(command, "--arch", "--arch", "",
               before + "a GPU's architecture: sm_80, sm_86, sm_89, sm_90, sm_90a, sm_120",
               arguments, "ARCH");
    add_option(command, "--device", "--device", "$TILEWRIGHT_DEVICE, else auto",
               before + "auto, cuda:0, emulator:sm_80, emulator:sm_90a", arguments, "DEVICE");
  }

  /// For the lines of a list, each of which is one command.
  struct KernelLine {};
  Grammar(library::VariantTable variants, KernelLine) {
    CLI::App& line = *app.add_subcommand("kernel");
    line.allow_extras();
    line.set_help_flag();
    add_variant_options(line, variants, arguments);
    add_targets(line, "");
  }

  explicit Grammar(library::VariantTable variants) {
    app.allow_extras();
    app.formatter(std::make_shared<Help>());
    app.set_help_flag("-h,--help", "print this help");
    app.footer(help_footer(""));
    app.add_flag("--version", show_version, "print the version");
    add_json(app);
    add(app, "list", "variants, with what they are and where they come from", list);
    CLI::App& doctor_app =
        add(app, "doctor", "what was found on this machine, and what to install", doctor);
    add_flag(doctor_app, "--errors", "every error there is: kind, cause and remedy", arguments);
    doctor_app
        .add_option_function<std::string>(
            "ID", [this](const std::string& text) { arguments.set("ID", text); },
            "one error only, by the id that --json gives")
        ->needs("--errors");

    CLI::App& run_app = add(app, "run", "run a variant once on a device", run);
    add_variant_options(run_app, variants, arguments);
    add_device(run_app);
    add_flag(run_app, "--check", "compare with the double-precision reference", arguments);
    add_option(run_app, "--input", "--input", "normal numbers",
               "safetensors file with q, k and v; it says the shape", arguments, "FILE");
    add_option(run_app, "--output", "--output", "", "safetensors file to write out and lse to",
               arguments, "FILE");

    CLI::App& bench_app =
        add(app, "bench", "time a variant on a GPU, or count what it does", bench);
    add_variant_options(bench_app, variants, arguments);
    add_device(bench_app);
    add_option(bench_app, "--repetitions", "--repetitions", "20", "times taken, on a GPU",
               arguments);

    CLI::App& dump_app = add(app, "dump", "show what the compiler makes of a variant", dump);
    add_variant_options(dump_app, variants, arguments);
    add_option(dump_app, "--arch", "--arch", "sm_80",
               "architecture: sm_80, sm_86, sm_89, sm_90, sm_90a, sm_120", arguments, "ARCH");
    add_option(dump_app, "--stage", "--stage", "cuda",
               "dsl, ir, schedule, cuda, ptx, cubin or sass", arguments, "STAGE");
    add_option(dump_app, "-o,--output", "-o", "standard output", "file to write", arguments,
               "FILE");

    CLI::App& mask_app =
        add(app, "mask", "the mask of a variant and the blocks it visits, as a picture", mask);
    add_variant_options(mask_app, variants, arguments);
    add_option(mask_app, "--arch", "--arch", "sm_80", "architecture, which decides the tiles",
               arguments, "ARCH");
    add_option(mask_app, "--batch-index", "--batch-index", "0", "the sequence to show", arguments);
    add_option(mask_app, "--head-index", "--head-index", "0", "the query head to show", arguments);
    add_option(mask_app, "--png", "--png", "", "PNG file to write the picture to", arguments,
               "FILE");
    add_option(mask_app, "--svg", "--svg", "", "SVG file to write the picture to", arguments,
               "FILE");
    add_flag(mask_app, "--ascii", "plain characters in the terminal", arguments);

    CLI::App& warmup_app =
        add(app, "warmup", "compile a list of kernels beforehand, so that no run waits", warmup);
    warmup_app
        .add_option_function<std::string>(
            "FILE", [this](const std::string& text) { arguments.set("FILE", text); },
            "list of kernels; - reads standard input")
        ->required();
    add_targets(warmup_app, "for lines that do not say it: ");
    add_option(warmup_app, "--jobs", "--jobs", "processors, as memory allows",
               "kernels compiled at a time", arguments);
    add_option(warmup_app, "--memory", "--memory", "half of what is free",
               "what all compiles may take together, such as 2G; each counts 128M", arguments,
               "SIZE");

    CLI::App& cache = add(app, "cache", "the compiled kernels kept on disk", nullptr);
    add(cache, "ls", "every entry, the last used first", cache_list);
    add(cache, "path", "where they are kept", cache_path);
    add(cache, "clear", "remove them all", cache_clear);
  }
};

}  // namespace

ParsedCommand parse(const std::vector<std::string>& arguments, library::VariantTable variants) {
  Grammar grammar(variants);
  try {
    grammar.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return {nullptr, {}, grammar.app.help()};
  } catch (const CLI::ParseError& error) {
    throw usage_error(error);
  }
  if (grammar.show_version) return {nullptr, {}, version_text};

  const CLI::App* deepest = &grammar.app;
  while (!deepest->get_subcommands().empty()) deepest = deepest->get_subcommands().front();
  refuse_extras(*deepest);
  for (const auto& [app, call] : grammar.calls) {
    if (app == deepest) return {call, grammar.arguments, ""};
  }
  throw Error(
      errors::command["command-missing"], "a command is missing",
      {"command", "",
       deepest == &grammar.app ? "list, doctor, run, bench, dump, mask, warmup, cache; see --help"
                               : "ls, path, clear",
       ""});
}

Arguments parse_kernel_line(const std::string& line, library::VariantTable variants) {
  Grammar grammar(variants, Grammar::KernelLine{});
  try {
    grammar.app.parse("kernel " + line);
  } catch (const CLI::ParseError& error) {
    throw usage_error(error);
  }
  refuse_extras(*grammar.app.get_subcommands().front());
  return grammar.arguments;
}

}  // namespace tilewright::command
