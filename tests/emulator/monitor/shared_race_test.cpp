// Races in shared memory: each planted mistake gives data_race and nothing else, whichever access
// the engine happens to run first; its sound twin gives nothing.
#include <doctest/doctest.h>

#include <numeric>

#include "block.hpp"

using namespace monitor_tests;

namespace {

/// Runs two accesses by two warps in either order, after everything was written by a sound program,
/// with a barrier between them or not.
template <typename First, typename Second>
std::string either_order(bool second_runs_first, bool with_barrier, First first, Second second) {
  Launch launch;
  {
    Block block(launch);
    block.write(1, 0, row(0u, 16u), 16);
    block.barrier();
    if (with_barrier) {
      first(block);
      block.barrier();
      second(block);
    } else if (second_runs_first) {
      second(block);
      first(block);
    } else {
      first(block);
      second(block);
    }
  }
  return launch.kinds();
}

}  // namespace

TEST_CASE("a missing barrier is a data race in both orders, whatever the sizes") {
  for (const unsigned bytes : {1u, 2u, 4u, 8u, 16u}) {
    CAPTURE(bytes);
    auto write_one = [=](Block& block) { block.write(10, 1, row(0u, 16u), bytes); };
    auto write_two = [=](Block& block) { block.write(11, 2, row(0u, 16u), 16); };
    auto read_two = [=](Block& block) { block.read(12, 2, row(0u, 16u), 16); };
    auto read_three = [=](Block& block) { block.read(13, 3, row(0u, 16u), bytes); };
    for (const bool swapped : {false, true}) {
      CAPTURE(swapped);
      CHECK(either_order(swapped, false, write_one, read_two) == "data_race");
      CHECK(either_order(swapped, false, write_one, write_two) == "data_race");
      CHECK(either_order(swapped, false, read_three, write_two) == "data_race");
      CHECK(either_order(swapped, false, read_two, read_three) == "none");
    }
    CHECK(either_order(false, true, write_one, read_two) == "none");
    CHECK(either_order(false, true, write_one, write_two) == "none");
    CHECK(either_order(false, true, read_three, write_two) == "none");
  }
}

TEST_CASE("a reader that ran before the first write is a race, not an uninitialised read") {
  for (const bool reader_first : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      if (reader_first) block.read(20, 1, row(0u, 16u), 16);
      block.write(21, 0, row(0u, 4u), 4);
      block.write(22, 0, row(128u, 16u), 16);
      if (!reader_first) block.read(20, 1, row(0u, 16u), 16, 0xFFFFu);
      block.barrier();
      block.read(23, 2, row(0u, 4u), 4);
    }
    CHECK(launch.kinds() == "data_race");
  }
}

TEST_CASE("bytes nobody writes are an uninitialised read, once, with or without a later write") {
  for (const bool written_later : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      block.write(30, 0, row(0u, 16u), 16);
      block.barrier();
      block.read(31, 1, row(1024u, 16u), 16);
      block.read(32, 1, row(4096u, 2u), 2, 0xFFu);
      if (written_later) {
        block.barrier();
        block.write(33, 0, row(4096u, 16u), 16);
      }
    }
    const auto faults = launch.faults();
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].kind == FaultKind::uninitialized_read);
    CHECK(faults[1].kind == FaultKind::uninitialized_read);
    CHECK(faults[0].message.find("warp 1") != std::string::npos);
  }
}

TEST_CASE("as a note, an uninitialised read is not a fault and is noted once per line") {
  Launch launch;
  launch.options.uninitialized_is_fault = false;
  for (unsigned number = 0; number < 3; ++number) {
    Block block(launch, 4, number);
    block.read(31, 1, row(0u, 16u), 16);
  }
  CHECK(launch.kinds() == "none");
  const auto notes = launch.sink.take_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0] ==
        "ptx line 31, kernel line 1031: reads shared memory that the block never wrote");
}

TEST_CASE("shared memory does not stay written from one block to the next") {
  Launch launch;
  {
    Block block(launch, 4, 0);
    block.write(1, 0, row(0u, 16u), 16);
    block.barrier();
    block.read(2, 1, row(0u, 16u), 16);
  }
  CHECK(launch.kinds() == "none");
  {
    Block block(launch, 8, 1);
    block.read(2, 1, row(0u, 16u), 16);
  }
  CHECK(launch.kinds() == "uninitialized_read");
}

