// The schedule's text: what is printed reads back as the same schedule, and nothing else is
// accepted.
#include <doctest/doctest.h>

#include "ir/schedule.hpp"
#include "tilewright/error.hpp"

using namespace tilewright;

namespace {

std::string refusal(const char* text, const std::string& id) {
  try {
    ir::read_schedule(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_argument);
    CHECK(error.id() == id);
    return error.argument() + "|" + error.value() + "|" + error.allowed() + "|" + error.where();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("round trip") {
  ir::Schedule schedule;
  schedule.target = "sm_90a";
  schedule.tile = {{"q", 64}, {"kv", 128}};
  schedule.warps = 4;
  schedule.stages = 2;
  schedule.lanes_per_row = 4;
  schedule.vector = 2;
  schedule.place = {{"p", "operand_a"}, {"k", "shared"}};
  schedule.why = "kv 128: two stages fit 96 KiB\n\nq 64: 4 warps of 16 rows";
  const std::string text = print(schedule);
  CHECK(text ==
        "# kv 128: two stages fit 96 KiB\n# \n# q 64: 4 warps of 16 rows\n"
        "target sm_90a\ntile kv 128\ntile q 64\nwarps 4\nstages 2\nlanes_per_row 4\nvector 2\n"
        "place k shared\nplace p operand_a\n");
  CHECK(ir::read_schedule(text) == schedule);
  CHECK(print(ir::read_schedule(text)) == text);
  CHECK(ir::read_schedule("") == ir::Schedule{});
  CHECK(print(ir::Schedule{}) == "");
}

TEST_CASE("blank lines, spaces, line ends and comments behind a value are allowed") {
  const ir::Schedule s = ir::read_schedule("\r\n  warps \t 8   # because\r\n\ntile q 32");
  CHECK(s.warps == 8);
  CHECK(s.tile.at("q") == 32);
  CHECK(s.why == "");
}

TEST_CASE("refusals name line, key, value and what is allowed") {
  CHECK(
      refusal("warps 4\nwarp 4", "schedule-key-unknown") ==
      "warp|warp|target, dot_precision, tile, place, warps, stages, lanes_per_row, vector|line 2");
  CHECK(refusal("warps 0", "schedule-value-invalid") == "warps|0|1 to 32|line 1");
  CHECK(refusal("warps 33", "schedule-value-invalid") == "warps|33|1 to 32|line 1");
  CHECK(refusal("warps 4x", "schedule-value-invalid") == "warps|4x|1 to 32|line 1");
  CHECK(refusal("stages 99999999999999999999", "schedule-value-invalid") ==
        "stages|99999999999999999999|1 to 8|line 1");
  CHECK(refusal("lanes_per_row 3", "schedule-value-invalid") ==
        "lanes_per_row|3|powers of two from 1 to 1024|line 1");
  CHECK(refusal("warps", "schedule-line-malformed") == "warps|warps|warps NUMBER|line 1");
  CHECK(refusal("warps 4 4", "schedule-line-malformed") == "warps|warps 4 4|warps NUMBER|line 1");
  CHECK(refusal("tile q -8", "schedule-value-invalid") == "tile q|-8|1 to 65536|line 1");
  CHECK(refusal("tile q 8\ntile q 8", "schedule-key-twice") ==
        "tile q|tile q|each key once|line 2");
  CHECK(refusal("place p attic", "schedule-value-invalid") ==
        "place p|attic|uniform, fragment, operand_a, operand_b, shared|line 1");
  CHECK(refusal("target sm_", "schedule-value-invalid") == "target|sm_|sm_NN or sm_NNa|line 1");
}
