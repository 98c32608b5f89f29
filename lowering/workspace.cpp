// See workspace.hpp.
#include "workspace.hpp"

#include <algorithm>

#include "plan_errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t row_alignment = 16;  ///< bytes: what a vector access takes

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

WorkspaceLayout::WorkspaceLayout(const Signature& signature) {
  for (std::size_t i = 0; i < signature.slots().size(); ++i) {
    const Signature::Slot& slot = signature.slots()[i];
    if (!slot.temporary) continue;
    temporaries_.push_back({.slot = static_cast<int>(i),
                            .name = slot.name,
                            .dims = slot.dims,
                            .element_bytes = size_of(slot.dtype),
                            .first = slot.first,
                            .last = slot.last,
                            .packed = slot.packed});
    stride_count_ += slot.dims.size();
  }
  std::stable_sort(temporaries_.begin(), temporaries_.end(),
                   [](const Temporary& a, const Temporary& b) { return a.first < b.first; });
}

/// Elements from one row to the next: an innermost extent, padded.
static std::int64_t pitch(std::int64_t extent, std::int64_t element_bytes, bool packed) {
  return packed ? extent : rounded_up(extent * element_bytes, row_alignment) / element_bytes;
}

std::size_t WorkspaceLayout::bytes(const Temporary& temporary,
                                   const std::vector<std::int64_t>& extents) const {
  std::int64_t all = temporary.element_bytes;
  bool empty = false, overflow = false;
  for (std::size_t i = 0; i < temporary.dims.size(); ++i) {
    std::int64_t extent = extents[static_cast<std::size_t>(temporary.dims[i])];
    empty |= extent == 0;
    if (i + 1 == temporary.dims.size())
      extent = pitch(extent, temporary.element_bytes, temporary.packed);
    overflow |= __builtin_mul_overflow(all, std::max<std::int64_t>(extent, 1), &all);
  }
  if (empty) return 0;
  if (overflow || all > INT64_MAX - static_cast<std::int64_t>(alignment))
    throw Error(errors::plan["temporaries-too-large"],
                "the Temp '" + temporary.name + "' is larger than memory",
                {temporary.name, "more than 2^63 bytes", "smaller extents", ""});
  return static_cast<std::size_t>(rounded_up(all, static_cast<std::int64_t>(alignment)));
}

std::size_t WorkspaceLayout::place(const std::vector<std::int64_t>& extents,
                                   std::vector<Piece>& pieces) const {
  pieces.clear();
  pieces.reserve(temporaries_.size());
  std::size_t total = 0;
  for (std::size_t i = 0; i < temporaries_.size(); ++i) {
    const Temporary& mine = temporaries_[i];
    const std::size_t wanted = bytes(mine, extents);
    // The lowest offset that meets no piece of an overlapping life: past one piece after another,
    // until none is in the way.
    std::size_t offset = 0;
    for (bool moved = wanted > 0; moved;) {
      moved = false;
      for (std::size_t other = 0; other < i; ++other) {
        const bool together =
            temporaries_[other].first <= mine.last && mine.first <= temporaries_[other].last;
        const Piece& piece = pieces[other];
        if (!together || offset >= piece.offset + piece.bytes || piece.offset >= offset + wanted)
          continue;
        offset = piece.offset + piece.bytes;
        moved = true;
      }
    }
    std::size_t end = 0;
    if (__builtin_add_overflow(offset, wanted, &end) || end > INT64_MAX)
      throw Error(errors::plan["temporaries-too-large"], "the temporaries are larger than memory",
                  {mine.name, "more than 2^63 bytes", "smaller extents", ""});
    pieces.push_back({mine.slot, offset, wanted});
    total = std::max(total, end);
  }
  return total;
}

std::size_t WorkspaceLayout::strides(std::size_t which, const std::vector<std::int64_t>& extents,
                                     std::int64_t* strides) const {
  const Temporary& mine = temporaries_[which];
  const std::size_t rank = mine.dims.size();
  std::int64_t step = 1;
  for (std::size_t i = rank; i-- > 0;) {
    const std::int64_t extent =
        std::max<std::int64_t>(extents[static_cast<std::size_t>(mine.dims[i])], 1);
    strides[i] = step;
    step *= i + 1 == rank ? pitch(extent, mine.element_bytes, mine.packed) : extent;
  }
  return rank;
}

}  // namespace tilewright