TEST_CASE("neighbours inside sixteen bytes do not race") {
  Launch launch;
  {
    Block block(launch);
    for (unsigned warp = 0; warp < 4; ++warp) block.write(40, warp, row(4 * warp, 0u), 4, lane(0));
    block.barrier();
    for (unsigned warp = 0; warp < 4; ++warp) block.read(41, warp, row(0u, 4u), 4, 0xF);
    block.barrier();
    for (unsigned warp = 0; warp < 4; ++warp)
      block.write(42, warp, row(100 + warp, 0u), 1, lane(warp));
    block.barrier();
    block.read(43, 0, row(100u, 0u), 4, lane(5));
    block.read(43, 1, row(100u, 0u), 4, lane(5));
  }
  CHECK(launch.kinds() == "none");
}

TEST_CASE("one byte of overlap is enough, and is named") {
  Launch launch;
  {
    Block block(launch);
    block.write(50, 0, row(64u, 4u), 4, 0xF);
    block.write(51, 1, row(75u, 1u), 1, lane(3) | lane(0));
  }
  const auto faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].kind == FaultKind::data_race);
  CHECK(faults[0].ptx_line == 51);
  CHECK(faults[0].cuda_line == 1051);
  CHECK(faults[0].kernel == "kernel_under_test");
  CHECK(faults[0].thread.x == 32);
  CHECK(
      faults[0].message ==
      "shared byte 75: write by warp 1 lane 0 races with the write by warp 0 lane 2 (ptx line 50, "
      "kernel line 1050): no barrier between them");
}

TEST_CASE("a barrier of some warps orders those warps, and through them others") {
  for (const bool linked : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      block.write(60, 0, row(0u, 16u), 16);
      block.barrier(0b0011);
      block.read(61, 1, row(0u, 16u), 16);
      if (linked) block.barrier(0b0110);
      block.read(62, 2, row(0u, 16u), 16);
    }
    const auto faults = launch.faults();
    CHECK(faults.size() == (linked ? 0 : 1));
    if (!linked) CHECK(faults[0].ptx_line == 62);
  }
}

TEST_CASE("lanes of one warp need a warp synchronisation") {
  for (const std::uint32_t synced : {0u, all, 0x3u, 0x5u}) {
    CAPTURE(synced);
    Launch launch;
    {
      Block block(launch);
      block.write(70, 0, row(0u, 4u), 4);
      block.read(71, 0, row(0u, 4u), 4);  // every lane its own
      if (synced) block.sync(0, synced);
      block.read(72, 0, row(4u, 0u), 4, lane(0));  // lane 0 what lane 1 wrote
    }
    const bool sound = (synced & 0x3) == 0x3;
    const auto faults = launch.faults();
    REQUIRE(faults.size() == (sound ? 0 : 1));
    if (sound) continue;
    CHECK(faults[0].kind == FaultKind::data_race);
    CHECK(faults[0].message ==
          "shared byte 4: read by warp 0 lane 0 races with the write by warp 0 lane 1 (ptx line "
          "70, kernel line 1070): no warp synchronisation between these lanes");
  }
}

TEST_CASE("a write after other lanes read needs a warp synchronisation") {
  for (const bool synced : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      block.write(75, 0, row(0u, 16u), 16);
      block.sync(0);
      block.read(76, 0, row(0u, 0u), 16);
      if (synced) block.sync(0);
      block.write(77, 0, row(0u, 16u), 16, lane(7) | lane(0));
    }
    CHECK(launch.kinds() == (synced ? "none" : "data_race"));
  }
}

TEST_CASE("synchronisations of some lanes carry over") {
  Launch launch;
  {
    Block block(launch);
    block.write(80, 0, row(0u, 4u), 4, lane(0));
    block.sync(0, lane(0) | lane(1));
    block.sync(0, lane(1) | lane(2));
    block.read(81, 0, row(0u, 0u), 4, lane(2));
  }
  CHECK(launch.kinds() == "none");
}

TEST_CASE("a read from before a synchronisation of other lanes is not forgotten") {
  for (const bool told : {false, true}) {
    Launch launch;
    {
      Block block(launch);
      block.write(82, 0, row(0u, 0u), 4, lane(0));
      block.sync(0);
      block.read(83, 0, row(0u, 0u), 4, lane(0));
      block.sync(0, told ? lane(0) | lane(1) | lane(2) : lane(1) | lane(2));
      block.read(84, 0, row(0u, 0u), 4, lane(1));
      block.sync(0, lane(1) | lane(2));
      block.write(85, 0, row(0u, 0u), 4, lane(2));
    }
    CHECK(launch.kinds() == (told ? "none" : "data_race"));
  }
}

