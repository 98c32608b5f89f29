// See targets.hpp.
#include "ir/schedule.hpp"

#include <tilewright/error.hpp>

#include "targets.hpp"

namespace tilewright::fuzz {

void schedule(std::string_view input) {
  try {
    const ir::Schedule read = ir::read_schedule(input);
    const std::string text = ir::print(read);
    require(ir::read_schedule(text) == read, "a schedule reads back as what was printed");
    require(ir::print(ir::read_schedule(text)) == text, "a schedule's text is stable");
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::invalid_argument, "a refusal is an invalid_argument");
    require(error.where().starts_with("line "), "a refusal names its line");
    require(!error.allowed().empty(), "a refusal says what is allowed");
  }
}

}  // namespace tilewright::fuzz
