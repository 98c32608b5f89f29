// Global memory: blocks of a launch are never ordered, warps of a block by its barriers.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "block.hpp"

using namespace monitor_tests;

namespace {

struct GlobalLaunch : Launch {
  GlobalLaunch() : device(std::size_t{1} << 30) {
    memory = &device;
    data = device.allocate(1 << 20);
    device.mark_initialized(data, 1 << 20);
  }
  Memory device;
  std::uint64_t data = 0;
  std::array<std::uint64_t, 32> at(std::uint64_t offset, std::uint64_t stride) const {
    return row<std::uint64_t>(data + offset, stride);
  }
};

}  // namespace

TEST_CASE("blocks: every conflict but atomic with atomic, in both orders") {
  enum Use { reading, writing, updating };
  for (const Use first : {reading, writing, updating}) {
    for (const Use second : {reading, writing, updating}) {
      for (const std::uint64_t stride : {4u, 16u}) {
        CAPTURE(first);
        CAPTURE(second);
        CAPTURE(stride);
        GlobalLaunch launch;
        auto use = [&](unsigned number, Use how) {
          Block block(launch, 4, number);
          const auto at = launch.at(4096, stride);
          const auto bytes = static_cast<unsigned>(stride);
          if (how == reading) block.load(10 + number, 0, at, bytes);
          if (how == writing) block.store(10 + number, 0, at, bytes);
          if (how == updating) block.add(10 + number, 0, at, 4);
        };
        use(0, first);
        use(1, second);
        const bool sound = first == second && first != writing;
        const auto faults = launch.faults();
        REQUIRE(faults.size() == (sound ? 0 : 1));
        if (sound) continue;
        CHECK(faults[0].kind == FaultKind::data_race);
        CHECK(faults[0].ptx_line == 11);
        CHECK(faults[0].block.x == 1);
        CHECK(faults[0].message.find("byte 4096 of a 1048576-byte allocation") !=
              std::string::npos);
        CHECK(faults[0].message.find("by block number 0 (ptx line 10)") != std::string::npos);
      }
    }
  }
}

TEST_CASE("blocks that interleave inside sixteen bytes do not race") {
  GlobalLaunch launch;
  for (unsigned number = 0; number < 16; ++number) {
    Block block(launch, 4, number);
    block.load(1, 0, launch.at(number, 16), 1);
    block.store(2, 0, launch.at(number, 16), 1);
    block.barrier();
    block.load(3, 1, launch.at(number, 16), 1);
    block.add(4, 0, launch.at(8192 + number % 4 * 4, 16), 4);
    block.load(5, 0, launch.at(65536, 4), 4);
  }
  CHECK(launch.kinds() == "none");
  {
    Block block(launch, 4, 16);
    block.load(6, 0, launch.at(5, 16), 1, lane(3));
    block.store(7, 0, launch.at(65536 + 12, 0), 4, lane(0));
    block.store(8, 0, launch.at(65536 + 1024, 0), 4, lane(0));
    block.load(9, 0, launch.at(8192 + 4, 0), 4, lane(0));
  }
  const auto faults = launch.faults();
  REQUIRE(faults.size() == 3);
  CHECK(faults[0].ptx_line == 6);
  CHECK(faults[0].message.find("by block number 5 ") != std::string::npos);
  CHECK(faults[1].ptx_line == 7);
  CHECK(faults[1].message.find("by other blocks") != std::string::npos);
  CHECK(faults[2].ptx_line == 9);
}

TEST_CASE("warps of a block: reads and writes need a barrier, in both orders") {
  for (const bool with_barrier : {false, true}) {
    for (const bool write_first : {false, true}) {
      CAPTURE(with_barrier);
      CAPTURE(write_first);
      GlobalLaunch launch;
      {
        Block block(launch);
        block.load(1, 3, launch.at(512, 4), 4);
        if (write_first) block.store(2, 0, launch.at(0, 16), 16);
        if (!write_first) block.load(3, 1, launch.at(256, 4), 4);
        if (with_barrier) block.barrier();
        if (write_first) block.load(3, 1, launch.at(256, 4), 4);
        if (!write_first) block.store(2, 0, launch.at(0, 16), 16, 0xFFFFFFFF);
      }
      const auto faults = launch.faults();
      CHECK(faults.size() == (with_barrier ? 0 : 1));
      for (const Fault& fault : faults) CHECK(fault.kind == FaultKind::data_race);
    }
  }
}

