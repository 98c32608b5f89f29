// Faults of one launch, gathered from all host threads.
// One planted mistake repeats in every block and iteration, so (kind, ptx_line) is kept once. A
// suspicion (a read of global bytes nobody wrote yet) is held until the launch ends: if a racing
// write turns up, the race is the mistake and the suspicion is withdrawn.
#include <algorithm>
#include <utility>

#include "emulator/monitor.hpp"

namespace tilewright::emulator {

const char* name(FaultKind kind) {
  switch (kind) {
    case FaultKind::data_race: return "data_race";
    case FaultKind::missing_wait: return "missing_wait";
    case FaultKind::out_of_bounds: return "out_of_bounds";
    case FaultKind::uninitialized_read: return "uninitialized_read";
    case FaultKind::misaligned: return "misaligned";
    case FaultKind::divergent_barrier: return "divergent_barrier";
    case FaultKind::deadlock: return "deadlock";
    case FaultKind::trap: return "trap";
    case FaultKind::assertion: return "assertion";
    case FaultKind::step_limit: return "step_limit";
  }
  return "unknown";
}

namespace {

/// Enough to survive the withdrawal of many, few enough to stay small for a program that reads
/// uninitialised memory everywhere.
constexpr std::size_t held_per_line = 256;

}  // namespace

void FaultSink::keep(Fault fault) {
  if (faults_.size() >= max_) return;
  const bool known = std::any_of(faults_.begin(), faults_.end(), [&](const Fault& other) {
    return other.kind == fault.kind && other.ptx_line == fault.ptx_line;
  });
  if (known) return;
  fault.kernel = kernel_;
  faults_.push_back(std::move(fault));
}

void FaultSink::report(Fault fault) {
  const std::lock_guard lock(mutex_);
  keep(std::move(fault));
}

void FaultSink::note(std::string text) {
  const std::lock_guard lock(mutex_);
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end())
    notes_.push_back(std::move(text));
}

void FaultSink::hold(Fault fault, std::uint64_t begin, std::uint64_t end, std::string as_note) {
  const std::lock_guard lock(mutex_);
  const auto same_line = std::count_if(held_.begin(), held_.end(), [&](const Held& other) {
    return other.fault.ptx_line == fault.ptx_line;
  });
  if (static_cast<std::size_t>(same_line) >= held_per_line) return;
  held_.push_back({std::move(fault), begin, end, std::move(as_note)});
}

void FaultSink::withdraw(std::uint64_t begin, std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  std::erase_if(held_, [&](const Held& held) { return held.begin < end && begin < held.end; });
}

bool FaultSink::full() const {
  const std::lock_guard lock(mutex_);
  return faults_.size() >= max_;
}

void FaultSink::settle() {
  for (Held& held : held_) {
    if (held.as_note.empty()) {
      keep(std::move(held.fault));
    } else if (std::find(notes_.begin(), notes_.end(), held.as_note) == notes_.end()) {
      notes_.push_back(std::move(held.as_note));
    }
  }
  held_.clear();
}

std::vector<Fault> FaultSink::take_faults() {
  const std::lock_guard lock(mutex_);
  settle();
  return std::exchange(faults_, {});
}

std::vector<std::string> FaultSink::take_notes() {
  const std::lock_guard lock(mutex_);
  settle();
  return std::exchange(notes_, {});
}

}  // namespace tilewright::emulator
