// An ACSR in the algebra of masks, and the tables that go with it.
#include "scores/acsr_places.hpp"
#include "scores/node.hpp"

namespace tilewright {
namespace {

constexpr std::int32_t behind_all = 1 << 30;

/// What all rows' i-th segments have in common.
struct Common {
  std::int64_t step = 1;  ///< 0: they differ
  enum { fixed, moving, none } phase = none;
  std::int64_t first = 0;  ///< fixed: key % step; moving: (key - row) % step
};

Common common_of(const Acsr& acsr, int segment) {
  Common made{.step = acsr.step(segment)};
  if (made.step < 2) return made;
  bool known = false, fixed = true, moving = true;
  std::int64_t of_key = 0, of_distance = 0;
  for (std::int64_t q = 0; q < acsr.rows(); ++q) {
    const AcsrSegment& one = acsr.row(q)[static_cast<std::size_t>(segment)];
    if (one.count == 0) continue;
    const std::int64_t key = one.start % made.step,
                       distance = ((one.start - q) % made.step + made.step) % made.step;
    fixed = fixed && (!known || key == of_key);
    moving = moving && (!known || distance == of_distance);
    of_key = key, of_distance = distance, known = true;
  }
  if (moving) return {made.step, Common::moving, of_distance};
  if (fixed) return {made.step, Common::fixed, of_key};
  return made;
}

/// A table of numbers for each row, and for each segment where there are several.
struct RowTable {
  IndexTable table;
  bool has_segments;

  RowTable(const char* name, bool several)
      : table(name, several ? std::vector{TableExtent::any, TableExtent::seqlen_q}
                            : std::vector{TableExtent::seqlen_q}),
        has_segments(several) {}
  Index operator()(int segment, const Index& q) const {
    return has_segments ? table(segment, q) : table(q);
  }
};

/// One segment: where it is, and how far in.
struct Written {
  Mask mask;
  Index place;
};

Written written(const Acsr& acsr, int segment, const Index& q, const Index& k) {
  const bool several = acsr.segments() > 1;
  const Index start = RowTable("acsr_start", several)(segment, q),
              last = RowTable("acsr_last", several)(segment, q);
  const Mask within = k >= start && k <= last;
  const Common common = common_of(acsr, segment);
  if (common.step == 1) return {within, k - start};
  const Index step =
      common.step != 0 ? Index(common.step) : RowTable("acsr_step", several)(segment, q);
  const Mask on_step = common.phase == Common::moving  ? (k - q) % step == common.first
                       : common.phase == Common::fixed ? k % step == common.first
                                                       : (k - start) % step == 0;
  return {within && on_step, (k - start) / step};
}

template <typename Number>
AcsrTable table(const Acsr& acsr, const char* name, Number number) {
  AcsrTable made{name, {acsr.rows()}, {}};
  if (acsr.segments() > 1) made.extents.insert(made.extents.begin(), acsr.segments());
  for (int i = 0; i < acsr.segments(); ++i)
    for (std::int64_t q = 0; q < acsr.rows(); ++q)
      made.numbers.push_back(
          static_cast<std::int32_t>(number(acsr.row(q), static_cast<std::size_t>(i))));
  return made;
}

using Row = std::span<const AcsrSegment>;

}  // namespace

Mask Acsr::mask() const {
  return Mask([this](Index q, Index k) {
    Mask any = written(*this, 0, q, k).mask;
    for (int i = 1; i < segments_; ++i) any = any || written(*this, i, q, k).mask;
    return any;
  });
}

std::vector<AcsrTable> Acsr::tables() const {
  std::vector<AcsrTable> made{
      table(*this, "acsr_start",
            [](Row row, std::size_t i) { return row[i].count == 0 ? behind_all : row[i].start; }),
      table(*this, "acsr_last", [](Row row, std::size_t i) {
        return row[i].count == 0 ? std::int64_t{-1} : row[i].last();
      })};
  bool differ = false;
  for (int i = 0; i < segments_; ++i) differ = differ || step(i) == 0;
  if (differ)
    made.push_back(table(*this, "acsr_step", [](Row row, std::size_t i) { return row[i].step; }));
  return made;
}

namespace library {

AcsrPlaces::AcsrPlaces(const Acsr& acsr) {
  const Index q = detail::row_index(), k = detail::key_index();
  const RowTable first("acsr_place", true);
  place = Index(-1).tree();
  for (int i = acsr.segments() - 1; i >= 0; --i) {
    const Written one = written(acsr, i, q, k);
    const Index at = i == 0 ? one.place : first(i, q) + one.place;
    place = node(Op::select, i32, {one.mask.tree(), at.tree(), place});
  }
  count = IndexTable("acsr_count", {TableExtent::seqlen_q})(q).tree();

  AcsrTable counts{"acsr_count", {acsr.rows()}, {}};
  for (std::int64_t row = 0; row < acsr.rows(); ++row)
    counts.numbers.push_back(static_cast<std::int32_t>(acsr.count(row)));
  tables.push_back(std::move(counts));
  if (acsr.segments() == 1) return;
  tables.push_back(table(acsr, "acsr_place", [](Row row, std::size_t i) {
    std::int32_t before = 0;
    for (std::size_t j = 0; j < i; ++j) before += row[j].count;
    return before;
  }));
}

}  // namespace library
}  // namespace tilewright
