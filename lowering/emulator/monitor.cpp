// The detectors of one block, put together: clocks, shared memory, global memory, initialisation.
// State that is costly to create (records of shared memory, numbers of instructions) is kept by the
// host thread and reused by its next block; time goes on counting, so old records are simply old.
// Rules: race_judge.hpp. Tests: tests/emulator/monitor/.
#include "emulator/monitor.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "emulator/memory.hpp"
#include "emulator/race_global.hpp"
#include "emulator/race_order.hpp"
#include "emulator/race_report.hpp"
#include "emulator/race_shared.hpp"

namespace tilewright::emulator {
namespace {

struct BlockStorage {
  Cells shared, global;
  Sites sites;
  Clocks::Time time = 1;
};

std::unique_ptr<BlockStorage>& spare_storage() {
  thread_local std::unique_ptr<BlockStorage> spare;
  return spare;
}

std::unique_ptr<BlockStorage> take_storage() {
  auto storage = std::move(spare_storage());
  return storage ? std::move(storage) : std::make_unique<BlockStorage>();
}

unsigned warps_of(const Dim3& block_size) {
  return static_cast<unsigned>(std::clamp<std::uint64_t>((block_size.count() + 31) / 32, 1, 32));
}

class SharedListener : public FindingListener {
 public:
  explicit SharedListener(Reporter& reporter) : reporter_(reporter) {}
  void found(const Finding& finding) override { reporter_.shared(finding); }

 private:
  Reporter& reporter_;
};

class GlobalListener : public FindingListener {
 public:
  explicit GlobalListener(Reporter& reporter) : reporter_(reporter) {}
  void found(const Finding& finding) override { reporter_.global(finding); }

 private:
  Reporter& reporter_;
};

/// Whether active lane after active lane the addresses follow each other without a gap.
bool is_contiguous(const std::uint64_t* address, std::uint32_t lanes, unsigned bytes) {
  std::uint64_t expected = address[std::countr_zero(lanes)];
  for (; lanes; lanes &= lanes - 1) {
    if (address[std::countr_zero(lanes)] != expected) return false;
    expected += bytes;
  }
  return true;
}

}  // namespace

struct BlockMonitor::State {
  explicit State(const Setup& given)
      : setup(given),
        warps(warps_of(given.block_size)),
        everyone(warps == 32 ? ~0u : lane_bit(warps) - 1),
        storage(take_storage()),
        clocks(warps, given.block_size.count(), storage->time),
        reporter(given, storage->sites),
        shared_listener(reporter),
        global_listener(reporter),
        shared(clocks, storage->shared, shared_listener) {
    storage->shared.start((given.shared_bytes + 15) / 16, warps,
                          WriteRecord::state(slot_unwritten));
    storage->global.start(0, warps, {});
    if (given.order)
      order.emplace(*given.order, clocks, GlobalShadow::block_number(given.linear_block), warps);
    if (given.global)
      global.emplace(clocks, storage->global, global_listener, reporter, storage->sites,
                     given.global, order ? &*order : nullptr, given.linear_block);
  }

  ~State() {
    if (!abandoned) shared.finish();
    storage->time = clocks.now() + 1;
    spare_storage() = std::move(storage);
  }

  WarpAccess access(Verb verb, Site site, unsigned warp, unsigned bytes,
                    const void* value = nullptr) {
    WarpAccess access;
    access.verb = verb;
    access.warp = warp;
    access.site = storage->sites.number(site);
    access.bytes = bytes;
    access.value = static_cast<const std::uint8_t*>(value);
    return access;
  }

