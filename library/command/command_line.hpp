// The command line's grammar: which subcommands and options exist, and nothing about what they
// mean.
#pragma once

#include <string>
#include <vector>

#include "command/context.hpp"

namespace tilewright::command {

/// What to call and with what; or, if `call` is null, a text to show (help, version).
struct ParsedCommand {
  int (*call)(const Context&, const Arguments&) = nullptr;
  Arguments arguments;
  std::string text;
};

/// Throws Error{invalid_argument} naming the option or word that does not fit.
ParsedCommand parse(const std::vector<std::string>& arguments, library::VariantTable variants);

}  // namespace tilewright::command
