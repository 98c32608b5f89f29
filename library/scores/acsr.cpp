// See tilewright/library/acsr.hpp.
#include <algorithm>
#include <tilewright/error.hpp>
#include <tilewright/library/acsr.hpp>

#include "scores/errors.hpp"

namespace tilewright {
namespace {

[[noreturn]] void refuse(const std::string& argument, const std::string& value,
                         const std::string& allowed) {
  throw Error(errors::scores["acsr-row-wrong"],
              argument + " does not describe rows that are arithmetic sequences",
              {argument, value, allowed, ""});
}

}  // namespace

Acsr::Acsr(std::int64_t keys, std::int64_t step, std::vector<std::int32_t> start,
           std::vector<std::int32_t> count)
    : keys_(keys), step_(step), start_(std::move(start)), count_(std::move(count)) {
  constexpr std::int64_t most = 1 << 30;
  if (step < 1 || step > most) refuse("step", std::to_string(step), "1 to 1073741824");
  if (keys < 0 || keys > most) refuse("keys", std::to_string(keys), "0 to 1073741824");
  if (count_.size() != start_.size())
    refuse("count", std::to_string(count_.size()) + " rows", std::to_string(start_.size()));
  for (std::size_t q = 0; q < start_.size(); ++q) {
    const std::string row = " at row " + std::to_string(q);
    if (start_[q] < 0) refuse("start", std::to_string(start_[q]) + row, "0 and more");
    if (count_[q] < 0) refuse("count", std::to_string(count_[q]) + row, "0 and more");
    if (count_[q] > 0 && start_[q] + step * (count_[q] - 1) >= keys)
      refuse("count", std::to_string(count_[q]) + row,
             "keys below " + std::to_string(keys) + " from " + std::to_string(start_[q]) + " on");
  }
}

Acsr Acsr::from_dense(std::int64_t rows, std::int64_t keys, std::span<const std::uint8_t> visible) {
  if (rows < 0 || keys < 0 || !std::cmp_equal(visible.size(), rows * keys))
    refuse("visible", std::to_string(visible.size()) + " elements", "rows * keys");
  std::int64_t step = 0;  // not known yet
  std::vector<std::int32_t> start, count;
  for (std::int64_t q = 0; q < rows; ++q) {
    std::int64_t first = 0, last = -1, seen = 0;
    for (std::int64_t k = 0; k < keys; ++k) {
      if (visible[static_cast<std::size_t>(q * keys + k)] == 0) continue;
      if (seen == 0) first = k;
      if (seen > 0 && step == 0) step = k - last;
      if (seen > 0 && k - last != step)
        refuse("visible", "row " + std::to_string(q),
               "keys that are " + std::to_string(step) + " apart, as in the rows before");
      last = k;
      ++seen;
    }
    start.push_back(static_cast<std::int32_t>(first));
    count.push_back(static_cast<std::int32_t>(seen));
  }
  return Acsr(keys, std::max<std::int64_t>(step, 1), std::move(start), std::move(count));
}

namespace {

/// Rows that see first(q) to last(q), as far as there are keys; last counts where step is 1.
template <typename First, typename Last>
Acsr made(std::int64_t rows, std::int64_t keys, std::int64_t step, First first, Last last) {
  std::vector<std::int32_t> start, count;
  for (std::int64_t q = 0; q < rows; ++q) {
    const std::int64_t from = std::max<std::int64_t>(first(q), 0);
    const std::int64_t to = std::min(last(q), keys - 1);
    start.push_back(static_cast<std::int32_t>(from));
    count.push_back(static_cast<std::int32_t>(to < from ? 0 : (to - from) / step + 1));
  }
  return Acsr(keys, step, std::move(start), std::move(count));
}

void require_width(std::int64_t width, std::int64_t least) {
  if (width < least || width > 1 << 30)
    refuse("width", std::to_string(width), std::to_string(least) + " to 1073741824");
}

}  // namespace

Acsr Acsr::windowed(std::int64_t rows, std::int64_t keys, std::int64_t width, bool causal) {
  require_width(width, 0);
  return made(
      rows, keys, 1, [=](std::int64_t q) { return q - width; },
      [=](std::int64_t q) { return causal ? q : q + width; });
}

Acsr Acsr::blocked(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require_width(width, 1);
  return made(
      rows, keys, 1, [=](std::int64_t q) { return (q / width - 1) * width; },
      [=](std::int64_t q) { return (q / width + 1) * width - 1; });
}

Acsr Acsr::strided(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require_width(width, 1);
  return made(
      rows, keys, width, [=](std::int64_t q) { return q % width; },
      [=](std::int64_t) { return keys - 1; });
}

std::vector<std::int32_t> Acsr::last() const {
  std::vector<std::int32_t> all;
  for (std::size_t q = 0; q < start_.size(); ++q)
    all.push_back(count_[q] == 0 ? -1
                                 : start_[q] + static_cast<std::int32_t>(step_) * (count_[q] - 1));
  return all;
}

bool Acsr::visible(std::int64_t row, std::int64_t key) const {
  const std::int64_t start = start_[static_cast<std::size_t>(row)], far = key - start;
  return far >= 0 && far % step_ == 0 && far / step_ < count_[static_cast<std::size_t>(row)];
}

std::vector<std::uint8_t> Acsr::dense() const {
  std::vector<std::uint8_t> all;
  for (std::int64_t q = 0; q < rows(); ++q)
    for (std::int64_t k = 0; k < keys_; ++k) all.push_back(visible(q, k) ? 1 : 0);
  return all;
}

Mask Acsr::mask() const {
  return Mask([step = step_](Index q, Index k) {
    const IndexTable start("acsr_start", {TableExtent::seqlen_q}),
        last("acsr_last", {TableExtent::seqlen_q});
    const Mask within = k >= start(q) && k <= last(q);
    return step == 1 ? within : within && (k - start(q)) % step == 0;
  });
}

}  // namespace tilewright