  void check_initialized(const WarpAccess& access, std::uint32_t lanes) {
    if (!setup.memory) return;
    const std::uint64_t* address = access.global_address;
    const unsigned bytes = access.bytes;
    // Most reads are of rows; one look at the whole stretch, if it is not much larger, settles
    // them.
    std::uint64_t low = ~std::uint64_t{0}, high = 0;
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      low = std::min(low, address[std::countr_zero(rest)]);
      high = std::max(high, address[std::countr_zero(rest)]);
    }
    if (high - low <= 1024 && setup.memory->is_initialized(low, high - low + bytes)) return;
    for (std::uint32_t rest = lanes; rest; rest &= rest - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(rest));
      if (setup.memory->is_initialized(address[lane], bytes)) continue;
      unsigned first = 0;
      while (setup.memory->is_initialized(address[lane] + first, 1)) ++first;
      reporter.unwritten_global({access.verb, access.warp, lane, access.site},
                                address[lane] + first, bytes - first);
    }
  }

  void mark_initialized(const std::uint64_t* address, std::uint32_t lanes, unsigned bytes) {
    if (!setup.memory) return;
    if (is_contiguous(address, lanes, bytes)) {
      setup.memory->mark_initialized(
          address[std::countr_zero(lanes)],
          std::size_t{bytes} * static_cast<unsigned>(std::popcount(lanes)));
      return;
    }
    for (; lanes; lanes &= lanes - 1)
      setup.memory->mark_initialized(address[std::countr_zero(lanes)], bytes);
  }

  Setup setup;
  bool abandoned = false;
  unsigned warps;
  std::uint32_t everyone;
  std::unique_ptr<BlockStorage> storage;
  Clocks clocks;
  Reporter reporter;
  SharedListener shared_listener;
  GlobalListener global_listener;
  SharedRaces shared;
  std::optional<WarpOrder> order;
  std::optional<GlobalRaces> global;
};

std::shared_ptr<LaunchOrder> make_launch_order() { return std::make_shared<LaunchOrder>(); }

BlockMonitor::BlockMonitor(const Setup& setup) : state_(std::make_unique<State>(setup)) {}
BlockMonitor::~BlockMonitor() = default;

void BlockMonitor::abandon() { state_->abandoned = true; }

void BlockMonitor::shared_read(Site site, unsigned warp, const std::uint32_t* address,
                               std::uint32_t lanes, unsigned bytes) {
  WarpAccess access = state_->access(Verb::read, site, warp, bytes);
  access.shared_address = address;
  state_->shared.read(access, lanes);
}

void BlockMonitor::shared_write(Site site, unsigned warp, const std::uint32_t* address,
                                std::uint32_t lanes, unsigned bytes, const void* value) {
  WarpAccess access = state_->access(Verb::write, site, warp, bytes, value);
  access.shared_address = address;
  state_->shared.write(access, lanes);
}

void BlockMonitor::shared_atomic(Site site, unsigned warp, const std::uint32_t* address,
                                 std::uint32_t lanes, unsigned bytes) {
  shared_strong(site, warp, address, lanes, bytes, Strong{});
}

void BlockMonitor::shared_strong(Site site, unsigned warp, const std::uint32_t* address,
                                 std::uint32_t lanes, unsigned bytes, const Strong& strong) {
  const bool reads = strong.kind == Strong::Kind::read;
  WarpAccess access = state_->access(reads ? Verb::strong_read : Verb::atomic, site, warp, bytes);
  access.shared_address = address;
  access.only_writes = strong.kind == Strong::Kind::write;
  // An acquire is itself ordered after the release it sees.
  if (strong.acquire) shared_observed(warp, address, lanes, strong);
  if (reads) {
    state_->shared.read(access, lanes);
  } else {
    state_->shared.atomic(access, lanes);
  }
  if (!state_->order) return;
  for (; lanes; lanes &= lanes - 1)
    state_->order->publish(true, address[std::countr_zero(lanes)], warp, strong);
}

void BlockMonitor::shared_observed(unsigned warp, const std::uint32_t* address, std::uint32_t lanes,
                                   const Strong& strong) {
  if (!state_->order) return;
  for (; lanes; lanes &= lanes - 1)
    state_->order->observe(true, address[std::countr_zero(lanes)], warp, strong);
}

