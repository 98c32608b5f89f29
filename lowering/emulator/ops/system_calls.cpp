// printf, assert, malloc and free of kernels (see system_calls.hpp). Arguments lie in local memory,
// where the inliner put them. Lanes act in order, one after another; text goes to the host's own
// stdout and stderr, so that it keeps its order with what the program prints.
#include "emulator/ops/system_calls.hpp"

#include <cstdio>
#include <cstring>
#include <mutex>

#include "emulator/access.hpp"
#include "emulator/engine.hpp"
#include "emulator/ops/format.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::system_calls {
namespace {

std::mutex& console() {
  static std::mutex mutex;
  return mutex;
}

std::uint8_t* local_of(const Warp* w, unsigned lane) {
  return w->local + std::size_t{w->local_bytes} * lane;
}

std::uint64_t argument(const Instruction* i, const Warp* w, unsigned lane, unsigned which,
                       unsigned bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, local_of(w, lane) + i->list[which], bytes);
  return value;
}

/// Host bytes behind a generic address and how many follow it, or null.
const std::uint8_t* bytes_at(const Warp* w, unsigned lane, std::uint64_t address,
                             std::size_t& left) {
  const std::uint32_t offset = static_cast<std::uint32_t>(address);
  switch (address >> window_shift) {
    case shared_window >> window_shift:
      if (offset < shared_base || offset >= w->shared_bytes) return nullptr;
      left = w->shared_bytes - offset;
      return w->shared + offset;
    case local_window >> window_shift:
      if (offset >= w->local_bytes) return nullptr;
      left = w->local_bytes - offset;
      return local_of(w, lane) + offset;
    default: {
      const Memory::Range range = w->block->state->memory->find(address);
      if (range.end <= range.begin || address >= range.end) return nullptr;
      left = range.end - address;
      return reinterpret_cast<const std::uint8_t*>(address);
    }
  }
}

/// The zero-terminated text at an address; a fault and an empty text where there is none.
std::string text_at(const Instruction* i, const Warp* w, unsigned lane, std::uint64_t address) {
  std::size_t left = 0;
  const std::uint8_t* bytes = bytes_at(w, lane, address, left);
  if (bytes == nullptr || std::memchr(bytes, 0, left) == nullptr) {
    char place[32];
    std::snprintf(place, sizeof place, "0x%llx", static_cast<unsigned long long>(address));
    report_fault(*w, *i, FaultKind::out_of_bounds, lane,
                 w->block->state->program->mnemonics[i->index] + ": no text at address " + place);
    return {};
  }
  return reinterpret_cast<const char*>(bytes);
}

void set_result(const Instruction* i, Warp* w, unsigned lane, std::uint64_t value, unsigned bytes) {
  std::memcpy(local_of(w, lane) + i->list[i->n], &value, bytes);
}

const Instruction* run_print(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  std::string all;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::string pattern = text_at(i, w, lane, argument(i, w, lane, 0, 8));
    const std::uint64_t buffer = argument(i, w, lane, 1, 8);
    std::size_t next = 0;
    const FormatSource source{[&](unsigned bytes) {
                                next = (next + bytes - 1) / bytes * bytes;
                                std::size_t room = 0;
                                const std::uint8_t* at = bytes_at(w, lane, buffer + next, room);
                                std::uint64_t value = 0;
                                if (at != nullptr && room >= bytes) std::memcpy(&value, at, bytes);
                                next += bytes;
                                return value;
                              },
                              [&](std::uint64_t address) { return text_at(i, w, lane, address); }};
    int count = 0;
    all += format(pattern, source, count);
    set_result(i, w, lane, static_cast<std::uint32_t>(count), 4);
  }
  const std::lock_guard lock(console());
  std::fwrite(all.data(), 1, all.size(), stdout);
  return i + 1;
}

const Instruction* run_assertion(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const Block& block = *w->block;
  const Dim3 size = block.state->launch->block;
  std::string all, first;
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint32_t thread = 32 * w->index + lane;
    char place[160];
    std::snprintf(place, sizeof place, "block: [%u,%u,%u], thread: [%u,%u,%u]", block.position.x,
                  block.position.y, block.position.z, thread % size.x, thread / size.x % size.y,
                  thread / size.x / size.y);
    const std::string line = text_at(i, w, lane, argument(i, w, lane, 1, 8)) + ":" +
                             std::to_string(argument(i, w, lane, 2, 4)) + ": " +
                             text_at(i, w, lane, argument(i, w, lane, 3, 8)) + ": " + place +
                             " Assertion `" + text_at(i, w, lane, argument(i, w, lane, 0, 8)) +
                             "` failed.";
    if (first.empty()) first = line;
    all += line + "\n";
  }
  {
    const std::lock_guard lock(console());
    std::fwrite(all.data(), 1, all.size(), stderr);
  }
  report_fault(*w, *i, FaultKind::assertion, static_cast<unsigned>(__builtin_ctz(lanes)), first);
  w->event = Event::abort;
  w->pc = i->index;
  return nullptr;
}

const Instruction* run_allocate(const Instruction* i, Warp* w) {
  for (std::uint32_t left = active_lanes(i, w); left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint64_t bytes = argument(i, w, lane, 0, 8);
    constexpr std::uint64_t heap = std::uint64_t{8} << 20;  // CUDA's default device heap
    const std::uint64_t address =
        bytes == 0 || bytes > heap ? 0 : w->block->state->memory->allocate(bytes);
    set_result(i, w, lane, address, 8);
  }
  return i + 1;
}

const Instruction* run_release(const Instruction* i, Warp* w) {
  for (std::uint32_t left = active_lanes(i, w); left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const std::uint64_t address = argument(i, w, lane, 0, 8);
    if (address == 0 || w->block->state->memory->release(address)) continue;
    report_fault(*w, *i, FaultKind::out_of_bounds, lane,
                 "free: the address is not one that malloc gave");
  }
  return i + 1;
}

}  // namespace

Handlers handler(SystemCall call) {
  switch (call) {
    case SystemCall::print: return {&run_print, &run_print};
    case SystemCall::assertion: return {&run_assertion, &run_assertion};
    case SystemCall::allocate: return {&run_allocate, &run_allocate};
    case SystemCall::release: return {&run_release, &run_release};
    case SystemCall::none: break;
  }
  return {};
}

Signature signature(SystemCall call) {
  switch (call) {
    case SystemCall::print: return {{8, 8}, 2, 4};
    case SystemCall::assertion: return {{8, 8, 4, 8, 8}, 5, 0};
    case SystemCall::allocate: return {{8}, 1, 8};
    case SystemCall::release: return {{8}, 1, 0};
    case SystemCall::none: break;
  }
  return {};
}

}  // namespace tilewright::emulator::system_calls
