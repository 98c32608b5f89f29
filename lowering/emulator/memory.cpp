// Device memory over one reserved range of host addresses.
// Addresses only grow until the range is exhausted, so that a stale pointer stays recognisable as
// freed; the accessible part is therefore one growing prefix and costs one mapping however many
// allocations there are. The initialisation bitmap covers the whole range and is as sparse as it.
// Tests: tests/emulator/monitor/memory_test.cpp.
#include "emulator/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>

#include "emulator/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emulator {
namespace {

constexpr std::uint64_t alignment = 256;
constexpr std::uint64_t red_zone = 256;
constexpr std::uint64_t page = 4096;
constexpr std::size_t poison_limit = std::size_t{64} << 20;
constexpr std::size_t smallest_reserve = std::size_t{1} << 30;

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

void* reserve(std::size_t bytes, int protection) {
  void* range =
      mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return range == MAP_FAILED ? nullptr : range;
}

std::string count_bytes(std::uint64_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

/// Zeroes whole pages by giving them back, so that clearing a sparse range stays cheap.
void clear_range(std::uint8_t* begin, std::uint8_t* end) {
  const auto first = reinterpret_cast<std::uint64_t>(begin);
  const auto last = reinterpret_cast<std::uint64_t>(end);
  const std::uint64_t inner_first = round_up(first, page);
  const std::uint64_t inner_last = last / page * page;
  if (inner_first >= inner_last) {
    std::memset(begin, 0, last - first);
    return;
  }
  std::memset(begin, 0, inner_first - first);
  madvise(reinterpret_cast<void*>(inner_first), inner_last - inner_first, MADV_DONTNEED);
  std::memset(reinterpret_cast<void*>(inner_last), 0, last - inner_last);
}

/// The bits [first, last) of one byte.
std::uint8_t bit_span(unsigned first, unsigned last) {
  return static_cast<std::uint8_t>((0xFFu << first) & (0xFFu >> (8 - last)));
}

}  // namespace

Memory::Memory(std::size_t reserve_bytes) {
  size_ = round_up(std::max(reserve_bytes, std::size_t{1}), page);
  const std::size_t wanted = size_;
  void* range = nullptr;
  void* bits = nullptr;
  // A machine that limits address space gets a smaller device rather than none.
  for (;;) {
    range = reserve(size_, PROT_NONE);
    bits = range ? reserve(size_ / 8, PROT_READ | PROT_WRITE) : nullptr;
    if (bits) break;
    if (range) munmap(range, size_);
    if (size_ / 2 < smallest_reserve) {
      throw Error(errors::emulator["emulator-address-space"],
                  "cannot reserve address space for emulated device memory",
                  {"reserve_bytes", std::to_string(wanted) + " bytes",
                   "a limit on address space (ulimit -v) that leaves at least 1 GiB", ""});
    }
    size_ = round_up(size_ / 2, page);
  }
  base_ = reinterpret_cast<std::uint64_t>(range);
  initialized_ = static_cast<std::uint8_t*>(bits);
  next_ = base_;
  accessible_end_ = base_;
}

Memory::~Memory() {
  munmap(reinterpret_cast<void*>(base_), size_);
  munmap(initialized_, size_ / 8);
}

std::uint64_t Memory::allocate(std::size_t bytes) {
  const std::uint64_t begin = take(bytes);
  if (begin != 0 && bytes <= poison_limit) std::memset(reinterpret_cast<void*>(begin), 0xFF, bytes);
  return begin;
}

std::uint64_t Memory::allocate_zeros(std::size_t bytes) {
  const std::uint64_t begin = take(bytes);
  auto* memory = reinterpret_cast<std::uint8_t*>(begin);
  if (begin != 0) clear_range(memory, memory + bytes);
  return begin;
}

std::uint64_t Memory::take(std::size_t bytes) {
  if (bytes == 0 || bytes > size_) return 0;
  const std::unique_lock lock(mutex_);
  std::uint64_t begin = round_up(next_ + red_zone, alignment);
  const std::uint64_t limit = base_ + size_ - red_zone;
  if (begin <= limit && bytes <= limit - begin) {
    const std::uint64_t accessible = round_up(begin + bytes, page);
    if (accessible > accessible_end_) {
      if (mprotect(reinterpret_cast<void*>(accessible_end_), accessible - accessible_end_,
                   PROT_READ | PROT_WRITE) != 0)
        return 0;
      accessible_end_ = accessible;
    }
    next_ = begin + bytes;
  } else {
    begin = reuse(bytes);
    if (begin == 0) return 0;
  }
  live_[begin] = begin + bytes;
  in_use_ += bytes;
  return begin;
}

/// First gap between live allocations that fits with its red zones; what was freed there is
/// forgotten. Only used once the range is exhausted.
std::uint64_t Memory::reuse(std::size_t bytes) {
  std::uint64_t candidate = round_up(base_ + red_zone, alignment);
  auto fits = [&](std::uint64_t end_of_gap) {
    return candidate <= end_of_gap && bytes <= end_of_gap - candidate;
  };
  bool found = false;
  for (const auto& [begin, end] : live_) {
    if (fits(begin - red_zone)) {
      found = true;
      break;
    }
    candidate = round_up(end + red_zone, alignment);
  }
  if (!found && !fits(next_)) return 0;
  const std::uint64_t end = candidate + bytes;
  auto freed = freed_.lower_bound(candidate);
  if (freed != freed_.begin() && std::prev(freed)->second > candidate) --freed;
  while (freed != freed_.end() && freed->first < end) {
    const auto [old_begin, old_end] = *freed;
    freed = freed_.erase(freed);
    if (old_begin < candidate) freed_[old_begin] = candidate;
    if (old_end > end) freed = freed_.emplace(end, old_end).first;
    if (old_end > end) break;
  }
  // The page-wise clearing leaves a large reused range sparse again; the bitmap starts anew.
  auto* memory = reinterpret_cast<std::uint8_t*>(candidate);
  if (bytes > poison_limit) clear_range(memory, memory + bytes);
  forget_initialized(candidate, bytes);
  return candidate;
}

bool Memory::release(std::uint64_t address) {
  const std::unique_lock lock(mutex_);
  const auto found = live_.find(address);
  if (found == live_.end()) return false;
  const auto [begin, end] = *found;
  live_.erase(found);
  freed_[begin] = end;
  in_use_ -= end - begin;
  const std::uint64_t first = round_up(begin, page);
  const std::uint64_t last = end / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  // Addresses are not used again soon: without this, what was freed would keep a bit a byte.
  forget_initialized(begin, end - begin);
  return true;
}

Memory::Range Memory::find(std::uint64_t address) const {
  const std::shared_lock lock(mutex_);
  auto after = live_.upper_bound(address);
  if (after == live_.begin()) return {};
  --after;
  if (address >= after->second) return {};
  return {after->first, after->second};
}

std::string Memory::describe(std::uint64_t address) const {
  if (!is_device(address)) return "not device memory";
  const std::shared_lock lock(mutex_);
  const auto after = live_.upper_bound(address);
  const bool has_before = after != live_.begin();
  const auto before = has_before ? std::prev(after) : live_.end();
  auto size = [](auto entry) { return std::to_string(entry->second - entry->first) + "-byte"; };
  if (has_before && address < before->second) {
    return "byte " + std::to_string(address - before->first) + " of a " + size(before) +
           " allocation";
  }
  auto freed = freed_.upper_bound(address);
  if (freed != freed_.begin() && address < std::prev(freed)->second) {
    --freed;
    return "freed memory (byte " + std::to_string(address - freed->first) + " of " +
           count_bytes(freed->second - freed->first) + " released earlier)";
  }
  const std::uint64_t past = has_before ? address - before->second + 1 : ~std::uint64_t{0};
  const std::uint64_t ahead = after != live_.end() ? after->first - address : ~std::uint64_t{0};
  if (has_before && past <= ahead) {
    return count_bytes(past) + " past the end of a " + size(before) + " allocation";
  }
  if (after != live_.end()) {
    return count_bytes(ahead) + " before the start of a " + size(after) + " allocation";
  }
  return "device memory that was never allocated";
}

void Memory::mark_initialized(std::uint64_t address, std::size_t bytes) {
  if (bytes == 0) return;
  std::uint64_t first = address - base_;
  const std::uint64_t last = first + bytes;
  // Neighbouring bytes may be marked by several host threads at once; bits are only ever set.
  auto set = [this](std::uint64_t index, std::uint8_t bits) {
    std::atomic_ref<std::uint8_t> cell(initialized_[index]);
    if ((cell.load(std::memory_order_relaxed) & bits) != bits)
      cell.fetch_or(bits, std::memory_order_relaxed);
  };
  if (first / 8 == (last - 1) / 8) {
    set(first / 8, bit_span(first % 8, static_cast<unsigned>((last - 1) % 8 + 1)));
    return;
  }
  if (first % 8) {
    set(first / 8, bit_span(first % 8, 8));
    first = round_up(first, 8);
  }
  const std::uint64_t whole = last / 8 - first / 8;
  if (whole > 8) {
    std::memset(initialized_ + first / 8, 0xFF, whole);
  } else {
    for (std::uint64_t i = 0; i < whole; ++i) set(first / 8 + i, 0xFF);
  }
  if (last % 8) set(last / 8, bit_span(0, last % 8));
}

bool Memory::is_initialized(std::uint64_t address, std::size_t bytes) const {
  if (bytes == 0) return true;
  std::uint64_t first = address - base_;
  const std::uint64_t last = first + bytes;
  auto holds = [this](std::uint64_t index, std::uint8_t bits) {
    const std::atomic_ref<std::uint8_t> cell(initialized_[index]);
    return (cell.load(std::memory_order_relaxed) & bits) == bits;
  };
  if (first / 8 == (last - 1) / 8)
    return holds(first / 8, bit_span(first % 8, static_cast<unsigned>((last - 1) % 8 + 1)));
  if (first % 8) {
    if (!holds(first / 8, bit_span(first % 8, 8))) return false;
    first = round_up(first, 8);
  }
  for (std::uint64_t index = first / 8; index < last / 8; ++index)
    if (!holds(index, 0xFF)) return false;
  return last % 8 == 0 || holds(last / 8, bit_span(0, last % 8));
}

void Memory::forget_initialized(std::uint64_t address, std::size_t bytes) {
  std::uint64_t first = address - base_;
  const std::uint64_t last = first + bytes;
  // Allocations start at multiples of 256 and red zones separate them, so whole bytes are ours.
  clear_range(initialized_ + first / 8, initialized_ + (last + 7) / 8);
}

std::size_t Memory::bytes_in_use() const {
  const std::shared_lock lock(mutex_);
  return in_use_;
}

}  // namespace tilewright::emulator
