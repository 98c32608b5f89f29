// The list that `tilewright warmup` reads: one kernel a line, as words of a command line.
//
// Every line is read by itself. What is wrong with one stays with it, under its number.
#pragma once

#include <optional>
#include <string>
#include <tilewright/warmup.hpp>
#include <vector>

#include "command/context.hpp"

namespace tilewright::command {

struct WarmupLine {
  std::size_t number = 0;  ///< from 1
  std::string text;        ///< without comment and blanks around
  std::vector<std::shared_ptr<const KernelSource>> kernels;
  std::vector<WarmupItem> items;  ///< of the kernels above
  std::optional<Error> error;     ///< then there are no items
};

/// `text` line by line; blank lines and comments are left out. `fallback` gives --arch or --device
/// to lines without either.
std::vector<WarmupLine> read_warmup_list(const std::string& text, const Arguments& fallback,
                                         library::VariantTable variants);

}  // namespace tilewright::command