TEST_CASE("warps of a block: partial barriers, lanes, atomics, pages judged late") {
  GlobalLaunch launch;
  {
    Block block(launch);
    // Many pages are read, then written by the readers themselves: sound.
    for (unsigned page = 0; page < 40; ++page) {
      block.load(1, page % 4, launch.at(page * 4096, 16), 16);
      block.load(2, page % 4, launch.at(page * 4096, 16), 16);
      block.store(3, page % 4, launch.at(page * 4096, 16), 16);
    }
    block.barrier(0b0011);
    block.load(4, 1, launch.at(0, 16), 16);
    for (unsigned warp = 0; warp < 4; ++warp) block.add(5, warp, launch.at(1 << 19, 0), 4);
  }
  CHECK(launch.kinds() == "none");
  launch.global = make_global_shadow();
  {
    Block block(launch);
    for (unsigned page = 0; page < 40; ++page)
      block.load(1, page % 4, launch.at(page * 4096, 16), 16);
    for (unsigned page = 0; page < 39; ++page)
      block.store(2, page % 4, launch.at(page * 4096, 16), 16);
    block.store(3, 2, launch.at(39 * 4096, 16), 16);  // page 39 was read by warp 3
    block.barrier(0b0011);
    block.load(4, 1, launch.at(2 * 4096, 16), 16);  // warp 2 did not take part
    for (unsigned warp = 0; warp < 4; ++warp) block.add(5, warp, launch.at(1 << 19, 0), 4);
    block.load(6, 1, launch.at(1 << 19, 0), 4, lane(0));
    block.store(7, 0, launch.at(300000, 4), 4);
    block.load(8, 0, launch.at(300004, 4), 4, lane(0));
  }
  const auto faults = launch.faults();
  REQUIRE(faults.size() == 4);
  CHECK(faults[0].ptx_line == 3);
  CHECK(faults[1].ptx_line == 4);
  CHECK(faults[2].ptx_line == 6);
  CHECK(faults[3].ptx_line == 8);
  for (const Fault& fault : faults) CHECK(fault.kind == FaultKind::data_race);
}

TEST_CASE("inside a block an atomic and a read race without any plain write") {
  for (const bool with_barrier : {false, true}) {
    GlobalLaunch launch;
    {
      Block block(launch);
      block.add(1, 0, launch.at(0, 4), 4);
      if (with_barrier) block.barrier();
      block.load(2, 1, launch.at(0, 4), 4);
    }
    CHECK(launch.kinds() == (with_barrier ? "none" : "data_race"));
  }
}

TEST_CASE("several readers of single bytes are all remembered") {
  GlobalLaunch launch;
  for (unsigned number = 0; number < 3; ++number) {
    Block block(launch, 4, number);
    block.load(1, 0, launch.at(number % 2, 0), 1, lane(0));
  }
  {
    Block block(launch, 4, 2);
    block.store(2, 0, launch.at(0, 0), 1, lane(0));
  }
  const auto faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].message.find("by other blocks") != std::string::npos);
}

TEST_CASE("uninitialised global memory, and marks that outlive a launch") {
  GlobalLaunch launch;
  const std::uint64_t fresh = launch.device.allocate(4096);
  {
    Block block(launch);
    block.load(1, 0, row<std::uint64_t>(fresh, 16), 16);
    block.store(2, 0, row<std::uint64_t>(fresh, 16), 16);
    block.load(3, 0, row<std::uint64_t>(fresh, 16), 16);
  }
  auto faults = launch.faults();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].kind == FaultKind::uninitialized_read);
  CHECK(faults[0].ptx_line == 1);
  CHECK(faults[0].message.find("byte 0 of a 4096-byte allocation") != std::string::npos);
  launch.global = make_global_shadow();
  {
    Block block(launch);
    block.load(4, 1, row<std::uint64_t>(fresh, 16), 16);
  }
  CHECK(launch.kinds() == "none");
  {
    Block block(launch);
    block.load(5, 1, row<std::uint64_t>(fresh + 512, 4), 4, lane(31));
    block.load(6, 1, row<std::uint64_t>(fresh + 508, 4), 4, 0b11);
  }
  faults = launch.faults();
  REQUIRE(faults.size() == 2);
  CHECK(faults[1].thread.x == 33);
}

TEST_CASE("reading what another block or warp writes is a race, not an uninitialised read") {
  for (const bool reader_first : {false, true}) {
    for (const bool other_block : {false, true}) {
      CAPTURE(reader_first);
      CAPTURE(other_block);
      GlobalLaunch launch;
      const auto at = row<std::uint64_t>(launch.device.allocate(4096), 4);
      {
        Block one(launch, 4, 0);
        Block two(launch, 4, 1);
        Block& reader = other_block ? two : one;
        if (reader_first) reader.load(1, 1, at, 4);
        one.store(2, 0, at, 4);
        if (!reader_first) reader.load(1, 1, at, 4);
      }
      CHECK(launch.kinds() == "data_race");
    }
  }
}

TEST_CASE("blocks on several threads: one conflicting byte is always found") {
  for (unsigned round = 0; round < 20; ++round) {
    GlobalLaunch launch;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&launch, t] {
        for (unsigned number = t; number < 32; number += 4) {
          Block block(launch, 4, number);
          for (unsigned i = 0; i < 8; ++i) block.load(1, 0, launch.at(i * 512, 16), 16);
          block.store(2, 1, launch.at(65536 + number * 512, 16), 16);
          if (number == 13) block.store(3, 2, launch.at(1000, 0), 4, lane(4));
        }
      });
    }
    for (auto& thread : threads) thread.join();
    const auto faults = launch.faults();
    REQUIRE(faults.size() >= 1);
    for (const Fault& fault : faults) {
      CHECK(fault.kind == FaultKind::data_race);
      CHECK((fault.ptx_line == 3 || fault.ptx_line == 1));
    }
  }
}
