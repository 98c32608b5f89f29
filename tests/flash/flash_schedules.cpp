// `flash` is right under any schedule that can be printed: each one here is chosen by a wish,
// printed, read back from its text and compiled from that. Impossible wishes are refused by name.
#include <doctest/doctest.h>

#include <iterator>
#include <set>
#include <tilewright/error.hpp>

#include "flash_device.hpp"
#include "ir/schedule.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

const Shape shape{1, 2, 1, 150, 200, 64, 64, Mask::bottom_right, bf16};

struct Wish {
  int tile_q, tile_kv, stages;
};

ir::Schedule wish_of(const Wish& wish) {
  ir::Schedule schedule;
  schedule.tile = {{"q", wish.tile_q}, {"kv", wish.tile_kv}};
  schedule.stages = wish.stages;
  return schedule;
}

ir::Schedule chosen(const ir::Schedule& wish) {
  const CompileRequest request{.extents = {{"d", shape.d}, {"e", shape.e}}, .schedule = wish};
  return make_program(*flash_kernel(shape), "sm_80", request).aligned.schedule;
}

Outcome check_schedule(const Plan& plan, const Shape& of, const oracle::Problem& problem) {
  CAPTURE(describe(of));
  const Outcome outcome = launch(plan, of, problem);
  const Verdict verdict = judge(of, problem, outcome.answer);
  INFO(describe(verdict));
  CHECK(verdict.right());
  CHECK(outcome.faults == "[]");
  CHECK_FALSE(outcome.wrote_outside);
  return outcome;
}

void refused(const ir::Schedule& wish, const std::string& argument, const std::string& value) {
  try {
    chosen(wish);
    FAIL_CHECK("not refused: " << ir::print(wish));
  } catch (const Error& error) {
    INFO(std::string(error.what()));
    CHECK(error.kind() == ErrorKind::invalid_argument);
    CHECK(error.argument() == argument);
    CHECK(error.value() == value);
    CHECK_FALSE(error.allowed().empty());
  }
}

}  // namespace

TEST_CASE("20 schedules read back from their text, on shapes that fill no tile") {
  const Wish wishes[] = {{16, 16, 1},   {16, 16, 4},  {16, 128, 2}, {32, 48, 3},  {32, 32, 2},
                         {48, 64, 2},   {48, 16, 5},  {64, 16, 4},  {64, 64, 3},  {64, 112, 2},
                         {80, 80, 2},   {80, 32, 3},  {96, 32, 1},  {112, 48, 2}, {128, 64, 4},
                         {128, 128, 1}, {144, 16, 2}, {192, 96, 2}, {256, 32, 3}, {256, 16, 1}};
  // Fewer rows or keys than a tile, tails of one row and one key, rows without a key, and heads
  // that share keys: what a schedule meets.
  const Shape others[] = {{1, 2, 1, 17, 33, 64, 64, Mask::none, bf16},
                          {2, 2, 2, 129, 65, 64, 64, Mask::bottom_right, bf16},
                          {1, 3, 1, 1, 257, 64, 64, Mask::bottom_right, bf16}};
  std::set<std::string> texts, numbers;
  for (const Wish& wish : wishes) {
    const ir::Schedule schedule = ir::read_schedule(ir::print(chosen(wish_of(wish))));
    CAPTURE(ir::print(schedule));
    CHECK(schedule.tile.at("q") == wish.tile_q);
    CHECK(schedule.tile.at("kv") == wish.tile_kv);
    CHECK(schedule.stages == wish.stages);
    CHECK(schedule.warps == wish.tile_q / 16);
    texts.insert(ir::print(schedule));
    const Plan& plan = flash_plan(shape, schedule);
    CHECK(plan.program().aligned.schedule.tile == schedule.tile);
    CHECK(plan.program().aligned.schedule.stages == schedule.stages);
    CHECK(plan.program().aligned.text.threads == 32 * schedule.warps);
    numbers.insert(plan.cuda_source());

    const oracle::Problem problem = random_problem(shape, 8);
    const Outcome outcome = check_schedule(plan, shape, problem);
    const Outcome again = launch(plan, shape, problem);
    CHECK(again.out_bits == outcome.out_bits);
    CHECK(again.answer.lse == outcome.answer.lse);
  }
  CHECK(texts.size() == std::size(wishes));
  CHECK(numbers.size() == std::size(wishes));  // twenty kernels, not one under twenty names
  for (const Shape& other : others)
    for (std::size_t i = 0; i < std::size(wishes); i += 3) {
      const ir::Schedule schedule = ir::read_schedule(ir::print(chosen(wish_of(wishes[i]))));
      CAPTURE(ir::print(schedule));
      check_schedule(flash_plan(other, schedule), other, random_problem(other, 8));
    }
}

TEST_CASE("the compiler's own choice reads back as itself") {
  const ir::Schedule own = chosen({});
  CHECK(ir::read_schedule(ir::print(own)) == own);
  const ir::Schedule again = chosen(ir::read_schedule(ir::print(own)));
  CHECK(again.tile == own.tile);
  CHECK(again.warps == own.warps);
  CHECK(again.stages == own.stages);
}

TEST_CASE("tiles that fill no instruction, and warps that contradict them") {
  refused(wish_of({24, 64, 2}), "tile q", "24");
  refused(wish_of({8, 64, 2}), "tile q", "8");
  refused(wish_of({64, 24, 2}), "tile kv", "24");
  refused(wish_of({1024, 64, 2}), "tile q", "1024");
  refused(wish_of({64, 1024, 2}), "tile kv", "1024");
  ir::Schedule contradiction = wish_of({64, 64, 2});
  contradiction.warps = 8;
  refused(contradiction, "warps", "8");
}

TEST_CASE("more stages than shared memory holds: shrunk, and the schedule says so") {
  const ir::Schedule made = chosen(wish_of({128, 128, 9}));
  CHECK(made.tile.at("q") == 128);
  CHECK(made.tile.at("kv") == 128);
  CHECK(made.stages < 9);
  CHECK(made.stages >= 1);
  CHECK(made.why.find("shared memory") != std::string::npos);
}

TEST_CASE("a schedule's text that is not one") {
  for (const char* text :
       {"tile q 64 kv", "stages nine", "stages 2\nstages 2", "colour 3", "tile q 0", "target"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(ir::read_schedule(text), Error);
  }
}
