// Rows of a dense matrix, cut into as few arithmetic sequences as they can be. The keys of a row
// are walked from left to right over all partial descriptions at once. A key that a sequence
// expects next may also go to a single key before it and make a sequence of the two, but only where
// that one goes on: otherwise it could as well be the expecting one's last, which takes no more
// sequences. And no sequence need begin there. What remains is exact, and few.
#include <algorithm>
#include <set>
#include <tilewright/library/acsr.hpp>

#include "scores/acsr_refusals.hpp"

namespace tilewright {
namespace {

using Keys = std::vector<std::int32_t>;
constexpr std::size_t most_partial = std::size_t{1} << 14;

/// A description of the keys so far. Segments of one key have no step yet: 0.
struct Partial {
  AcsrSegment segments[Acsr::most_segments];
  int used = 0;

  /// What decides how it can go on, before `key`: those that expect a key, and single ones.
  std::vector<std::int64_t> future(std::int64_t key) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> open;
    for (int i = 0; i < used; ++i) {
      const AcsrSegment& one = segments[i];
      if (one.step == 0) open.emplace_back(-1 - one.start, 0);
      if (one.step > 0 && one.last() + one.step >= key)
        open.emplace_back(one.last() + one.step, one.step);
    }
    std::sort(open.begin(), open.end());
    std::vector<std::int64_t> flat{used};
    for (const auto& [next, step] : open) flat.push_back(next), flat.push_back(step);
    return flat;
  }
};

/// At most `most` segments, or none where that is too few; irregular: gave up.
std::vector<AcsrSegment> cut(const Keys& keys, const std::vector<std::uint8_t>& seen, int most,
                             bool& irregular) {
  std::vector<Partial> all(1);
  for (const std::int32_t key : keys) {
    std::vector<Partial> next;
    std::set<std::vector<std::int64_t>> known;
    const auto keep = [&](const Partial& one) {
      if (known.insert(one.future(key + 1)).second) next.push_back(one);
    };
    for (const Partial& partial : all) {
      bool expected = false;
      for (int i = 0; i < partial.used; ++i) {
        const AcsrSegment& one = partial.segments[i];
        if (one.step == 0 || one.last() + one.step != key) continue;
        expected = true;
        Partial longer = partial;
        ++longer.segments[i].count;
        keep(longer);
      }
      for (int i = 0; i < partial.used; ++i) {
        const AcsrSegment& one = partial.segments[i];
        if (one.step != 0) continue;
        const std::int32_t step = key - one.start;
        const std::size_t after = static_cast<std::size_t>(key) + static_cast<std::size_t>(step);
        if (expected && (after >= seen.size() || seen[after] == 0)) continue;
        Partial longer = partial;
        longer.segments[i].step = step, longer.segments[i].count = 2;
        keep(longer);
      }
      if (expected || partial.used == most) continue;
      Partial longer = partial;
      longer.segments[longer.used++] = {key, 0, 1};
      keep(longer);
    }
    if (next.size() > most_partial) return irregular = true, std::vector<AcsrSegment>();
    all = std::move(next);
    if (all.empty()) return {};
  }
  return {all[0].segments, all[0].segments + all[0].used};
}

std::vector<AcsrSegment> fewest(const Keys& keys, const std::vector<std::uint8_t>& seen,
                                std::int64_t row) {
  if (keys.empty()) return {};
  bool irregular = false;
  for (int most = 1; most <= Acsr::most_segments; ++most)
    if (auto found = cut(keys, seen, most, irregular); !found.empty()) return found;
  library::refuse_acsr(
      "visible", "row " + std::to_string(row),
      irregular ? "a row of at most 4 arithmetic sequences that a search of 2^14 partial "
                  "descriptions finds"
                : "a row of at most 4 arithmetic sequences");
}

}  // namespace

Acsr Acsr::from_dense(std::int64_t rows, std::int64_t keys, std::span<const std::uint8_t> visible) {
  if (rows < 0 || keys < 0 || !std::cmp_equal(visible.size(), rows * keys))
    library::refuse_acsr("visible", std::to_string(visible.size()) + " elements", "rows * keys");
  std::vector<std::vector<AcsrSegment>> all;
  std::size_t widest = 1;
  for (std::int64_t q = 0; q < rows; ++q) {
    const auto row =
        visible.subspan(static_cast<std::size_t>(q * keys), static_cast<std::size_t>(keys));
    Keys seen;
    for (std::size_t k = 0; k < row.size(); ++k)
      if (row[k] != 0) seen.push_back(static_cast<std::int32_t>(k));
    all.push_back(fewest(seen, {row.begin(), row.end()}, q));
    widest = std::max(widest, all.back().size());
  }
  // Single keys, and segments of none, have the step of a neighbouring row's.
  for (std::size_t i = 0; i < widest; ++i) {
    std::int32_t step = 0;
    const auto pass = [&](auto first, auto last) {
      for (auto row = first; row != last; ++row) {
        if (row->size() <= i) row->resize(i + 1, {0, 0, 0});
        AcsrSegment& one = (*row)[i];
        if (one.step != 0)
          step = one.step;
        else
          one.step = step;
      }
    };
    pass(all.begin(), all.end());
    step = 0;
    pass(all.rbegin(), all.rend());
    for (auto& row : all) row[i].step = std::max(row[i].step, 1);
  }
  return Acsr(keys, all);
}

}  // namespace tilewright
