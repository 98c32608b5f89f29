// Attention over some of the rows: those from the number first_row of the launch on, of all_rows.
// Masks, scores and tables go on to speak of rows by their number among all; q, out and lse are
// views that begin at the first.
#pragma once

#include <cstdint>
#include <vector>

#include "attention/kernel.hpp"

namespace tilewright::library {

struct RowRange {
  std::int64_t first = 0, count = 0;
};

/// The parts for a range; `name` is the kernel's.
AttentionParts over_rows(AttentionParts parts, const char* name);

/// The numbers that a launch of such parts takes. Those that the parts don't ask for are left out.
std::map<std::string, double> numbers_of(const AttentionParts& parts, const RowRange& range,
                                         std::int64_t seqlen_q);

/// Whether a launch is given a number of that name by its range.
bool is_of_row_range(const std::string& name);

/// `all` (q, k, v, out, lse and others, of all rows) for the rows of the range.
std::vector<Binding> of_rows(const AttentionParts& parts, const RowRange& range,
                             const std::vector<Binding>& all);

/// `all` extents, for the rows of the range.
inline AttentionExtents of_rows(const RowRange& range, AttentionExtents all) {
  all.seqlen_q = range.count;
  return all;
}

}  // namespace tilewright::library
