// Asynchronous copies: a deleted wait gives missing_wait only, a deleted barrier data_race only, in
// every order of the warps, for the pipelines attention kernels use.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <vector>

#include "block.hpp"

using namespace monitor_tests;

namespace {

/// A kernel as the steps of one warp; a barrier step waits for all warps.
struct Step {
  bool is_barrier = false;
  std::function<void(Block&, unsigned warp)> run;
};
using Program = std::vector<Step>;

/// Runs the warps interleaved at random between barriers.
void interleave(Block& block, unsigned warps, const Program& program, std::mt19937& random) {
  std::vector<std::size_t> next(warps, 0);
  for (;;) {
    std::vector<unsigned> ready;
    for (unsigned warp = 0; warp < warps; ++warp)
      if (next[warp] < program.size() && !program[next[warp]].is_barrier) ready.push_back(warp);
    if (ready.empty()) {
      if (next[0] == program.size()) return;
      block.barrier();
      for (auto& at : next) ++at;
      continue;
    }
    // Often the same warp for a while, as a scheduler that runs until a warp blocks would.
    const unsigned warp = ready[random() % ready.size()];
    const std::size_t run = random() % 2 ? 1 : program.size();
    for (std::size_t i = 0; i < run && next[warp] < program.size(); ++i) {
      if (program[next[warp]].is_barrier) break;
      program[next[warp]++].run(block, warp);
    }
  }
}

/// What is left out of the pipeline below.
enum class Without { nothing, wait, barrier_after_wait, barrier_before_reuse, one_stage_of_wait };

/// Each warp copies its quarter of a tile of 2 KiB per stage and reads all of it, as ldmatrix does.
/// `depth` tiles are in flight ahead of the one read; with `reuse_barrier` there are depth stages
/// and a second barrier, without there is one stage more.
Program pipeline(unsigned depth, bool reuse_barrier, unsigned tiles, Without without,
                 unsigned copying_warps = 4) {
  const unsigned stages = reuse_barrier ? depth : depth + 1;
  auto place = [=](unsigned tile, unsigned warp) {
    return row(tile % stages * 2048 + warp * 512, 16u);
  };
  Program program;
  auto issue = [&](unsigned tile) {
    program.push_back({false, [=](Block& block, unsigned warp) {
                         if (warp < copying_warps)
                           for (unsigned part = warp; part < 4; part += copying_warps)
                             block.issue(10, warp, place(tile, part));
                       }});
  };
  auto wait = [&](unsigned tile) {
    program.push_back({false, [=](Block& block, unsigned warp) {
                         if (warp < copying_warps && tile < tiles)
                           for (unsigned part = warp; part < 4; part += copying_warps)
                             block.complete(10, warp, place(tile, part));
                       }});
  };
  auto barrier = [&] { program.push_back({true, {}}); };
  for (unsigned tile = 0; tile < std::min(depth, tiles); ++tile) issue(tile);
  unsigned completed = 0;
  for (unsigned tile = 0; tile < tiles; ++tile) {
    unsigned target = tile + 1;
    if (without == Without::wait) target = 0;
    if (without == Without::one_stage_of_wait) target = tile;
    for (; completed < target; ++completed) wait(completed);
    if (without != Without::barrier_after_wait) barrier();
    if (!reuse_barrier && tile + depth < tiles) issue(tile + depth);
    program.push_back({false, [=](Block& block, unsigned warp) {
                         for (unsigned part = 0; part < 4; ++part)
                           block.read(20, warp, place(tile, part), 16);
                         block.sync(warp);
                       }});
    if (reuse_barrier) {
      if (without != Without::barrier_before_reuse) barrier();
      if (tile + depth < tiles) issue(tile + depth);
    }
  }
  return program;
}

std::string verdicts(const std::function<Program()>& make, unsigned warps = 4) {
  std::string all_kinds;
  for (unsigned seed = 0; seed < 24; ++seed) {
    std::mt19937 random(seed);
    Launch launch;
    {
      Block block(launch, warps, 0, 16384);
      interleave(block, warps, make(), random);
    }
    const std::string kinds = launch.kinds();
    if (all_kinds.find(kinds) == std::string::npos)
      all_kinds += (all_kinds.empty() ? "" : " or ") + kinds;
  }
  return all_kinds;
}

}  // namespace

TEST_CASE("pipelines: the deleted step decides the kind, in every order") {
  for (const unsigned depth : {1u, 2u, 3u}) {
    for (const unsigned tiles : {depth + 1, depth + 4}) {
      CAPTURE(depth);
      CAPTURE(tiles);
      auto with = [=](bool reuse_barrier, Without without) {
        return verdicts([=] { return pipeline(depth, reuse_barrier, tiles, without); });
      };
      for (const bool reuse_barrier : {false, true}) {
        CAPTURE(reuse_barrier);
        CHECK(with(reuse_barrier, Without::nothing) == "none");
        CHECK(with(reuse_barrier, Without::wait) == "missing_wait");
        CHECK(with(reuse_barrier, Without::one_stage_of_wait) == "missing_wait");
        CHECK(with(reuse_barrier, Without::barrier_after_wait) == "data_race");
      }
      CHECK(with(true, Without::barrier_before_reuse) == "data_race");
    }
  }
}

