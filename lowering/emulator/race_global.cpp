// The log of unjudged accesses and its replay. Replaying only records reads and atomics, which
// never conflict among themselves, with the clocks they had; the write that made it necessary is
// judged afterwards.
#include "emulator/race_global.hpp"

#include <algorithm>
#include <bit>

namespace tilewright::emulator {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::size_t log_limit = std::size_t{1} << 16;
constexpr std::size_t pages_worth_replaying_alone = 16;

unsigned lowest(std::uint32_t lanes) { return static_cast<unsigned>(std::countr_zero(lanes)); }

template <typename Body>
void each_piece(std::uint64_t at, unsigned bytes, unsigned lane, Body&& body) {
  const std::uint64_t end = at + bytes;
  while (at < end) {
    const auto offset = static_cast<unsigned>(at % Cells::granule_bytes);
    const auto part =
        static_cast<unsigned>(std::min<std::uint64_t>(end - at, Cells::granule_bytes - offset));
    body(at / Cells::granule_bytes, Piece{0, lane, offset, part, at - offset});
    at += part;
  }
}

}  // namespace

GlobalRaces::GlobalRaces(Clocks& clocks, Cells& cells, FindingListener& listener,
                         Reporter& reporter, const Sites& sites, GlobalShadow* shadow,
                         const WarpOrder* order, std::uint64_t linear_block)
    : clocks_(clocks),
      cells_(cells),
      judge_(clocks, cells, listener),
      reporter_(reporter),
      sites_(sites),
      order_(order),
      view_(shadow),
      block_(GlobalShadow::block_number(linear_block)) {}

void GlobalRaces::access(WarpAccess access, std::uint32_t lanes) {
  access.time = clocks_.tick();
  between_blocks(access, lanes);
  if (!needs_judging(access, lanes)) return log(access, lanes);
  auto visit = [&](auto&& body) {
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      const unsigned lane = lowest(rest);
      each_piece(access.global_address[lane], access.bytes, lane,
                 [&](std::uint64_t number, Piece piece) {
                   piece.granule = granule(number);
                   body(piece);
                 });
    }
  };
  if (access.verb == Verb::read || access.verb == Verb::strong_read) {
    visit([&](const Piece& piece) { judge_.read(access, piece); });
  } else {
    visit([&](const Piece& piece) { judge_.check(access, piece); });
    visit([&](const Piece& piece) { judge_.record(access, piece); });
  }
}

void GlobalRaces::between_blocks(const WarpAccess& access, std::uint32_t lanes) {
  // Lanes side by side share a granule; they are recorded together.
  std::uint64_t granule_address = 0;
  std::uint32_t mask = 0;
  unsigned first_lane = 0;
  auto flush = [&] {
    if (mask != 0) report(access, granule_address, mask, first_lane);
    mask = 0;
  };
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const unsigned lane = lowest(rest);
    each_piece(access.global_address[lane], access.bytes, lane,
               [&](std::uint64_t, const Piece& piece) {
                 if (piece.granule_address != granule_address || mask == 0) {
                   flush();
                   granule_address = piece.granule_address;
                   first_lane = lane;
                 }
                 mask |= ((1u << piece.bytes) - 1u) << piece.offset;
               });
  }
  flush();
  view_.release();
}

/// Records bytes of one granule and reports what they conflict with.
void GlobalRaces::report(const WarpAccess& access, std::uint64_t granule, std::uint32_t mask,
                         unsigned lane) {
  const std::uint32_t line = sites_.at(access.site).ptx_line;
  const Party party{access.verb, access.warp, lane, access.site};
  if (order_ != nullptr) {
    const auto warp = static_cast<std::uint16_t>(access.warp);
    const auto clash = order_->launch().shadow.touch(
        granule, mask, {block_, warp, access.block_scope, access.verb, access.time, line},
        [&](const OrderedShadow::Who& other) {
          return order_->knows(access.warp, other.block, other.warp, other.time);
        });
    if (clash) {
      reporter_.between_blocks({granule + clash->offset, clash->bytes, party, clash->other.verb,
                                clash->other.block - std::uint64_t{1}, false, true,
                                clash->other.line});
    }
  } else if (const auto clash = view_.touch(granule, mask, access.verb, block_, line)) {
    view_.release();
    reporter_.between_blocks({granule + clash->offset, clash->bytes, party, clash->verb,
                              clash->block - std::uint64_t{1},
                              clash->block == GlobalShadow::several, false, clash->line});
  }
}

