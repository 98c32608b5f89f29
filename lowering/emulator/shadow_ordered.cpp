// The rules between blocks (see shadow_ordered.hpp): two accesses conflict when one writes and not
// both are strong, or when a strong one reaches only its own block.
#include "emulator/shadow_ordered.hpp"

#include <algorithm>
#include <bit>

namespace tilewright::emulator {
namespace {

bool is_strong(Verb verb) { return verb == Verb::atomic || verb == Verb::strong_read; }
bool writes(Verb verb) { return verb == Verb::write || verb == Verb::atomic; }

bool conflicts(const OrderedShadow::Who& a, const OrderedShadow::Who& b) {
  if (a.block == b.block || (!writes(a.verb) && !writes(b.verb))) return false;
  return !is_strong(a.verb) || !is_strong(b.verb) || a.block_scope || b.block_scope;
}

}  // namespace

void OrderedShadow::split(Granule& granule, unsigned shift) {
  if (shift >= granule.shift) return;
  std::vector<Cell> cells;
  for (const Cell& cell : granule.cells)
    cells.insert(cells.end(), std::size_t{1} << (granule.shift - shift), cell);
  granule.cells = std::move(cells);
  granule.shift = shift;
}

const OrderedShadow::Who* OrderedShadow::conflict(const Cell& cell, const Who& who,
                                                  const Known& known) {
  const auto found = [&](const Who& other) { return conflicts(who, other) && !known(other); };
  if (cell.write && found(*cell.write)) return &*cell.write;
  for (const auto* list : {&cell.updates, &cell.reads, &cell.strong_reads}) {
    for (const Who& other : *list) {
      if (found(other)) return &other;
    }
  }
  return nullptr;
}

void OrderedShadow::record(Cell& cell, const Who& who) {
  if (who.verb == Verb::write) {
    cell = Cell{who, {}, {}, {}, false};
    return;
  }
  auto& list = who.verb == Verb::atomic        ? cell.updates
               : who.verb == Verb::strong_read ? cell.strong_reads
                                               : cell.reads;
  for (Who& each : list) {
    const bool same = each.block == who.block && each.warp == who.warp;
    if (!same || each.block_scope != who.block_scope) continue;
    each = who;
    return;
  }
  list.push_back(who);
}

std::optional<OrderedShadow::Clash> OrderedShadow::touch(std::uint64_t address, std::uint32_t mask,
                                                         const Who& who, const Known& known) {
  // Cells no larger than the alignment of either end of what is touched.
  const unsigned first = static_cast<unsigned>(std::countr_zero(mask));
  const unsigned end = 32 - static_cast<unsigned>(std::countl_zero(mask));
  const std::uint32_t gaps = ~mask & ((1u << end) - 1) & ~((1u << first) - 1);
  const unsigned shift =
      gaps != 0 ? 0 : std::min(std::countr_zero(first | 16u), std::countr_zero(end | 16u));
  const std::lock_guard lock(mutex_);
  Granule& granule = granules_[address];
  split(granule, shift);
  std::optional<Clash> clash;
  const unsigned bytes = 1u << granule.shift;
  for (unsigned at = 0; at < 16; at += bytes) {
    if ((mask >> at & 1) == 0) continue;
    Cell& cell = granule.cells[at / bytes];
    if (cell.raced) continue;
    if (const Who* other = conflict(cell, who, known)) {
      cell.raced = true;
      if (!clash) clash = Clash{at, bytes, *other};
      continue;
    }
    record(cell, who);
  }
  return clash;
}

}  // namespace tilewright::emulator
