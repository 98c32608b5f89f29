// cp.async: checks addresses when issued, queues the copy, and lets the queue move the bytes at the
// wait that covers it. A copy that ignores its source still writes zeros.
#include <cstring>

#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::asynchronous {
namespace {

/// Bytes each lane reads; true when some lane reads less than the whole.
bool source_sizes(const Instruction* i, Warp* w, std::uint32_t lanes, AsyncCopy& copy) {
  const bool sized = (i->flags & 2) != 0, ignoring = (i->flags & 4) != 0;
  if (!sized && !ignoring) return false;
  const std::uint32_t* sizes = slots<std::uint32_t>(w, i->c);
  const std::uint32_t ignored =
      ignoring ? w->predicates[i->d] ^ ((i->flags & 8) != 0 ? ~0u : 0u) : 0;
  bool partial = false;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    std::uint32_t bytes = sized ? sizes[lane] : copy.bytes;
    if (bytes > copy.bytes) bytes = copy.bytes;
    if (((ignored >> lane) & 1) != 0) bytes = 0;
    copy.source_bytes[lane] = static_cast<std::uint8_t>(bytes);
    partial |= bytes != copy.bytes;
  }
  return partial;
}

/// Checks and reports the reads: whole copies together, partial ones lane by lane.
std::uint32_t check_sources(const Instruction* i, Warp* w, std::uint32_t lanes, AsyncCopy& copy) {
  std::uint32_t whole = lanes, ok = 0;
  if (copy.partial) {
    for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
      const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
      const std::uint32_t bit = 1u << lane, bytes = copy.source_bytes[lane];
      if (bytes == copy.bytes) continue;
      whole &= ~bit;
      ok |= bit;  // an empty source touches no memory; the rest is checked byte-wise
      for (std::uint32_t at = 0; at < bytes; ++at) {
        std::uint64_t byte[32];
        byte[lane] = copy.source[lane] + at;
        if (check_global(w, i, byte, bit, 1, Access::read) == 0) {
          ok &= ~bit;
          break;
        }
        if (w->observed) observe_global(w, i, byte, bit, 1, Access::read, nullptr);
      }
    }
  }
  if (whole != 0) {
    std::uint64_t low = ~std::uint64_t{0}, high = 0, crooked = 0;
    for (std::uint32_t left = whole; left != 0; left &= left - 1) {
      const std::uint64_t source = copy.source[__builtin_ctz(left)];
      low = source < low ? source : low;
      high = source > high ? source : high;
      crooked |= source;
    }
    const CachedRange& range = w->ranges[i->cache];
    if (low < range.begin || high + copy.bytes > range.end || (crooked & (copy.bytes - 1)) != 0) {
      whole = check_global(w, i, copy.source, whole, copy.bytes, Access::read);
    }
    if (w->observed) observe_global(w, i, copy.source, whole, copy.bytes, Access::read, nullptr);
  }
  return ok | whole;
}

const Instruction* run_copy(const Instruction* i, Warp* w) {
  std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  AsyncCopy& copy = w->async.issue();
  copy.bytes = i->n;
  copy.site = w->block->state->program->sites[i->index];
  const std::uint64_t* source = slots<std::uint64_t>(w, i->b);
  const bool wide = (i->flags & 1) != 0;
  std::uint32_t low = ~0u, high = 0, crooked = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    copy.source[lane] = source[lane] + i->immediate;
    copy.destination[lane] = (wide ? static_cast<std::uint32_t>(slots<std::uint64_t>(w, i->a)[lane])
                                   : slots<std::uint32_t>(w, i->a)[lane]) +
                             i->e;
  }
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const std::uint32_t target = copy.destination[__builtin_ctz(left)];
    low = target < low ? target : low;
    high = target > high ? target : high;
    crooked |= target;
  }
  copy.partial = source_sizes(i, w, lanes, copy);
  if (low < shared_base || high > w->shared_bytes - copy.bytes || w->shared_bytes < copy.bytes ||
      (crooked & (copy.bytes - 1)) != 0) {
    lanes = check_shared(w, i, copy.destination, lanes, copy.bytes, Access::write);
  }
  copy.lanes = check_sources(i, w, lanes, copy);
  Block& block = *w->block;
  if (w->observed && copy.lanes != 0) {
    if (block.counter != nullptr) block.counter->shared(copy.destination, copy.lanes, copy.bytes);
    if (block.monitor != nullptr) {
      block.monitor->async_issue(copy.site, w->index, copy.destination, copy.lanes, copy.bytes);
    }
  }
  if (!block.state->options->lazy_async) move_bytes(*w, copy, copy.lanes);
  return i + 1;
}

const Instruction* run_commit(const Instruction* i, Warp* w) {
  if (const std::uint32_t lanes = active_lanes(i, w); lanes != 0) w->async.commit(lanes);
  return i + 1;
}

const Instruction* run_wait(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0 || w->async.empty()) return i + 1;
  if ((i->flags & 1) != 0) {
    w->async.wait_all(*w, lanes);
  } else {
    w->async.wait(*w, lanes, i->n);
  }
  return i + 1;
}

}  // namespace

Handlers copy() { return {&run_copy, &run_copy}; }
Handlers commit() { return {&run_commit, &run_commit}; }
Handlers wait() { return {&run_wait, &run_wait}; }

}  // namespace tilewright::emulator::asynchronous
