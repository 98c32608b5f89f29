// See command.hpp. The one place where an exception becomes a message and an exit status.
#include "command/command.hpp"

#include <algorithm>
#include <new>
#include <nlohmann/json.hpp>
#include <tilewright/error.hpp>

#include "command/command_line.hpp"
#include "command/errors.hpp"

namespace tilewright::command {

using nlohmann::ordered_json;

ExitStatus status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::missing: return missing;
    case ErrorKind::compile_failed:
    case ErrorKind::launch_failed:
    case ErrorKind::io: return failed;
    default: return bad_request;
  }
}

ordered_json error_json(const Error& error) {
  return {{"id", error.id()},       {"kind", name(error.kind())}, {"argument", error.argument()},
          {"value", error.value()}, {"allowed", error.allowed()}, {"message", error.what()}};
}

std::string error_text(const Error& error) {
  const std::string_view message = error.what();
  const bool named = message.find(error.argument()) != std::string_view::npos;
  return (named ? "" : error.argument() + ": ") + std::string(message);
}

std::string json_text(const ordered_json& object) {
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

namespace {

/// What is allowed says what to do, and so does the sentence about what is missing.
bool adds_remedy(const Error& error) {
  return error.allowed().empty() &&
         std::string_view(error.what()).find(error.remedy()) == std::string_view::npos;
}

int report(const Context& context, bool json, const Error& error) {
  if (json) {
    context.out << json_text({{"ok", false}, {"error", error_json(error)}});
  } else {
    context.err << "tilewright: " << error_text(error) << "\n";
    if (adds_remedy(error)) context.err << "  " << error.remedy() << "\n";
  }
  context.out.flush();
  return status_of(error.kind());
}

/// A full disk or a closed pipe behind standard output is an output that could not be written.
int finish(const Context& context, int status) {
  context.out.flush();
  if (context.out.good()) return status;
  context.err << "tilewright: standard output could not be written\n";
  return status == success ? failed : status;
}

int run_parsed(const Context& context, const std::vector<std::string>& arguments) {
  const ParsedCommand parsed = parse(arguments, context.variants);
  if (parsed.call != nullptr) return parsed.call(context, parsed.arguments);
  context.out << parsed.text;
  return success;
}

}  // namespace

int command(const std::vector<std::string>& arguments, library::VariantTable variants,
            std::ostream& out, std::ostream& err, Terminals terminals, std::istream& in) {
  const Context context{variants, in, out, err, terminals};
  // Looked for by hand: it also decides how a command line that does not parse is answered.
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    return finish(context, run_parsed(context, arguments));
  } catch (const Error& error) {
    return finish(context, report(context, json, error));
  } catch (const std::bad_alloc&) {
    return finish(context, report(context, json,
                                  Error(errors::command["out-of-memory"], "out of memory",
                                        {"shape", "", "a smaller problem", ""})));
  } catch (const std::exception& error) {
    return finish(context, report(context, json,
                                  Error(errors::command["internal-error"], error.what(),
                                        {"internal", "", "", ""})));
  }
}

}  // namespace tilewright::command
