// How long launches take on a GPU, by its own clock: what `tilewright bench` and bench/kernels.cpp
// share. The emulator has no such clock: what it counts is in RunResult::counters.
#pragma once

#include <functional>
#include <tilewright/arguments.hpp>
#include <vector>

namespace tilewright::library {

/// Milliseconds of each of `count` calls of `launch`, on the average, between two events in
/// `stream`; waits for the last.
double milliseconds_of(const Stream& stream, int count, const std::function<void()>& launch);

/// So many calls in a row that they take about a millisecond, which an event's own cost does not
/// distort; the calls it makes to find that out warm the device up.
int calls_of_a_millisecond(const Stream& stream, const std::function<void()>& launch);

struct Spread {
  double median = 0, least = 0, most = 0;
};
/// Of at least one number.
Spread spread_of(std::vector<double> numbers);

}  // namespace tilewright::library
