// Sectors and bank conflicts, counted with bit masks.
// A phase of a shared access is served in as many wavefronts as its busiest bank has distinct
// 4-byte words: every 128-byte row of shared memory contributes one bit per bank, and the bits are
// added up for all banks at once, one bit plane per binary digit.
// Tests: tests/emulator/monitor/counters_test.cpp.
#include <algorithm>
#include <array>
#include <bit>

#include "emulator/monitor.hpp"

namespace tilewright::emulator {
namespace {

/// The words one phase touches: for each distinct 128-byte row, its banks.
class Phase {
 public:
  void add(std::uint32_t word, std::uint32_t words) {
    const std::uint32_t row = word / 32;
    const std::uint32_t banks = ((1u << words) - 1u) << (word % 32);
    for (unsigned i = 0; i < count_; ++i) {
      if (rows_[i] == row) {
        banks_[i] |= banks;
        return;
      }
    }
    rows_[count_] = row;
    banks_[count_++] = banks;
  }

  unsigned wavefronts() const {
    if (count_ <= 1) return count_;
    std::array<std::uint32_t, 6> digit{};  // at most 32 rows: counts of 6 bits
    for (unsigned i = 0; i < count_; ++i) {
      std::uint32_t carry = banks_[i];
      for (std::uint32_t& plane : digit) {
        const std::uint32_t sum = plane ^ carry;
        carry &= plane;
        plane = sum;
      }
    }
    // The largest count over banks, from its highest digit down.
    std::uint32_t candidates = ~0u;
    unsigned largest = 0;
    for (unsigned bit = 6; bit-- > 0;) {
      if (candidates & digit[bit]) {
        candidates &= digit[bit];
        largest |= 1u << bit;
      }
    }
    return largest;
  }

 private:
  unsigned count_ = 0;
  std::array<std::uint32_t, 32> rows_, banks_;
};

/// Sectors if lane after lane they only rise, as in rows of a tile; 0 if not.
unsigned rising_sectors(const std::uint64_t* address, std::uint32_t lanes) {
  std::uint64_t previous = address[std::countr_zero(lanes)] / 32;
  unsigned count = 1;
  bool rising = true;
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const std::uint64_t sector = address[std::countr_zero(rest)] / 32;
    rising &= sector >= previous;
    count += sector != previous;
    previous = sector;
  }
  return rising ? count : 0;
}

unsigned distinct_sectors(const std::uint64_t* address, std::uint32_t lanes) {
  if (const unsigned rising = rising_sectors(address, lanes)) return rising;
  std::uint64_t low = ~std::uint64_t{0};
  std::uint64_t high = 0;
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const std::uint64_t sector = address[std::countr_zero(rest)] / 32;
    low = std::min(low, sector);
    high = std::max(high, sector);
  }
  constexpr std::uint64_t window = 2048;  // 64 KiB of addresses: a tile of rows fits
  if (high - low < 64) {
    std::uint64_t seen = 0;
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1)
      seen |= std::uint64_t{1} << (address[std::countr_zero(rest)] / 32 - low);
    return static_cast<unsigned>(std::popcount(seen));
  }
  unsigned count = 0;
  if (high - low < window) {
    std::array<std::uint64_t, window / 64> seen{};
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      const std::uint64_t offset = address[std::countr_zero(rest)] / 32 - low;
      const std::uint64_t bit = std::uint64_t{1} << (offset % 64);
      count += (seen[offset / 64] & bit) == 0;
      seen[offset / 64] |= bit;
    }
    return count;
  }
  for (std::uint32_t rest = lanes; rest; ++count) {
    const std::uint64_t sector = address[std::countr_zero(rest)] / 32;
    std::uint32_t same = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
      same |= static_cast<std::uint32_t>((lanes >> lane & 1) && address[lane] / 32 == sector)
              << lane;
    rest &= ~same;
  }
  return count;
}

}  // namespace

void Counters::add(const Counters& other) {
  warp_instructions += other.warp_instructions;
  global_load_bytes += other.global_load_bytes;
  global_store_bytes += other.global_store_bytes;
  global_load_sectors += other.global_load_sectors;
  global_store_sectors += other.global_store_sectors;
  shared_accesses += other.shared_accesses;
  shared_wavefronts += other.shared_wavefronts;
  tensor_ops += other.tensor_ops;
  barriers += other.barriers;
  tensor += other.tensor;
  mufu += other.mufu;
  fma += other.fma;
  alu += other.alu;
  shared += other.shared;
  global += other.global;
  control += other.control;
  sync += other.sync;
}

void AccessCounter::global(bool store, const std::uint64_t* address, std::uint32_t lanes,
                           unsigned bytes) {
  if (lanes == 0) return;
  // Aligned accesses of at most 16 bytes never straddle a sector.
  const std::uint64_t requested =
      std::uint64_t{bytes} * static_cast<unsigned>(std::popcount(lanes));
  const unsigned sectors = distinct_sectors(address, lanes);
  (store ? sums_.global_store_bytes : sums_.global_load_bytes) += requested;
  (store ? sums_.global_store_sectors : sums_.global_load_sectors) += sectors;
}

void AccessCounter::shared(const std::uint32_t* address, std::uint32_t lanes, unsigned bytes) {
  if (bytes == 16 && lanes == ~0u) return matrix_rows(address, 4);
  const unsigned phases = bytes <= 4 ? 1 : bytes / 4;
  const unsigned lanes_per_phase = 32 / phases;
  for (unsigned i = 0; i < phases; ++i) {
    const std::uint32_t window = lanes_per_phase == 32 ? ~0u : (1u << lanes_per_phase) - 1u;
    std::uint32_t rest = lanes & (window << (i * lanes_per_phase));
    if (rest == 0) continue;
    Phase phase;
    for (; rest; rest &= rest - 1)
      phase.add(address[std::countr_zero(rest)] / 4, bytes <= 4 ? 1 : bytes / 4);
    sums_.shared_accesses += 1;
    sums_.shared_wavefronts += phase.wavefronts();
  }
}

void AccessCounter::matrix_rows(const std::uint32_t* row_address, unsigned matrices) {
  for (unsigned matrix = 0; matrix < matrices; ++matrix) {
    const std::uint32_t* rows = row_address + 8 * matrix;
    std::uint32_t groups = 0;  // a row of 16 bytes covers one of eight groups of four banks
    for (unsigned i = 0; i < 8; ++i) groups |= 1u << (rows[i] / 16 % 8);
    sums_.shared_accesses += 1;
    if (groups == 0xFF) {
      sums_.shared_wavefronts += 1;
      continue;
    }
    Phase phase;
    for (unsigned i = 0; i < 8; ++i) phase.add(rows[i] / 4, 4);
    sums_.shared_wavefronts += phase.wavefronts();
  }
}

}  // namespace tilewright::emulator