TEST_CASE("pipelines whose copies only some warps issue") {
  for (const unsigned copying : {1u, 2u}) {
    CAPTURE(copying);
    auto with = [=](unsigned depth, Without without) {
      return verdicts([=] { return pipeline(depth, true, 6, without, copying); });
    };
    CHECK(with(2, Without::nothing) == "none");
    CHECK(with(2, Without::wait) == "missing_wait");
    CHECK(with(2, Without::one_stage_of_wait) == "missing_wait");
    CHECK(with(2, Without::barrier_after_wait) == "data_race");
    CHECK(with(2, Without::barrier_before_reuse) == "data_race");
    CHECK(with(1, Without::barrier_after_wait) == "data_race");
  }
}

TEST_CASE("a tile whose own wait is missing, waited for later by chance") {
  // Q is copied first and has no wait; the loop's wait for K covers it one barrier too late.
  auto program = [] {
    Program steps;
    auto q = [](unsigned warp) { return row(warp * 512, 16u); };
    auto k = [](unsigned warp) { return row(2048 + warp * 512, 16u); };
    steps.push_back({false, [=](Block& block, unsigned warp) {
                       block.issue(10, warp, q(warp));
                       block.issue(11, warp, k(warp));
                     }});
    steps.push_back({true, {}});
    steps.push_back({false, [=](Block& block, unsigned warp) {
                       for (unsigned part = 0; part < 4; ++part) block.read(20, warp, q(part), 16);
                       block.sync(warp);
                     }});
    steps.push_back({false, [=](Block& block, unsigned warp) {
                       block.complete(10, warp, q(warp));
                       block.complete(11, warp, k(warp));
                     }});
    steps.push_back({true, {}});
    steps.push_back({false, [=](Block& block, unsigned warp) {
                       for (unsigned part = 0; part < 4; ++part) block.read(21, warp, k(part), 16);
                     }});
    return steps;
  };
  CHECK(verdicts(program) == "missing_wait");
}

TEST_CASE("the fault names the reading instruction and the copy") {
  Launch launch;
  {
    Block block(launch);
    block.issue(10, 0, row(0u, 16u));
    block.read(20, 0, row(48u, 0u), 16, lane(3));
  }
  auto faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].kind == FaultKind::missing_wait);
  CHECK(faults[0].ptx_line == 20);
  CHECK(faults[0].thread.x == 3);
  CHECK(faults[0].message ==
        "shared byte 48: read by warp 0 lane 3 before the asynchronous copy by warp 0 lane 3 (ptx "
        "line 10, kernel line 1010) was waited for");
  {
    Block block(launch);
    block.issue(10, 0, row(0u, 16u));
    block.complete(10, 0, row(0u, 16u));
    block.barrier(0b0001);
    block.barrier(0b1100);
    block.read(21, 1, row(0u, 16u), 16);
  }
  faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].kind == FaultKind::data_race);
  CHECK(faults[0].message.find("asynchronous copy by warp 0 lane 0 (ptx line 10") !=
        std::string::npos);
}

TEST_CASE("inside a warp: own lane after the wait, other lanes after a synchronisation") {
  for (const bool waited : {false, true}) {
    for (const bool synced : {false, true}) {
      CAPTURE(waited);
      CAPTURE(synced);
      Launch launch;
      {
        Block block(launch);
        block.issue(10, 0, row(0u, 16u));
        if (waited) {
          block.complete(10, 0, row(0u, 16u));
          block.read(20, 0, row(0u, 16u), 16);
        }
        if (synced) block.sync(0);
        block.read(21, 0, row(496u, ~0u * 16 + 0u), 16);  // lane l reads lane 31 - l's
      }
      CHECK(launch.kinds() == (!synced ? "data_race" : waited ? "none" : "missing_wait"));
    }
  }
}

TEST_CASE("small copies share sixteen bytes without interfering") {
  Launch launch;
  {
    Block block(launch);
    block.issue(10, 0, row(0u, 4u), all, 4);
    block.issue(11, 1, row(128u, 8u), all, 8);
    block.complete(10, 0, row(0u, 4u), all, 4);
    block.read(20, 0, row(0u, 4u), 4);
    block.complete(11, 1, row(128u, 8u), all, 8);
    block.barrier();
    block.read(21, 2, row(0u, 16u), 16, 0xFFFF);
  }
  CHECK(launch.kinds() == "none");
}

TEST_CASE("writing or copying into bytes in flight is a missing wait") {
  for (const bool copy : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      block.issue(10, 0, row(0u, 16u));
      if (copy) {
        block.issue(11, 0, row(0u, 16u));
      } else {
        block.write(11, 0, row(0u, 4u), 4, 0xF0);
        block.sync(0);
        block.write(12, 0, row(0u, 4u), 4, 0xF0);
      }
    }
    CHECK(launch.kinds() == (copy ? "missing_wait" : "data_race"));
  }
  Launch launch;
  {
    Block block(launch);
    block.issue(10, 0, row(0u, 0u));
  }
  CHECK(launch.kinds() == "data_race");
}

TEST_CASE("copies nobody reads, and bytes copied as zeros, are no fault") {
  Launch launch;
  {
    Block block(launch);
    block.issue(10, 0, row(0u, 16u));
  }
  CHECK(launch.kinds() == "none");
}
