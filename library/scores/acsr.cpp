// See tilewright/library/acsr.hpp: the description itself, checked.
#include <algorithm>
#include <numeric>
#include <tilewright/error.hpp>
#include <tilewright/library/acsr.hpp>

#include "scores/acsr_refusals.hpp"

namespace tilewright {
namespace {

using library::refuse_acsr;

constexpr std::int64_t most = std::int64_t{1} << 30;

/// A key that both have, or -1.
std::int64_t common_key(const AcsrSegment& a, const AcsrSegment& b) {
  if (a.count == 0 || b.count == 0) return -1;
  const std::int64_t from = std::max(a.start, b.start), to = std::min(a.last(), b.last());
  if (from > to || (b.start - a.start) % std::gcd(a.step, b.step) != 0) return -1;
  const AcsrSegment &wide = a.step < b.step ? b : a, &narrow = a.step < b.step ? a : b;
  // Of the wider one, keys repeat modulo the other's step after that many.
  std::int64_t key = wide.start + (from - wide.start + wide.step - 1) / wide.step * wide.step;
  for (std::int32_t i = 0; i < narrow.step && key <= to; ++i, key += wide.step)
    if (narrow.has(key)) return key;
  return -1;
}

void check(const AcsrSegment& segment, std::int64_t keys, const std::string& where) {
  if (segment.start < 0 || segment.start > most)
    refuse_acsr("start", std::to_string(segment.start) + where, "0 to 1073741824");
  if (segment.step < 1 || segment.step > most)
    refuse_acsr("step", std::to_string(segment.step) + where, "1 to 1073741824");
  if (segment.count < 0) refuse_acsr("count", std::to_string(segment.count) + where, "0 and more");
  if (segment.count > 0 && segment.last() >= keys)
    refuse_acsr("count", std::to_string(segment.count) + where,
                "keys below " + std::to_string(keys) + " from " + std::to_string(segment.start) +
                    " on, " + std::to_string(segment.step) + " apart");
}

std::vector<std::vector<AcsrSegment>> single(std::int64_t step,
                                             const std::vector<std::int32_t>& start,
                                             const std::vector<std::int32_t>& count) {
  if (step < 1 || step > most) refuse_acsr("step", std::to_string(step), "1 to 1073741824");
  if (count.size() != start.size())
    refuse_acsr("count", std::to_string(count.size()) + " rows", std::to_string(start.size()));
  std::vector<std::vector<AcsrSegment>> rows;
  for (std::size_t q = 0; q < start.size(); ++q)
    rows.push_back({{start[q], static_cast<std::int32_t>(step), count[q]}});
  return rows;
}

}  // namespace

Acsr::Acsr(std::int64_t keys, std::int64_t step, const std::vector<std::int32_t>& start,
           const std::vector<std::int32_t>& count)
    : Acsr(keys, single(step, start, count)) {}

Acsr::Acsr(std::int64_t keys, const std::vector<std::vector<AcsrSegment>>& rows)
    : keys_(keys), rows_(static_cast<std::int64_t>(rows.size())) {
  if (keys < 0 || keys > most) refuse_acsr("keys", std::to_string(keys), "0 to 1073741824");
  for (std::size_t q = 0; q < rows.size(); ++q) {
    const std::string at = " at row " + std::to_string(q);
    if (rows[q].size() > most_segments)
      refuse_acsr("segments", std::to_string(rows[q].size()) + at, "at most 4");
    segments_ = std::max(segments_, static_cast<int>(rows[q].size()));
    for (std::size_t i = 0; i < rows[q].size(); ++i)
      check(rows[q][i], keys, rows[q].size() == 1 ? at : at + ", segment " + std::to_string(i));
    for (std::size_t i = 0; i < rows[q].size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (const std::int64_t key = common_key(rows[q][i], rows[q][j]); key >= 0)
          refuse_acsr("segments", "key " + std::to_string(key) + " twice" + at,
                      "segments that have no key in common");
  }
  const auto each = static_cast<std::size_t>(segments_);
  all_.resize(rows.size() * each);
  for (std::size_t q = 0; q < rows.size(); ++q)
    std::copy(rows[q].begin(), rows[q].end(), all_.begin() + static_cast<std::ptrdiff_t>(q * each));
}

std::span<const AcsrSegment> Acsr::row(std::int64_t row) const {
  const auto each = static_cast<std::size_t>(segments_);
  return std::span(all_).subspan(static_cast<std::size_t>(row) * each, each);
}

std::int64_t Acsr::count(std::int64_t row) const {
  std::int64_t sum = 0;
  for (const AcsrSegment& segment : this->row(row)) sum += segment.count;
  return sum;
}

std::int64_t Acsr::width() const {
  std::int64_t widest = 0;
  for (std::int64_t q = 0; q < rows_; ++q) widest = std::max(widest, count(q));
  return widest;
}

std::int64_t Acsr::step(int segment) const {
  std::int64_t step = 1;
  bool known = false;
  for (std::int64_t q = 0; q < rows_; ++q) {
    const AcsrSegment& one = row(q)[static_cast<std::size_t>(segment)];
    if (one.count < 2) continue;
    if (known && one.step != step) return 0;
    step = one.step;
    known = true;
  }
  return step;
}

bool Acsr::visible(std::int64_t row, std::int64_t key) const {
  const auto all = this->row(row);
  return std::any_of(all.begin(), all.end(), [&](const AcsrSegment& one) { return one.has(key); });
}

std::vector<std::uint8_t> Acsr::dense() const {
  std::vector<std::uint8_t> all(static_cast<std::size_t>(rows_ * keys_));
  for (std::int64_t q = 0; q < rows_; ++q)
    for (const AcsrSegment& one : row(q))
      for (std::int32_t i = 0; i < one.count; ++i)
        all[static_cast<std::size_t>(q * keys_ + one.start + std::int64_t{one.step} * i)] = 1;
  return all;
}

Acsr Acsr::causal(CausalAlignment alignment) const {
  const std::int64_t ahead = alignment == bottom_right ? keys_ - rows_ : 0;
  std::vector<std::vector<AcsrSegment>> cut;
  for (std::int64_t q = 0; q < rows_; ++q) {
    cut.emplace_back(row(q).begin(), row(q).end());
    for (AcsrSegment& one : cut.back()) {
      const std::int64_t before = q + ahead - one.start;
      const std::int64_t seen = before < 0 ? 0 : before / one.step + 1;
      one.count = static_cast<std::int32_t>(std::min<std::int64_t>(one.count, seen));
    }
  }
  return Acsr(keys_, cut);
}

Acsr Acsr::transpose() const {
  std::vector<std::uint8_t> turned(static_cast<std::size_t>(rows_ * keys_));
  const std::vector<std::uint8_t> all = dense();
  for (std::int64_t q = 0; q < rows_; ++q)
    for (std::int64_t k = 0; k < keys_; ++k)
      turned[static_cast<std::size_t>(k * rows_ + q)] =
          all[static_cast<std::size_t>(q * keys_ + k)];
  return from_dense(keys_, rows_, turned);
}

bool Acsr::is_contiguous() const { return segments_ == 1 && step() == 1; }

}  // namespace tilewright
