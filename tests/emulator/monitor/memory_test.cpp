// Emulated device memory: placement, words for addresses, sparse size, initialisation bits.
#include "emulator/memory.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

using tilewright::emulator::Memory;

namespace {

constexpr std::size_t gibibyte = std::size_t{1} << 30;

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

std::uint8_t byte_at(std::uint64_t address) {
  return *reinterpret_cast<const std::uint8_t*>(address);
}

}  // namespace

TEST_CASE("allocations are aligned, apart, poisoned and found by any inner address") {
  Memory memory(gibibyte);
  const std::uint64_t first = memory.allocate(4096);
  const std::uint64_t second = memory.allocate(1);
  REQUIRE(first != 0);
  REQUIRE(second != 0);
  CHECK(first % 256 == 0);
  CHECK(second % 256 == 0);
  CHECK(second >= first + 4096 + 256);
  CHECK(byte_at(first) == 0xFF);
  CHECK(byte_at(first + 4095) == 0xFF);
  CHECK(memory.find(first + 4095).begin == first);
  CHECK(memory.find(first + 4095).end == first + 4096);
  CHECK(memory.find(first + 4096).begin == 0);
  CHECK(memory.find(first - 1).begin == 0);
  CHECK(memory.find(0).end == 0);
  CHECK(memory.is_device(first));
  CHECK_FALSE(memory.is_device(reinterpret_cast<std::uint64_t>(&memory)));
  CHECK(memory.bytes_in_use() == 4097);
  CHECK(memory.release(first));
  CHECK_FALSE(memory.release(first));
  CHECK_FALSE(memory.release(second + 1));
  CHECK(memory.bytes_in_use() == 1);
}

TEST_CASE("an address is described by what is next to it") {
  Memory memory(gibibyte);
  CHECK(memory.describe(4) == "not device memory");
  const std::uint64_t first = memory.allocate(4096);
  const std::uint64_t second = memory.allocate(100);
  CHECK(memory.describe(first + 7) == "byte 7 of a 4096-byte allocation");
  CHECK(memory.describe(first + 4096) == "1 byte past the end of a 4096-byte allocation");
  CHECK(memory.describe(first + 4112) == "17 bytes past the end of a 4096-byte allocation");
  CHECK(memory.describe(second - 8) == "8 bytes before the start of a 100-byte allocation");
  CHECK(memory.release(first));
  CHECK(memory.describe(first + 5) == "freed memory (byte 5 of 4096 bytes released earlier)");
  CHECK(memory.release(second));
  CHECK(memory.describe(second + 50000) == "device memory that was never allocated");
}

TEST_CASE("20 GiB cost nothing until touched, and little where touched") {
  Memory memory;
  const std::size_t before = resident_bytes();
  const std::uint64_t address = memory.allocate(20 * gibibyte);
  REQUIRE(address != 0);
  std::memset(reinterpret_cast<void*>(address + 20 * gibibyte - 100), 1, 100);
  memory.mark_initialized(address + 20 * gibibyte - 100, 100);
  CHECK(memory.is_initialized(address + 20 * gibibyte - 100, 100));
  CHECK_FALSE(memory.is_initialized(address + 20 * gibibyte - 101, 2));
  CHECK(memory.find(address + 19 * gibibyte).begin == address);
  CHECK(resident_bytes() - before < (std::size_t{16} << 20));
  CHECK(memory.release(address));
  CHECK(memory.allocate(std::size_t{1} << 50) == 0);
}

TEST_CASE("freed memory is reused only when the range is exhausted, as new") {
  Memory memory(std::size_t{1} << 20);
  std::vector<std::uint64_t> live;
  while (const std::uint64_t address = memory.allocate(100000)) {
    for (const std::uint64_t other : live) CHECK(address != other);
    live.push_back(address);
  }
  CHECK(live.size() >= 9);
  CHECK(memory.allocate(1000000) == 0);
  memory.mark_initialized(live[3], 100000);
  std::memset(reinterpret_cast<void*>(live[3]), 7, 100000);
  REQUIRE(memory.release(live[3]));
  CHECK(memory.describe(live[3] + 1).find("freed memory") == 0);
  const std::uint64_t again = memory.allocate(50000);
  REQUIRE(again != 0);
  CHECK(again == live[3]);
  CHECK(byte_at(again) == 0xFF);
  CHECK_FALSE(memory.is_initialized(again, 1));
  CHECK(memory.describe(again + 1).find("byte 1 of a 50000-byte allocation") == 0);
  CHECK(memory.describe(again + 60000).find("freed memory") == 0);
  CHECK(memory.find(live[2]).end == live[2] + 100000);
  CHECK(memory.find(live[4]).begin == live[4]);
}

TEST_CASE("adjacent freed allocations make room for a larger one") {
  Memory memory(std::size_t{1} << 20);
  std::vector<std::uint64_t> live;
  while (const std::uint64_t address = memory.allocate(100000)) live.push_back(address);
  REQUIRE(memory.release(live[5]));
  REQUIRE(memory.release(live[6]));
  const std::uint64_t large = memory.allocate(190000);
  CHECK(large == live[5]);
  CHECK(large + 190000 + 256 <= live[7]);
}

TEST_CASE("initialisation is known to the byte") {
  Memory memory(gibibyte);
  const std::uint64_t base = memory.allocate(4096);
  for (std::uint64_t first = 0; first < 20; ++first) {
    for (std::size_t bytes = 1; bytes < 100; bytes += 7) {
      Memory fresh(std::size_t{1} << 20);
      const std::uint64_t at = fresh.allocate(256);
      fresh.mark_initialized(at + first, bytes);
      bool exact = fresh.is_initialized(at + first, bytes);
      for (std::uint64_t i = 0; i < 200; ++i)
        exact = exact && fresh.is_initialized(at + i, 1) == (i >= first && i < first + bytes);
      CHECK(exact);
    }
  }
  // Neighbouring bytes from several threads: no mark is lost.
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&memory, base, t] {
      for (std::uint64_t i = t; i < 4096; i += 4) memory.mark_initialized(base + i, 1);
    });
  for (auto& thread : threads) thread.join();
  CHECK(memory.is_initialized(base, 4096));
}
