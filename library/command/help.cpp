// See help.hpp.
#include "command/help.hpp"

#include <sstream>

namespace tilewright::command {
namespace {

constexpr std::size_t left = 27, width = 100;

/// Two columns; the right one is wrapped at words.
std::string entry(const std::string& what, const std::string& text) {
  std::string lines = "  " + what;
  std::size_t column = lines.size();
  const auto fresh_line = [&] {
    lines += "\n" + std::string(left, ' ');
    column = left;
  };
  if (column + 2 > left)
    fresh_line();
  else
    lines.append(left - column, ' '), column = left;
  std::istringstream words(text);
  bool first = true;
  for (std::string word; words >> word; first = false) {
    if (!first && column + 1 + word.size() > width) {
      fresh_line();
    } else if (!first) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines + "\n";
}

std::string names_of(const CLI::Option& option) {
  std::string names = option.get_name(false, true);
  const std::size_t comma = names.find(',');
  if (comma != std::string::npos) names.insert(comma + 1, " ");
  return option.get_expected_max() == 0 ? names : names + " " + option.get_type_name();
}

std::string path_of(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name()
                                      : path_of(app->get_parent()) + " " + app->get_name();
}

std::string options_of(const CLI::App& app, const std::string& group) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional() || option->get_group() != group) continue;
    const std::string fallback = option->get_default_str();
    text += entry(names_of(*option), option->get_description() +
                                         (fallback.empty() ? "" : " (default: " + fallback + ")"));
  }
  return text.empty() ? "" : "\n" + group + "\n" + text;
}

}  // namespace

std::string Help::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string usage = "Usage: " + path_of(app), arguments, commands, options;
  for (const CLI::Option* option : app->get_options())
    if (!option->nonpositional()) {
      usage += " " + option->get_name();
      arguments += entry(option->get_name(), option->get_description());
    }
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    commands += entry(command->get_name(), command->get_description());
  if (!commands.empty()) usage += " COMMAND";
  for (const std::string& group : app->get_groups()) options += options_of(*app, group);
  return app->get_description() + "\n\n" + usage + " [options]\n" +
         (arguments.empty() ? "" : "\n" + arguments) +
         (commands.empty() ? "" : "\nCommands\n" + commands) + options + app->get_footer();
}

const char* help_footer(std::string_view subcommand) {
  if (subcommand.empty())
    return R"(
Options of a command: tilewright COMMAND --help. A first look, on a GPU or without one:

  tilewright doctor
  tilewright run flash --seqlen-q 300 --causal --check
  tilewright dump flash --causal -o flash.cu

Exit status: 0 right; 1 the check failed, the run faulted, or output could not be written; 2 the
request is wrong; 3 something is missing on this machine (NVRTC, a device).

Environment
  TILEWRIGHT_DEVICE        cuda:0, emulator:sm_80, emulator:sm_90a or auto: a GPU, else the emulator
  TILEWRIGHT_NVRTC_PATH    folder or file of NVRTC
  TILEWRIGHT_CACHE_DIR     folder of the compiled kernels; TILEWRIGHT_CACHE: off, or their limit
  TILEWRIGHT_DUMP_DIR      folder where every kernel that is compiled leaves its text
  TILEWRIGHT_LOG           info: a line for each compile on standard error; debug: more
)";
  if (subcommand == "run")
    return R"(
Examples
  tilewright run flash --seqlen-q 1000 --causal --check
  tilewright run flash --heads 32 --kv-heads 8 --head-dim 128 --dtype f16 --json
  tilewright run flash --input qkv.safetensors --output result.safetensors

Exit status: 0; 1 if the check failed or the run faulted; 2 if the request is wrong; 3 if NVRTC or
the device is missing.
)";
  if (subcommand == "dump")
    return R"(
Stages: dsl (the program as written), ir (after all passes), schedule (every choice of the target),
cuda (one self-contained file), ptx, cubin and sass (what NVRTC makes of it). Needs no device.

Examples
  tilewright dump flash --causal --head-dim 128 -o flash.cu
  nvcc -arch=sm_80 -DTILEWRIGHT_MAIN flash.cu      # a program that checks itself, on a GPU
  tilewright dump flash --stage schedule > mine.txt
  tilewright dump flash --schedule mine.txt --arch sm_90 --stage cubin -o flash.cubin

What to do with them: examples/dumping.md.
)";
  if (subcommand == "bench")
    return R"(
On a GPU: the median time of a launch, and TFLOP/s by FlashAttention's count (2 Sq Skv (head-dim +
value-dim) for each head and sequence, half of it with --causal). On the emulator: bytes, tensor
operations and instructions of one launch, and no time. Results are not checked: `run --check` does.

Examples
  tilewright bench flash --causal --batch 4 --heads 16 --seqlen-q 4096 --head-dim 128
  tilewright bench flash --seqlen-q 512 --tile-kv 64 --json
)";
  if (subcommand == "mask")
    return R"(
Blocks are summed over batch and heads, as `run` counts them; the picture is of one sequence and
head. Ideal and density come from the pairs, looked at one by one, and not from the compiler. Needs
no device.

Examples
  tilewright mask flash --causal --seqlen-q 12 --tile-q 16 --tile-kv 16
  tilewright mask flash --causal --seqlen-q 1024 --seqlen-kv 2048 --svg causal.svg
  tilewright mask flash --causal --png causal.png --json
)";
  if (subcommand == "warmup")
    return R"(
FILE names one kernel a line: a variant and its options, as `tilewright run` takes them, and what it
is compiled for. Blank lines and what follows # are skipped:

  flash --head-dim 128 --causal --arch sm_90    # a GPU that need not be in this machine
  flash --head-dim 64 --dtype f16               # this machine's device, or the one named above
  standard --device emulator:sm_80

What is in the cache already is not compiled again. A line that is wrong is named with its number,
and the others are compiled all the same. Exit status: 0, or the worst of 1 (a kernel was not
compiled, or not kept), 2 (a line is wrong), 3 (NVRTC or a device is missing).
)";
  if (subcommand == "cache")
    return R"(
TILEWRIGHT_CACHE is on (1 GiB are kept), off, or a size such as 512M or 2G; what was unused for
longest goes first. TILEWRIGHT_CACHE_DIR is the folder.
)";
  return "";
}

}  // namespace tilewright::command
