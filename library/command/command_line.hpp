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

/// What is wrong with the arguments is an Error{invalid_argument} that names the option or word.
ParsedCommand parse(const std::vector<std::string>& arguments, library::VariantTable variants);

/// One line of a list of kernels: a variant with its options, and --arch or --device. Words are
/// separated by blanks and may be quoted. Throws as `parse` does.
Arguments parse_kernel_line(const std::string& line, library::VariantTable variants);

}  // namespace tilewright::command