void BlockMonitor::async_issue(Site site, unsigned warp, const std::uint32_t* address,
                               std::uint32_t lanes, unsigned bytes) {
  WarpAccess access = state_->access(Verb::copy, site, warp, bytes);
  access.shared_address = address;
  state_->shared.issue(access, lanes);
}

void BlockMonitor::async_complete(Site issued_at, unsigned warp, const std::uint32_t* address,
                                  std::uint32_t lanes, unsigned bytes) {
  WarpAccess access = state_->access(Verb::copy, issued_at, warp, bytes);
  access.shared_address = address;
  state_->shared.complete(access, lanes);
}

void BlockMonitor::global_read(Site site, unsigned warp, const std::uint64_t* address,
                               std::uint32_t lanes, unsigned bytes) {
  if (lanes == 0) return;
  WarpAccess access = state_->access(Verb::read, site, warp, bytes);
  access.global_address = address;
  state_->check_initialized(access, lanes);
  if (state_->global) state_->global->access(access, lanes);
}

void BlockMonitor::global_write(Site site, unsigned warp, const std::uint64_t* address,
                                std::uint32_t lanes, unsigned bytes, const void* value) {
  if (lanes == 0) return;
  WarpAccess access = state_->access(Verb::write, site, warp, bytes, value);
  access.global_address = address;
  if (state_->global) state_->global->access(access, lanes);
  state_->mark_initialized(address, lanes, bytes);
}

void BlockMonitor::global_atomic(Site site, unsigned warp, const std::uint64_t* address,
                                 std::uint32_t lanes, unsigned bytes) {
  global_strong(site, warp, address, lanes, bytes, Strong{});
}

void BlockMonitor::global_strong(Site site, unsigned warp, const std::uint64_t* address,
                                 std::uint32_t lanes, unsigned bytes, const Strong& strong) {
  if (lanes == 0) return;
  const bool reads = strong.kind == Strong::Kind::read;
  WarpAccess access = state_->access(reads ? Verb::strong_read : Verb::atomic, site, warp, bytes);
  access.global_address = address;
  access.only_writes = strong.kind == Strong::Kind::write;
  access.block_scope = strong.block_scope;
  if (strong.acquire) global_observed(warp, address, lanes, strong);
  if (!access.only_writes) state_->check_initialized(access, lanes);
  if (state_->global) state_->global->access(access, lanes);
  if (!reads) state_->mark_initialized(address, lanes, bytes);
  if (!state_->order) return;
  for (; lanes; lanes &= lanes - 1)
    state_->order->publish(false, address[std::countr_zero(lanes)], warp, strong);
}

void BlockMonitor::global_observed(unsigned warp, const std::uint64_t* address, std::uint32_t lanes,
                                   const Strong& strong) {
  if (!state_->order) return;
  for (; lanes; lanes &= lanes - 1)
    state_->order->observe(false, address[std::countr_zero(lanes)], warp, strong);
}

void BlockMonitor::barrier(std::uint32_t warps) {
  state_->clocks.barrier(warps & state_->everyone);
  if (state_->order) state_->order->barrier(warps & state_->everyone);
  if ((warps & state_->everyone) != state_->everyone) return;
  state_->shared.everyone_joined();
  if (state_->global) state_->global->everyone_joined();
}

void BlockMonitor::warp_sync(unsigned warp, std::uint32_t lanes) {
  state_->clocks.warp_sync(warp, lanes);
}

void BlockMonitor::phase_completed(std::uint32_t address) {
  if (state_->order) state_->order->complete_phase(address);
}

void BlockMonitor::phase_passed(unsigned warp, std::uint32_t address) {
  if (state_->order) state_->order->pass_phase(warp, address);
}

void BlockMonitor::fence(unsigned warp, std::uint32_t lanes, bool device_scope) {
  if (state_->order && lanes != 0) state_->order->fence(warp, device_scope);
}

}  // namespace tilewright::emulator
