// Strong loads and stores: volatile, relaxed, acquire, release. Each lane's access is one host
// atomic, so that a flag another host thread sets is seen, and the detectors are told what it
// orders. They are rare, so lanes take turns here; plain accesses are in memory.cpp.
#include "emulator/access.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::strong {
namespace {

template <class Word>
std::uint64_t load_word(const std::uint8_t* at) {
  return __atomic_load_n(reinterpret_cast<const Word*>(at), __ATOMIC_SEQ_CST);
}
template <class Word>
void store_word(std::uint8_t* at, std::uint64_t value) {
  __atomic_store_n(reinterpret_cast<Word*>(at), static_cast<Word>(value), __ATOMIC_SEQ_CST);
}

std::uint64_t load_bytes(const std::uint8_t* at, unsigned bytes, bool sign) {
  std::uint64_t value = bytes == 1   ? load_word<std::uint8_t>(at)
                        : bytes == 2 ? load_word<std::uint16_t>(at)
                        : bytes == 4 ? load_word<std::uint32_t>(at)
                                     : load_word<std::uint64_t>(at);
  if (sign && bytes < 8) {
    const unsigned unused = 64 - 8 * bytes;
    value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
  }
  return value;
}

void store_bytes(std::uint8_t* at, unsigned bytes, std::uint64_t value) {
  switch (bytes) {
    case 1: store_word<std::uint8_t>(at, value); break;
    case 2: store_word<std::uint16_t>(at, value); break;
    case 4: store_word<std::uint32_t>(at, value); break;
    default: store_word<std::uint64_t>(at, value); break;
  }
}

std::uint64_t get(Warp* w, std::uint32_t offset, unsigned bytes, unsigned lane) {
  return bytes == 8 ? slots<std::uint64_t>(w, offset)[lane] : slots<std::uint32_t>(w, offset)[lane];
}
void set(Warp* w, std::uint32_t offset, unsigned bytes, unsigned lane, std::uint64_t value) {
  if (bytes == 8) {
    slots<std::uint64_t>(w, offset)[lane] = value;
  } else {
    slots<std::uint32_t>(w, offset)[lane] = static_cast<std::uint32_t>(value);
  }
}

template <bool store>
const Instruction* run_access(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const unsigned bytes = i->c;
  alignas(64) std::uint64_t address[32];
  generic_addresses(i, w, address);
  std::uint8_t* at[32];
  const std::uint32_t ok =
      resolve_generic(w, i, address, lanes, bytes * i->n,
                      store ? Access::strong_write : Access::strong_read, nullptr, at);
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const bool valid = (ok >> lane & 1) != 0;
    for (unsigned k = 0; k < i->n; ++k) {
      if (store) {
        if (valid) store_bytes(at[lane] + k * bytes, bytes, get(w, i->list[k], bytes, lane));
      } else {
        const bool sign = (i->flags & extends_sign) != 0;
        set(w, i->list[k], bytes, lane,
            valid ? load_bytes(at[lane] + k * bytes, bytes, sign) : ~std::uint64_t{0});
      }
    }
  }
  if (!store) {
    const unsigned first = static_cast<unsigned>(__builtin_ctz(lanes));
    w->polled(i->index, address[first], get(w, i->list[0], bytes, first));
    observe_value(w, i, address, ok, Access::strong_read);
  }
  return i + 1;
}

}  // namespace

Handlers load() { return {&run_access<false>, &run_access<false>}; }
Handlers store() { return {&run_access<true>, &run_access<true>}; }

void generic_addresses(const Instruction* i, Warp* w, std::uint64_t* address) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    const std::uint64_t base = (i->flags & narrow_address) != 0
                                   ? slots<std::uint32_t>(w, i->a)[lane]
                                   : slots<std::uint64_t>(w, i->a)[lane];
    address[lane] = base + i->immediate;
    if ((i->flags & shared_space) != 0)
      address[lane] = static_cast<std::uint32_t>(address[lane]) | shared_window;
  }
}

}  // namespace tilewright::emulator::strong
