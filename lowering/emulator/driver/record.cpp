// Options from text, and the sums of launches. An unknown key or value changes nothing.
//
// Look next at ../emulator_api.h for the keys as users see them.
#include "emulator/driver/record.hpp"

#include <charconv>
#include <limits>

namespace tilewright::emulator::driver {
namespace {

bool read_switch(std::string_view text, bool& value) {
  if (text == "on" || text == "1" || text == "true") return value = true, true;
  if (text == "off" || text == "0" || text == "false") return value = false, true;
  return false;
}

/// One of two words: the first means true.
bool read_choice(std::string_view text, std::string_view yes, std::string_view no, bool& value) {
  if (text != yes && text != no) return false;
  value = text == yes;
  return true;
}

template <class Number>
bool read_number(std::string_view text, std::uint64_t lowest, std::uint64_t highest,
                 Number& value) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  if (number < lowest || number > highest) return false;
  value = static_cast<Number>(number);
  return true;
}

}  // namespace

Record& Record::get() {
  static Record* const record = new Record;  // on purpose never destroyed
  return *record;
}

Options Record::options() const {
  std::scoped_lock lock(mutex_);
  return options_;
}

Configured Record::configure(std::string_view key, std::string_view value) {
  std::scoped_lock lock(mutex_);
  bool good = false;
  if (key == "detectors") {
    good = read_switch(value, options_.detectors);
  } else if (key == "counters") {
    good = read_switch(value, options_.counters);
  } else if (key == "async") {
    good = read_choice(value, "lazy", "eager", options_.lazy_async);
  } else if (key == "uninitialized") {
    good = read_choice(value, "fault", "note", options_.uninitialized_is_fault);
  } else if (key == "threads") {
    good = read_number(value, 0, 1024, options_.threads);
  } else if (key == "step_limit") {
    good = read_number(value, 0, std::numeric_limits<std::uint64_t>::max(), options_.step_limit);
  } else if (key == "max_faults") {
    good = read_number(value, 1, 65536, options_.max_faults);
  } else {
    return Configured::unknown_key;
  }
  return good ? Configured::done : Configured::bad_value;
}

void Record::add(const Report& report) {
  std::scoped_lock lock(mutex_);
  ++sums_.launches;
  sums_.counters.add(report.counters);
  for (const Fault& fault : report.faults) {
    if (faults_.size() < kept) {
      faults_.push_back(fault);
    } else {
      ++sums_.faults_dropped;
    }
  }
  for (const std::string& note : report.notes) {
    if (notes_.size() < kept) {
      notes_.push_back(note);
    } else {
      ++sums_.notes_dropped;
    }
  }
}

void Record::reset() {
  std::scoped_lock lock(mutex_);
  sums_ = {};
  faults_.clear();
  notes_.clear();
}

Record::Sums Record::sums() const {
  std::scoped_lock lock(mutex_);
  return sums_;
}

std::vector<Fault> Record::faults() const {
  std::scoped_lock lock(mutex_);
  return faults_;
}

std::vector<std::string> Record::notes() const {
  std::scoped_lock lock(mutex_);
  return notes_;
}

}  // namespace tilewright::emulator::driver