std::uint8_t& GlobalRaces::page(std::uint64_t number) {
  if (number != last_page_) {
    last_use_ = &pages_[number];
    last_page_ = number;
  }
  return *last_use_;
}

/// Marks the pages; true if one of them needs the rules.
bool GlobalRaces::needs_judging(const WarpAccess& access, std::uint32_t lanes) {
  if (everything_judged_) return true;
  const bool strong = access.verb == Verb::atomic || access.verb == Verb::strong_read;
  const std::uint8_t use = access.verb == Verb::read ? page_read
                           : strong                  ? page_updated
                                                     : page_judged;
  bool judged = false;
  std::uint64_t previous = ~std::uint64_t{0};
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const std::uint64_t number = access.global_address[lowest(rest)] / page_bytes;
    if (number == previous) continue;
    previous = number;
    std::uint8_t& known = page(number);
    const std::uint8_t before = known;
    known |= use;
    const bool mixed = (known & page_read) && (known & page_updated);
    if ((known & page_judged) || mixed) judged = true;
    if (before != 0 && !(before & page_judged) && ((known & page_judged) || mixed))
      judge_page(number);
    if (mixed) page(number) |= page_judged;
  }
  if (!judged) return false;
  // An instruction that touches a judged page is judged whole, so its other pages are as well.
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
    const std::uint64_t number = access.global_address[lowest(rest)] / page_bytes;
    std::uint8_t& known = page(number);
    if (known & page_judged) continue;
    known |= page_judged;
    judge_page(number);
  }
  return true;
}

void GlobalRaces::judge_page(std::uint64_t number) {
  if (log_.empty()) return;
  std::size_t judged = 0;
  for (const auto& [page, use] : pages_) judged += (use & page_judged) != 0;
  if (judged > pages_worth_replaying_alone) return judge_everything();
  for (const Logged& logged : log_) replay(logged, number, false);
  page(number) |= page_replayed;
}

void GlobalRaces::judge_everything() {
  if (everything_judged_) return;
  everything_judged_ = true;
  for (const Logged& logged : log_) replay(logged, 0, true);
  log_.clear();
  addresses_.clear();
}

void GlobalRaces::replay(const Logged& logged, std::uint64_t only_page, bool all_pages) {
  std::size_t next = logged.first;
  for (std::uint32_t rest = logged.lanes; rest; rest &= rest - 1) {
    const unsigned lane = lowest(rest);
    const std::uint64_t address = addresses_[next++];
    const std::uint64_t number = address / page_bytes;
    if (all_pages ? (page(number) & page_replayed) != 0 : number != only_page) continue;
    each_piece(address, logged.access.bytes, lane, [&](std::uint64_t index, Piece piece) {
      piece.granule = granule(index);
      judge_.record_late(logged.access, piece, logged.floor, logged.partial);
    });
  }
}

std::uint32_t GlobalRaces::granule(std::uint64_t number) {
  const auto [found, is_new] = granules_.try_emplace(number, 0);
  if (is_new) found->second = cells_.add_granule();
  return found->second;
}

void GlobalRaces::log(const WarpAccess& access, std::uint32_t lanes) {
  if (log_.size() >= log_limit) judge_everything();
  Logged logged{access, lanes, addresses_.size(), clocks_.row(access.warp)[access.warp],
                clocks_.partial_at(access.warp)};
  logged.access.value = nullptr;
  logged.access.global_address = nullptr;
  const std::size_t first = addresses_.size();
  addresses_.resize(first + 32);
  std::size_t next = first;
  for (std::uint32_t rest = lanes; rest; rest &= rest - 1)
    addresses_[next++] = access.global_address[lowest(rest)];
  addresses_.resize(next);
  log_.push_back(logged);
  if (everything_judged_) {
    replay(logged, 0, true);
    log_.clear();
    addresses_.clear();
  }
}

void GlobalRaces::everyone_joined() {
  log_.clear();
  addresses_.clear();
  pages_.clear();
  granules_.clear();
  last_page_ = ~std::uint64_t{0};
  last_use_ = nullptr;
  everything_judged_ = false;
  cells_.start(0, cells_.warps(), {});
}

}  // namespace tilewright::emulator
