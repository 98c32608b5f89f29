// Counters against values worked out by hand from the rules in lowering/emulator/monitor.hpp, and
// against a slow count on random addresses.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <string>

#include "emulator/monitor.hpp"

using namespace tilewright::emulator;

namespace {

constexpr std::uint32_t all = ~0u;

template <typename Address, typename Formula>
std::array<Address, 32> lanes(Formula formula) {
  std::array<Address, 32> result{};
  for (unsigned lane = 0; lane < 32; ++lane) result[lane] = static_cast<Address>(formula(lane));
  return result;
}

std::uint64_t sectors(const std::array<std::uint64_t, 32>& address, std::uint32_t active,
                      unsigned bytes) {
  AccessCounter counter;
  counter.global(false, address.data(), active, bytes);
  return counter.sums().global_load_sectors;
}

std::string wavefronts(const std::array<std::uint32_t, 32>& address, std::uint32_t active,
                       unsigned bytes) {
  AccessCounter counter;
  counter.shared(address.data(), active, bytes);
  return std::to_string(counter.sums().shared_accesses) + " phases, " +
         std::to_string(counter.sums().shared_wavefronts) + " wavefronts";
}

}  // namespace

TEST_CASE("global sectors of one warp access") {
  auto row = [](unsigned stride) {
    return lanes<std::uint64_t>(
        [=](unsigned lane) { return 0x10000 + std::uint64_t{lane} * stride; });
  };
  CHECK(sectors(row(4), all, 4) == 4);
  CHECK(sectors(row(16), all, 16) == 16);
  CHECK(sectors(row(2), all, 2) == 2);
  CHECK(sectors(row(0), all, 4) == 1);
  CHECK(sectors(row(32), all, 4) == 32);
  CHECK(sectors(row(4096), all, 16) == 32);
  CHECK(sectors(row(std::uint32_t{1} << 20), all, 16) == 32);
  CHECK(sectors(row(std::uint32_t{1} << 20), 0x80000001u, 16) == 2);
  CHECK(sectors(row(4), 0, 4) == 0);
  CHECK(sectors(lanes<std::uint64_t>([](unsigned lane) { return 0x1001C + 4 * lane; }), all, 4) ==
        5);
  AccessCounter counter;
  const auto address = row(8);
  counter.global(true, address.data(), 0xFFFFu, 8);
  counter.global(true, address.data(), 0xFFFFu, 8);
  CHECK(counter.sums().global_store_bytes == 256);
  CHECK(counter.sums().global_store_sectors == 8);
  CHECK(counter.sums().global_load_bytes == 0);
}

TEST_CASE("shared wavefronts of one warp access") {
  auto row = [](unsigned stride) {
    return lanes<std::uint32_t>([=](unsigned lane) { return 1024 + lane * stride; });
  };
  CHECK(wavefronts(row(4), all, 4) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(0), all, 4) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(8), all, 4) == "1 phases, 2 wavefronts");
  CHECK(wavefronts(row(128), all, 4) == "1 phases, 32 wavefronts");
  CHECK(wavefronts(row(132), all, 4) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(2), all, 2) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(1), all, 1) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(8), all, 8) == "2 phases, 2 wavefronts");
  CHECK(wavefronts(row(16), all, 8) == "2 phases, 4 wavefronts");
  CHECK(wavefronts(row(16), all, 16) == "4 phases, 4 wavefronts");
  CHECK(wavefronts(row(16), 0x000000FFu, 16) == "1 phases, 1 wavefronts");
  CHECK(wavefronts(row(128), all, 16) == "4 phases, 32 wavefronts");
  CHECK(wavefronts(row(144), all, 16) == "4 phases, 4 wavefronts");
  CHECK(wavefronts(row(4), 0, 4) == "0 phases, 0 wavefronts");
}

TEST_CASE("matrix rows: one phase per matrix, eight-way conflict without a swizzle") {
  auto rows = [](unsigned stride, bool swizzled) {
    return lanes<std::uint32_t>([=](unsigned lane) {
      const unsigned at = lane % 8 * stride + lane / 8 * 16;
      return swizzled ? at ^ (lane % 8 * 16) : at;
    });
  };
  AccessCounter plain, swizzled, half, packed;
  plain.matrix_rows(rows(128, false).data(), 4);
  CHECK(plain.sums().shared_accesses == 4);
  CHECK(plain.sums().shared_wavefronts == 32);
  swizzled.matrix_rows(rows(128, true).data(), 4);
  CHECK(swizzled.sums().shared_wavefronts == 4);
  half.matrix_rows(rows(64, false).data(), 2);
  CHECK(half.sums().shared_accesses == 2);
  CHECK(half.sums().shared_wavefronts == 8);
  packed.matrix_rows(rows(16, false).data(), 1);
  CHECK(packed.sums().shared_wavefronts == 1);
}

TEST_CASE("random addresses agree with a slow count") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const unsigned bytes = 1u << random() % 5;
    const unsigned span = 1u << (4 + random() % 16);
    const std::uint32_t active = static_cast<std::uint32_t>(random());
    const auto shared =
        lanes<std::uint32_t>([&](unsigned) { return random() % span / bytes * bytes; });
    const auto global =
        lanes<std::uint64_t>([&](unsigned lane) { return 0x7000000000ull + shared[lane]; });
    std::set<std::uint64_t> touched;
    const unsigned group = bytes <= 4 ? 32 : 128 / bytes;
    std::uint64_t phases = 0, expected = 0;
    for (unsigned first = 0; first < 32; first += group) {
      std::map<unsigned, std::set<std::uint32_t>> words;  // by bank
      for (unsigned lane = first; lane < first + group; ++lane) {
        if (!(active >> lane & 1)) continue;
        touched.insert(global[lane] / 32);
        for (unsigned at = 0; at < bytes; at += 4) {
          const std::uint32_t word = (shared[lane] + at) / 4;
          words[word % 32].insert(word);
        }
      }
      std::size_t most = 0;
      for (const auto& [bank, set] : words) most = std::max(most, set.size());
      phases += most != 0;
      expected += most;
    }
    CHECK(sectors(global, active, bytes) == touched.size());
    CHECK(wavefronts(shared, active, bytes) ==
          std::to_string(phases) + " phases, " + std::to_string(expected) + " wavefronts");
  }
}

TEST_CASE("sums of counters add every field") {
  Counters one;
  auto* words = reinterpret_cast<std::uint64_t*>(&one);
  constexpr unsigned fields = sizeof(Counters) / sizeof(std::uint64_t);
  for (unsigned i = 0; i < fields; ++i) words[i] = i + 1;
  Counters two = one;
  two.add(one);
  const auto* sums = reinterpret_cast<const std::uint64_t*>(&two);
  for (unsigned i = 0; i < fields; ++i) CHECK(sums[i] == 2 * (i + 1));
}
