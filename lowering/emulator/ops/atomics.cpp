// atom and red. Each lane performs one read-modify-write, in lane order, as a compare-and-swap loop
// on host memory: blocks on other host threads see it happen at once. Shared memory belongs to one
// host thread but takes the same path.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "emulator/access.hpp"
#include "emulator/ops/half_values.hpp"
#include "emulator/ops/scalar.hpp"

namespace tilewright::emulator::atomics {
namespace {

template <class T, class Bits>
Bits combine_integer(Operation operation, Bits old, Bits b, Bits c) {
  const T x = static_cast<T>(old), y = static_cast<T>(b);
  switch (operation) {
    case Operation::add: return old + b;
    case Operation::min: return static_cast<Bits>(std::min(x, y));
    case Operation::max: return static_cast<Bits>(std::max(x, y));
    case Operation::exchange: return b;
    case Operation::compare: return old == b ? c : old;
    case Operation::increment: return old >= b ? 0 : old + 1;
    case Operation::decrement: return old == 0 || old > b ? b : old - 1;
    case Operation::and_: return old & b;
    case Operation::or_: return old | b;
    case Operation::xor_: return old ^ b;
  }
  return old;
}

std::uint32_t add_half(std::uint32_t x, std::uint32_t y, bool brain) {
  return narrow_half(widen_half(x, brain) + widen_half(y, brain), brain);
}
std::uint32_t extreme_half(std::uint32_t x, std::uint32_t y, bool brain, bool maximum) {
  const float a = widen_half(x, brain), b = widen_half(y, brain);
  return narrow_half(maximum ? std::fmax(a, b) : std::fmin(a, b), brain);
}
std::uint32_t combine_half(Operation operation, std::uint32_t x, std::uint32_t y, bool brain) {
  switch (operation) {
    case Operation::min: return extreme_half(x, y, brain, false);
    case Operation::max: return extreme_half(x, y, brain, true);
    case Operation::exchange: return y & 0xffff;
    default: return add_half(x, y, brain);
  }
}

float flushed(float value, bool flush) {
  return flush && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

std::uint64_t combine(Operation operation, Value value, std::uint64_t old, std::uint64_t b,
                      std::uint64_t c, bool flush) {
  const auto narrow = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  switch (value) {
    case Value::u32:
      return combine_integer<std::uint32_t>(operation, narrow(old), narrow(b), narrow(c));
    case Value::s32:
      return combine_integer<std::int32_t>(operation, narrow(old), narrow(b), narrow(c));
    case Value::u64: return combine_integer<std::uint64_t>(operation, old, b, c);
    case Value::s64: return combine_integer<std::int64_t>(operation, old, b, c);
    case Value::f32:
      if (operation == Operation::exchange) return narrow(b);
      return std::bit_cast<std::uint32_t>(
          flushed(flushed(std::bit_cast<float>(narrow(old)), flush) +
                      flushed(std::bit_cast<float>(narrow(b)), flush),
                  flush));
    case Value::f64:
      if (operation == Operation::exchange) return b;
      return std::bit_cast<std::uint64_t>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
    case Value::f16: return combine_half(operation, narrow(old), narrow(b), false);
    case Value::bf16: return combine_half(operation, narrow(old), narrow(b), true);
    case Value::f16x2:
    case Value::bf16x2: {
      const bool brain = value == Value::bf16x2;
      return combine_half(operation, narrow(old) & 0xffff, narrow(b) & 0xffff, brain) |
             combine_half(operation, narrow(old) >> 16, narrow(b) >> 16, brain) << 16;
    }
    case Value::b16:
      return combine_integer<std::uint16_t>(operation, static_cast<std::uint16_t>(old),
                                            static_cast<std::uint16_t>(b),
                                            static_cast<std::uint16_t>(c));
  }
  return old;
}

unsigned bytes_of_value(Value value) {
  switch (value) {
    case Value::u64:
    case Value::s64:
    case Value::f64: return 8;
    case Value::f16:
    case Value::bf16:
    case Value::b16: return 2;
    default: return 4;
  }
}

template <class Word, class Next>
Word exchange_loop(void* at, const Next& next) {
  Word* word = static_cast<Word*>(at);
  Word old = __atomic_load_n(word, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(word, &old, static_cast<Word>(next(old)), false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
  return old;
}

const Instruction* run_apply(const Instruction* i, Warp* w) {
  const std::uint32_t lanes = active_lanes(i, w);
  if (lanes == 0) return i + 1;
  const Operation operation = static_cast<Operation>(i->n / 16);
  const Value value = static_cast<Value>(i->n % 16);
  const unsigned bytes = bytes_of_value(value);
  alignas(64) std::uint64_t address[32];
  strong::generic_addresses(i, w, address);
  std::uint8_t* at[32];
  const std::uint32_t ok =
      resolve_generic(w, i, address, lanes, bytes, Access::atomic, nullptr, at);
  const auto operand = [&](std::uint32_t offset, unsigned lane) -> std::uint64_t {
    return bytes == 8 ? slots<std::uint64_t>(w, offset)[lane]
                      : slots<std::uint32_t>(w, offset)[lane];
  };
  for (std::uint32_t left = lanes; left != 0; left &= left - 1) {
    const unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    std::uint64_t old = ~std::uint64_t{0};
    if (((ok >> lane) & 1) != 0) {
      const std::uint64_t b = operand(i->b, lane), c = operand(i->c, lane);
      const auto next = [&](std::uint64_t before) {
        return combine(operation, value, before, b, c, (i->flags & flushes) != 0);
      };
      old = bytes == 8   ? exchange_loop<std::uint64_t>(at[lane], next)
            : bytes == 4 ? exchange_loop<std::uint32_t>(at[lane], next)
                         : exchange_loop<std::uint16_t>(at[lane], next);
    }
    if ((i->flags & returns_old) == 0) continue;
    if (bytes == 8) {
      slots<std::uint64_t>(w, i->d)[lane] = old;
    } else {
      slots<std::uint32_t>(w, i->d)[lane] = static_cast<std::uint32_t>(old);
    }
  }
  if ((i->flags & returns_old) != 0) {
    const unsigned first = static_cast<unsigned>(__builtin_ctz(lanes));
    w->polled(i->index, address[first], operand(i->d, first));
  }
  if (w->observed) observe_value(w, i, address, ok, Access::atomic);
  return i + 1;
}

}  // namespace

Handlers apply() { return {&run_apply, &run_apply}; }

}  // namespace tilewright::emulator::atomics
