// Device memory: one reserved range of host addresses, so that a device address is a host address
// and shadow state is arithmetic. Allocations are sparse (a page exists once touched), separated by
// red zones, filled with a poison pattern where they are small, and remembered after they are
// freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>

namespace tilewright::emulator {

class Memory {
 public:
  /// Reserves `reserve_bytes` of address space (PROT_NONE) without using memory.
  explicit Memory(std::size_t reserve_bytes = std::size_t{1} << 40);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// 256-byte aligned; 0 when the range is exhausted. Zero bytes is refused by the caller.
  std::uint64_t allocate(std::size_t bytes);
  /// The same, zeros instead of the poison pattern; pages stay untouched where they can.
  std::uint64_t allocate_zeros(std::size_t bytes);
  bool release(std::uint64_t address);  ///< false: not the start of a live allocation

  struct Range {
    std::uint64_t begin = 0, end = 0;
    bool contains(std::uint64_t first, std::uint64_t last_excluded) const {
      return begin <= first && last_excluded <= end;
    }
  };
  /// The live allocation holding `address`, or an empty range.
  Range find(std::uint64_t address) const;
  bool is_device(std::uint64_t address) const { return address - base_ < size_; }
  /// Words for a report: "17 bytes past the end of a 4096-byte allocation", "freed memory", "not
  /// device memory".
  std::string describe(std::uint64_t address) const;

  // Initialisation state, a bit per byte.
  void mark_initialized(std::uint64_t address, std::size_t bytes);
  bool is_initialized(std::uint64_t address, std::size_t bytes) const;

  std::size_t bytes_in_use() const;

 private:
  std::uint64_t take(std::size_t bytes);
  std::uint64_t reuse(std::size_t bytes);
  void forget_initialized(std::uint64_t address, std::size_t bytes);

  std::uint64_t base_ = 0;
  std::size_t size_ = 0;
  std::uint64_t next_ = 0;            ///< end of the newest allocation
  std::uint64_t accessible_end_ = 0;  ///< [base_, accessible_end_) may be read and written
  std::size_t in_use_ = 0;
  std::uint8_t* initialized_ = nullptr;  ///< sparse bitmap over the range
  mutable std::shared_mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> live_;  ///< begin -> end
  std::map<std::uint64_t, std::uint64_t> freed_;
};

}  // namespace tilewright::emulator
