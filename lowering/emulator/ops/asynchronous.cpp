// cp.async: checks addresses when issued, queues the copy, and lets the queue move the bytes at the
// wait that covers it. A copy that ignores its source still writes zeros.
#include <cstring>

#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::asynchronous {
namespace {

/// Smallest and largest of the active lanes' addresses, and the union of their bits.
template <class T>
struct Extent {
  T low, high, bits;

  bool fits(T begin, T end, std::uint32_t bytes) const {
    return low >= begin && end >= bytes && high <= end - bytes && (bits & (bytes - 1)) == 0;
  }
};

/// Adds the displacement to all lanes' addresses. Lanes that do not run count as `lead`, which
/// does.
template <class To, class From>
[[gnu::always_inline]] inline Extent<To> place_lanes(const From* __restrict from, To displacement,
                                                     To* __restrict to, std::uint32_t lanes,
                                                     unsigned lead) {
  const To first = static_cast<To>(from[lead]) + displacement;
  To low = first, high = first, bits = first;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const To at = static_cast<To>(from[lane]) + displacement;
    const To counted = ((lanes >> lane) & 1) != 0 ? at : first;
    to[lane] = at;
    low = counted < low ? counted : low;
    high = counted > high ? counted : high;
    bits |= counted;
  }
  return {low, high, bits};
}

template <class To, class From>
using Place = Extent<To> (*)(const From*, To, To*, std::uint32_t, unsigned);

template <class To, class From>
Extent<To> place_plainly(const From* __restrict from, To displacement, To* __restrict to,
                         std::uint32_t lanes, unsigned lead) {
  return place_lanes(from, displacement, to, lanes, lead);
}

#if defined(__x86_64__)
template <class To, class From>
[[gnu::target("avx512f,avx512dq,avx512vl")]] Extent<To> place_widely(const From* __restrict from,
                                                                     To displacement,
                                                                     To* __restrict to,
                                                                     std::uint32_t lanes,
                                                                     unsigned lead) {
  return place_lanes(from, displacement, to, lanes, lead);
}
#endif

/// The same arithmetic either way; this runs for every cp.async.
template <class To, class From>
Place<To, From> choose_place() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return &place_widely<To, From>;
#endif
  return &place_plainly<To, From>;
}
template <class To, class From>
const Place<To, From> place = choose_place<To, From>();

/// The bytes are moved at the wait, long after this: by then they are in the second-level cache.
/// Four lanes of a tile's row share a line, so one in four asks. Inlined always: GCC takes a
/// function that only prefetches for one that does nothing.
[[gnu::always_inline]] inline void prefetch_sources(const AsyncCopy& copy) {
  for (unsigned lane = 0; lane < 32; lane += 4)
    __builtin_prefetch(reinterpret_cast<const void*>(copy.source[lane]), 0, 2);
}

/// Whether all lanes, active or not, read whole copies: the usual case, settled at once.
bool all_whole(const std::uint32_t* sizes, std::uint32_t bytes) {
  std::uint32_t small = 0;
  for (unsigned lane = 0; lane < 32; ++lane) small |= sizes[lane] < bytes ? 1u : 0u;
  return small == 0;
}

/// Bytes each lane reads; true when some lane reads less than the whole.
bool source_sizes(const Instruction* i, Warp* w, std::uint32_t lanes, AsyncCopy& copy) {
  const bool sized = (i->flags & 2) != 0, ignoring = (i->flags & 4) != 0;
  if (!sized && !ignoring) return false;
  const std::uint32_t* sizes = slots<std::uint32_t>(w, i->c);
  if (!ignoring && all_whole(sizes, copy.bytes)) return false;
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

/// Checks and reports the reads: whole copies together, partial ones lane by lane. `extent` covers
/// the sources of `lanes`.
std::uint32_t check_sources(const Instruction* i, Warp* w, std::uint32_t lanes, AsyncCopy& copy,
                            const Extent<std::uint64_t>& extent) {
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
    const CachedRange& range = w->ranges[i->cache];
    if (!extent.fits(range.begin, range.end, copy.bytes)) {
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
  const unsigned lead = static_cast<unsigned>(__builtin_ctz(lanes));
  const bool wide = (i->flags & 1) != 0;
  const Extent<std::uint64_t> sources = place<std::uint64_t, std::uint64_t>(
      slots<std::uint64_t>(w, i->b), i->immediate, copy.source, lanes, lead);
  const Extent<std::uint32_t> targets =
      wide ? place<std::uint32_t, std::uint64_t>(slots<std::uint64_t>(w, i->a), i->e,
                                                 copy.destination, lanes, lead)
           : place<std::uint32_t, std::uint32_t>(slots<std::uint32_t>(w, i->a), i->e,
                                                 copy.destination, lanes, lead);
  copy.partial = source_sizes(i, w, lanes, copy);
  if (!targets.fits(shared_base, w->shared_bytes, copy.bytes)) {
    lanes = check_shared(w, i, copy.destination, lanes, copy.bytes, Access::write);
  }
  copy.lanes = check_sources(i, w, lanes, copy, sources);
  Block& block = *w->block;
  if (w->observed && copy.lanes != 0) {
    if (block.counter != nullptr) block.counter->shared(copy.destination, copy.lanes, copy.bytes);
    if (block.monitor != nullptr) {
      block.monitor->async_issue(copy.site, w->index, copy.destination, copy.lanes, copy.bytes);
    }
  }
  if (!block.state->options->lazy_async) {
    move_bytes(*w, copy, copy.lanes);
  } else if (copy.lanes == all_lanes && !copy.partial) {
    prefetch_sources(copy);
  }
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
