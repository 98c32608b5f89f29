// Records of sixteen bytes, packed while one block owns what several do not share.
// Regions of a mebibyte are mapped on first touch and zero until then, so memory use follows the
// bytes a launch touches.
#include "emulator/shadow_global.hpp"

#include <sys/mman.h>

#include <bit>
#include <new>

namespace tilewright::emulator {

/// `own` bytes belong to one block, `shared` bytes to several.
struct Owners {
  std::uint16_t own = 0;
  std::uint16_t shared = 0;
  GlobalShadow::Block block = 0;

  static Owners unpack(std::uint64_t word) { return std::bit_cast<Owners>(word); }
  std::uint64_t pack() const { return std::bit_cast<std::uint64_t>(*this); }
  bool covers(std::uint32_t mask, GlobalShadow::Block who) const {
    return (mask & ~(shared | (block == who ? own : 0u))) == 0;
  }
};

/// All zero is "untouched". A writer word whose own bytes are none but whose block is `several`
/// sends everyone to the map; its shared bytes are those where a race was found.
struct Granule {
  std::atomic<std::uint64_t> reader, writer, updater;
  std::atomic<std::uint32_t> reader_line, writer_line;
};

namespace {

constexpr std::uint64_t region_bytes = std::uint64_t{1} << 20;
constexpr std::size_t region_map = region_bytes / 16 * sizeof(Granule);
constexpr auto relaxed = std::memory_order_relaxed;

}  // namespace

std::shared_ptr<GlobalShadow> make_global_shadow() { return std::make_shared<GlobalShadow>(); }

GlobalShadow::~GlobalShadow() {
  for (const auto& [number, granules] : regions_) munmap(granules, region_map);
}

Granule* GlobalShadow::region(std::uint64_t number) {
  {
    const std::shared_lock lock(regions_mutex_);
    if (const auto found = regions_.find(number); found != regions_.end()) return found->second;
  }
  const std::unique_lock lock(regions_mutex_);
  Granule*& granules = regions_[number];
  if (!granules) {
    void* map = mmap(nullptr, region_map, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) {
      regions_.erase(number);
      throw std::bad_alloc();
    }
    granules = static_cast<Granule*>(map);
  }
  return granules;
}

std::optional<GlobalShadow::Clash> GlobalShadow::View::touch(std::uint64_t address,
                                                             std::uint32_t mask, Verb verb,
                                                             Block block, std::uint32_t line) {
  if (address / region_bytes != region_) {
    granules_ = shadow_->region(address / region_bytes);
    region_ = address / region_bytes;
  }
  Granule& granule = granules_[address % region_bytes / 16];
  const auto& word = verb == Verb::read    ? granule.reader
                     : verb == Verb::write ? granule.writer
                                           : granule.updater;
  if (Owners::unpack(word.load(relaxed)).covers(mask, block)) return {};
  Stripe& stripe = shadow_->stripe(address);
  if (!lock_.owns_lock() || lock_.mutex() != &stripe.mutex) {
    release();
    lock_ = std::unique_lock(stripe.mutex);
  }
  return shadow_->record(granule, stripe, address, mask, verb, block, line);
}

/// Applies the access to the bytes. A byte with a race has `several` writers and stays silent.
std::optional<GlobalShadow::Clash> GlobalShadow::judge(Bytes& bytes, std::uint32_t mask, Verb verb,
                                                       Block block) {
  std::optional<Clash> clash;
  for (unsigned i = 0; i < 16; ++i) {
    Byte& byte = bytes[i];
    if (!(mask >> i & 1) || byte.writer == several) continue;
    auto other = [block](Block owner) { return owner != 0 && owner != block; };
    const Verb* found = nullptr;
    static constexpr Verb wrote = Verb::write, updated = Verb::atomic, was_read = Verb::read;
    Block who = 0;
    if (other(byte.writer)) {
      found = &wrote;
      who = byte.writer;
    } else if (verb != Verb::atomic && other(byte.updater)) {
      found = &updated;
      who = byte.updater;
    } else if (verb != Verb::read && other(byte.reader)) {
      found = &was_read;
      who = byte.reader;
    }
    if (found) {
      byte.writer = several;
      if (!clash) {
        clash = Clash{i, 1, *found, who, 0};
      } else if (clash->offset + clash->bytes == i) {
        clash->bytes++;
      }
      continue;
    }
    Block& owner = verb == Verb::read    ? byte.reader
                   : verb == Verb::write ? byte.writer
                                         : byte.updater;
    owner = owner == 0 || owner == block ? block : several;
  }
  return clash;
}

std::optional<GlobalShadow::Clash> GlobalShadow::record(Granule& granule, Stripe& stripe,
                                                        std::uint64_t address, std::uint32_t mask,
                                                        Verb verb, Block block,
                                                        std::uint32_t line) {
  Owners reader = Owners::unpack(granule.reader.load(relaxed));
  Owners writer = Owners::unpack(granule.writer.load(relaxed));
  Owners updater = Owners::unpack(granule.updater.load(relaxed));
  const std::uint32_t reader_line = granule.reader_line.load(relaxed);
  const std::uint32_t writer_line = granule.writer_line.load(relaxed);
  (verb == Verb::read ? granule.reader_line : granule.writer_line).store(line, relaxed);

  // Inputs, and sums by atomics: nobody does anything else here, and the bytes are the first
  // block's or the same as the first block's.
  auto share = [&](Owners& owners, std::atomic<std::uint64_t>& word) {
    if (owners.own != 0 && (mask & ~(owners.own | owners.shared)) != 0) return false;
    const std::uint32_t fresh = mask & ~owners.shared;
    if (owners.own == 0) {
      owners = {static_cast<std::uint16_t>(fresh), owners.shared, block};
    } else {
      owners.own = static_cast<std::uint16_t>(owners.own & ~fresh);
      owners.shared = static_cast<std::uint16_t>(owners.shared | fresh);
    }
    word.store(owners.pack(), relaxed);
    return true;
  };
  if (writer.pack() == 0) {
    if (verb == Verb::read && updater.pack() == 0 && share(reader, granule.reader)) return {};
    if (verb == Verb::atomic && reader.pack() == 0 && share(updater, granule.updater)) return {};
    // Outputs: the first to touch the bytes.
    if (verb == Verb::write && updater.pack() == 0 && reader.pack() == 0) {
      writer = {static_cast<std::uint16_t>(mask), 0, block};
      granule.writer.store(writer.pack(), relaxed);
      return {};
    }
  }

  const bool detailed = writer.block == several;
  Bytes bytes{};
  if (detailed) {
    bytes = stripe.detailed[address];
  } else {
    for (unsigned i = 0; i < 16; ++i) {
      auto owner = [i](const Owners& owners) {
        return owners.shared >> i & 1 ? several : owners.own >> i & 1 ? owners.block : Block{0};
      };
      bytes[i] = {owner(reader), owner(writer), owner(updater)};
    }
  }
  std::optional<Clash> clash = judge(bytes, mask, verb, block);
  if (clash) clash->line = clash->verb == Verb::read ? reader_line : writer_line;

  // Pack again, unless two blocks own bytes of the same kind here.
  bool fits = !detailed;
  auto pack = [&](Block Byte::*field) {
    Owners owners;
    for (unsigned i = 0; i < 16; ++i) {
      const Block owner = bytes[i].*field;
      const auto bit = static_cast<std::uint16_t>(1u << i);
      if (owner == several) {
        owners.shared |= bit;
      } else if (owner != 0) {
        fits = fits && (owners.own == 0 || owners.block == owner);
        owners.own |= bit;
        owners.block = owner;
      }
    }
    return owners;
  };
  reader = pack(&Byte::reader);
  writer = pack(&Byte::writer);
  updater = pack(&Byte::updater);
  if (!fits) {
    stripe.detailed[address] = bytes;
    reader = updater = {};
    writer = {0, writer.shared, several};
  }
  granule.reader.store(reader.pack(), relaxed);
  granule.writer.store(writer.pack(), relaxed);
  granule.updater.store(updater.pack(), relaxed);
  return clash;
}

}  // namespace tilewright::emulator
