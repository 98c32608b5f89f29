// What the process set and what its launches left behind: the options every launch takes, and the
// sums, faults and notes since the last reset. Plain data under one lock.
//
// Look next at emulator_api.cpp, which reads and writes it as text, and launch.cpp, which adds to
// it.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/monitor.hpp"

namespace tilewright::emulator::driver {

enum class Configured { done, unknown_key, bad_value };

class Record {
 public:
  static constexpr std::size_t kept = 4096;  ///< faults, and notes, since the last reset

  static Record& get();

  Options options() const;
  Configured configure(std::string_view key, std::string_view value);

  void add(const Report& report);
  void reset();

  struct Sums {
    std::uint64_t launches = 0;
    Counters counters;
    std::uint64_t faults_dropped = 0, notes_dropped = 0;
  };
  Sums sums() const;
  std::vector<Fault> faults() const;
  std::vector<std::string> notes() const;

 private:
  mutable std::mutex mutex_;
  Options options_;
  Sums sums_;
  std::vector<Fault> faults_;
  std::vector<std::string> notes_;
};

}  // namespace tilewright::emulator::driver
