// See timing.hpp.
#include "measure/timing.hpp"

#include <algorithm>

namespace tilewright::library {

double milliseconds_of(const Stream& stream, int count, const std::function<void()>& launch) {
  runtime::Event start(stream.device()), stop(stream.device());
  start.record(stream);
  for (int i = 0; i < count; ++i) launch();
  stop.record(stream);
  return runtime::Event::elapsed_ms(start, stop) / count;
}

int calls_of_a_millisecond(const Stream& stream, const std::function<void()>& launch) {
  constexpr int first = 3, most = 1000;
  milliseconds_of(stream, first, launch);
  const double once = milliseconds_of(stream, first, launch);
  return once <= 1.0 / most ? most : std::max(1, static_cast<int>(1 / once));
}

Spread spread_of(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t half = numbers.size() / 2;
  const double median =
      numbers.size() % 2 == 1 ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2;
  return {median, numbers.front(), numbers.back()};
}

}  // namespace tilewright::library
