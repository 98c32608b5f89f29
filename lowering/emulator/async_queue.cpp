// Bookkeeping and data movement of cp.async (see async_queue.hpp). Both the read of global memory
// and the write of shared memory happen when a wait covers the copy: as late as is legal.
#include "emulator/async_queue.hpp"

#include <algorithm>
#include <cstring>

#include "emulator/warp.hpp"

namespace tilewright::emulator {

void AsyncQueue::reset() {
  pending_.clear();
  commits_.clear();
  first_epoch_ = 0;
}

AsyncCopy& AsyncQueue::issue() {
  pending_.emplace_back();
  pending_.back().epoch = first_epoch_ + commits_.size();
  return pending_.back();
}

void AsyncQueue::commit(std::uint32_t lanes) {
  if (pending_.empty()) {  // nothing can be waiting for what was committed before
    first_epoch_ += commits_.size() + 1;
    commits_.clear();
    return;
  }
  commits_.push_back(lanes);
}

void AsyncQueue::wait(Warp& warp, std::uint32_t lanes, std::uint32_t groups) {
  // Going back through the commits: `done` are the lanes that have committed more than `groups`
  // times since; what they issued before that commit is complete.
  std::uint32_t count[32] = {};
  std::uint32_t done = 0;
  std::size_t next = pending_.size();
  for (std::size_t back = commits_.size(); back > 0; --back) {
    const std::uint64_t epoch = first_epoch_ + back - 1;
    for (std::uint32_t left = commits_[back - 1]; left != 0; left &= left - 1) {
      const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
      if (++count[lane] > groups) done |= 1u << lane;
    }
    while (next > 0 && pending_[next - 1].epoch > epoch) --next;
    for (; next > 0 && pending_[next - 1].epoch == epoch; --next) {
      complete(warp, pending_[next - 1], lanes & done);
    }
  }
  drop_finished();
}

void AsyncQueue::wait_all(Warp& warp, std::uint32_t lanes) {
  for (AsyncCopy& copy : pending_) complete(warp, copy, lanes);
  drop_finished();
}

void AsyncQueue::complete(Warp& warp, AsyncCopy& copy, std::uint32_t lanes) {
  lanes &= copy.lanes;
  if (lanes == 0) return;
  const LaunchState& state = *warp.block->state;
  if (state.options->lazy_async) move_bytes(warp, copy, lanes);
  if (warp.block->monitor != nullptr) {
    warp.block->monitor->async_complete(copy.site, warp.index, copy.destination, lanes, copy.bytes);
  }
  copy.lanes &= ~lanes;
}

void AsyncQueue::drop_finished() {
  std::erase_if(pending_, [](const AsyncCopy& copy) { return copy.lanes == 0; });
  const std::uint64_t oldest =
      pending_.empty() ? first_epoch_ + commits_.size() : pending_.front().epoch;
  const std::size_t unneeded = static_cast<std::size_t>(oldest - first_epoch_);
  commits_.erase(commits_.begin(), commits_.begin() + static_cast<std::ptrdiff_t>(unneeded));
  first_epoch_ = oldest;
}

void move_bytes(Warp& warp, const AsyncCopy& copy, std::uint32_t lanes) {
  if (lanes == all_lanes && !copy.partial && copy.bytes == 16) {
    for (unsigned lane = 0; lane < 32; ++lane) {
      std::memcpy(warp.shared + copy.destination[lane],
                  reinterpret_cast<const void*>(copy.source[lane]), 16);
    }
    return;
  }
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    std::uint8_t* target = warp.shared + copy.destination[lane];
    const void* source = reinterpret_cast<const void*>(copy.source[lane]);
    if (!copy.partial && copy.bytes == 16) {
      std::memcpy(target, source, 16);
      continue;
    }
    const std::uint32_t present = copy.partial ? copy.source_bytes[lane] : copy.bytes;
    if (present != 0) std::memcpy(target, source, present);
    std::memset(target + present, 0, copy.bytes - present);
  }
}

}  // namespace tilewright::emulator