TEST_CASE("a last warp with few lanes synchronises completely with those") {
  Launch launch;
  BlockMonitor::Setup setup = Block::setup(launch, 2, 0, 1024);
  setup.block_size = {40, 1, 1};
  BlockMonitor monitor(setup);
  const auto at = row(0u, 4u), other = row(4u, 4u);
  monitor.shared_write({1, 0}, 1, at.data(), 0xFF, 4);
  monitor.warp_sync(1, 0xFF);
  monitor.shared_read({2, 0}, 1, other.data(), 0x7F, 4);
  CHECK(launch.kinds() == "none");
}

TEST_CASE("lanes of one instruction: different values race, equal ones do not") {
  std::array<std::uint32_t, 32> equal{}, different{};
  std::iota(different.begin(), different.end(), 5u);
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    Launch launch;
    {
      Block block(launch);
      block.write(90, 0, row(16u, 0u), 4, all,
                  round == 0   ? equal.data()
                  : round == 1 ? different.data()
                               : nullptr);
      block.sync(0);
      block.read(91, 0, row(16u, 0u), 4);
    }
    CHECK(launch.kinds() == (round == 0 ? "none" : "data_race"));
  }
  // Overlapping but not equal addresses: only the common bytes count.
  Launch launch;
  {
    Block block(launch);
    std::array<std::uint64_t, 32> value{};
    value[0] = 0x2222222211111111;
    value[1] = 0x3333333322222222;
    std::array<std::uint32_t, 32> at{};
    at[0] = 32;
    at[1] = 36;
    block.write(92, 0, at, 8, 0b11, value.data());
    value[1] = 0x3333333322222221;
    block.barrier();
    block.write(93, 0, at, 8, 0b11, value.data());
  }
  const auto faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].ptx_line == 93);
  CHECK(faults[0].message ==
        "shared byte 36: lanes 0 and 1 of warp 0 store different values in one instruction");
}

TEST_CASE("atomics do not race with atomics, but with everything else") {
  for (const char* twin : {"sound", "read", "write", "initialisation"}) {
    CAPTURE(twin);
    const std::string kind = twin;
    Launch launch;
    {
      Block block(launch);
      block.write(100, 0, row(0u, 4u), 4);
      if (kind != "initialisation") block.barrier();
      for (unsigned warp = 0; warp < 4; ++warp) block.atomic(101, warp, row(0u, 0u), 4);
      if (kind == "read") block.read(102, 1, row(0u, 0u), 4, lane(0));
      if (kind == "write") block.write(103, 1, row(0u, 0u), 4, lane(0));
      block.barrier();
      block.read(104, 2, row(0u, 0u), 4);
      block.barrier();
      block.write(105, 3, row(0u, 0u), 4, lane(9));
    }
    CHECK(launch.kinds() == (kind == "sound" ? "none" : "data_race"));
  }
}

TEST_CASE("an atomic on bytes never written is an uninitialised read") {
  Launch launch;
  {
    Block block(launch);
    block.atomic(110, 0, row(0u, 0u), 4);
  }
  CHECK(launch.kinds() == "uninitialized_read");
}

TEST_CASE("a race is reported once and does not spread") {
  Launch launch;
  {
    Block block(launch);
    block.write(120, 0, row(0u, 16u), 16);
    for (unsigned round = 0; round < 5; ++round) {
      block.read(121, 1, row(0u, 16u), 16);
      block.read(122, 2, row(0u, 4u), 4);
      block.write(123, 3, row(0u, 16u), 16);
    }
  }
  CHECK(launch.faults().size() == 1);
}

TEST_CASE("the sink keeps a kind and line once and stops at its limit") {
  Launch launch(2);
  for (int line = 0; line < 5; ++line) {
    for (int again = 0; again < 2; ++again) {
      Fault fault;
      fault.kind = FaultKind::trap;
      fault.ptx_line = line;
      launch.sink.report(fault);
    }
    CHECK(launch.sink.full() == (line >= 1));
  }
  CHECK(launch.faults().size() == 2);
  launch.sink.note("a");
  launch.sink.note("a");
  CHECK(launch.sink.take_notes().size() == 1);
  CHECK(std::string(name(FaultKind::step_limit)) == "step_limit");
}
