// What every subcommand is given: the variants it may name, and where its two streams go.
//
// Subcommands return nothing but their exit status; whatever is wrong they throw as Error, and
// command.cpp alone turns that into a message or the JSON object. Tests pass their own table and
// string streams.
#pragma once

#include <ostream>

#include "command/arguments.hpp"
#include "variants/variant.hpp"

namespace tilewright::command {

struct Context {
  library::VariantTable variants;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
};

/// Exit statuses other programs rely on; an Error's kind decides among the last three.
enum ExitStatus : int { success = 0, failed = 1, bad_request = 2, missing = 3 };

int list(const Context& context, const Arguments& arguments);
int doctor(const Context& context, const Arguments& arguments);
int run(const Context& context, const Arguments& arguments);
int dump(const Context& context, const Arguments& arguments);
int cache_list(const Context& context, const Arguments& arguments);
int cache_path(const Context& context, const Arguments& arguments);
int cache_clear(const Context& context, const Arguments& arguments);

}  // namespace tilewright::command
