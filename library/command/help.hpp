// How `--help` looks: what the command does, how it is called, its options in groups with their
// defaults, examples. Nothing is wider than 100 columns.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tilewright::command {

class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

/// What stands at the end of a subcommand's help ("run", "cache", …; "": the command's own).
const char* help_footer(std::string_view subcommand);

}  // namespace tilewright::command
