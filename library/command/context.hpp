// What every subcommand is given: the variants it may name, and where its two streams go.
//
// Subcommands return nothing but their exit status; whatever is wrong they throw as Error, and
// command.cpp alone turns that into a message or the JSON object. Tests pass their own table and
// string streams.
#pragma once

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <tilewright/error.hpp>

#include "command/arguments.hpp"
#include "command/command.hpp"
#include "variants/variant.hpp"

namespace tilewright::command {

struct Context {
  library::VariantTable variants;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Terminals terminals;
};

/// Exit statuses other programs rely on; an Error's kind decides among the last three.
enum ExitStatus : int { success = 0, failed = 1, bad_request = 2, missing = 3 };
ExitStatus status_of(ErrorKind kind);

/// The fields of an error as every JSON object has them: id, kind, argument, value, allowed,
/// message.
nlohmann::ordered_json error_json(const Error& error);
/// The sentence for people, with the argument's name in it.
std::string error_text(const Error& error);
/// `object` in UTF-8, whatever bytes paths and options hold, and a line break.
std::string json_text(const nlohmann::ordered_json& object);

int list(const Context& context, const Arguments& arguments);
int doctor(const Context& context, const Arguments& arguments);
int run(const Context& context, const Arguments& arguments);
int dump(const Context& context, const Arguments& arguments);
int mask(const Context& context, const Arguments& arguments);
int bench(const Context& context, const Arguments& arguments);
int warmup(const Context& context, const Arguments& arguments);
int cache_list(const Context& context, const Arguments& arguments);
int cache_path(const Context& context, const Arguments& arguments);
int cache_clear(const Context& context, const Arguments& arguments);

}  // namespace tilewright::command
