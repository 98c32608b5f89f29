// ld and st in every space. Addresses of the 32 lanes are computed and checked together (smallest,
// largest, alignment); only what fails goes to access.cpp, which finds the culprit. Destinations
// are written lane by lane, never through a temporary that is read back at once: that would stall.
#include "emulator/access.hpp"
#include "emulator/ops/bounds.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

/// Host address of every lane, and the lanes that may proceed.
struct Lanes {
  alignas(64) u64 at[32];
  u32 ok;
};

/// Generic addresses that all lie in one window: the usual case, without the detour through
/// access.cpp. Shared and global memory only when nobody watches. False: not settled here.
template <bool masked>
TILEWRIGHT_INLINE bool one_window(const Instruction* i, const Warp* w, const u64* address,
                                  u32 lanes, u32 bytes, Access access, Lanes& out) {
  const u64 first = address[masked ? __builtin_ctz(lanes) : 0];
  const u64 window = first >> window_shift << window_shift;
  const u64 end = window == local_window       ? w->local_bytes
                  : window == parameter_window ? w->block->state->parameter_bytes
                  : window == shared_window    ? w->shared_bytes
                                               : 0;
  if (end == 0) {
    const CachedRange& range = w->ranges[i->cache];
    if (w->observed || !inside<masked>(address, lanes, range.begin, range.end, bytes)) return false;
    TILEWRIGHT_LANES out.at[l] = address[l];
    return true;
  }
  const u64 begin = window == shared_window ? shared_base : 0;
  if (!inside<masked>(address, lanes, window + begin, window + end, bytes)) return false;
  if (window == local_window) {
    const u64 base = reinterpret_cast<u64>(w->local) - window, stride = w->local_bytes;
    TILEWRIGHT_LANES out.at[l] = base + stride * l + address[l];
    return true;
  }
  if (window == parameter_window ? access != Access::read : w->observed) return false;
  const void* memory = window == parameter_window ? w->parameters : w->shared;
  const u64 base = reinterpret_cast<u64>(memory) - window;
  TILEWRIGHT_LANES out.at[l] = base + address[l];
  return true;
}

/// What the lanes store, side by side, for the detectors.
void gather_values(const Instruction* i, Warp* w, u32 element, u8* out) {
  const u32 bytes = element * i->n;
  for (unsigned k = 0; k < i->n; ++k) {
    const u8* source = reg<u8>(w, i->list[k]);
    const u32 stride = element == 8 ? 8 : 4;
    for (unsigned l = 0; l < 32; ++l) {
      __builtin_memcpy(out + l * bytes + k * element, source + l * stride, element);
    }
  }
}

/// Address, check and observation. `element` bytes times `i->n` elements per lane.
template <Space space, bool narrow, bool masked>
TILEWRIGHT_INLINE void locate(const Instruction* i, Warp* w, u32 element, Access access,
                              Lanes& out) {
  const u32 bytes = element * i->n;
  const u32 lanes = active<masked>(i, w);
  out.ok = lanes;
  if (masked && lanes == 0) return;
  const u64 displacement = i->immediate;
  if constexpr (space == Space::global) {
    const u64* a = reg<u64>(w, i->a);
    TILEWRIGHT_LANES out.at[l] = a[l] + displacement;
    const CachedRange& range = w->ranges[i->cache];
    if (!inside<masked>(out.at, lanes, range.begin, range.end, bytes)) [[unlikely]] {
      out.ok = check_global(w, i, out.at, lanes, bytes, access);
    }
    if (w->observed) [[unlikely]] {
      u8 values[512];
      if (access == Access::write) gather_values(i, w, element, values);
      leave_vectors();
      observe_global(w, i, out.at, out.ok, bytes, access,
                     access == Access::write ? values : nullptr);
    }
  } else if constexpr (space == Space::shared || space == Space::local) {
    const u64 base = reinterpret_cast<u64>(space == Space::shared ? w->shared : w->local);
    const u32 small = u32(displacement);
    alignas(64) u32 offset[32];
    if constexpr (narrow) {
      const u32* a = reg<u32>(w, i->a);
      TILEWRIGHT_LANES offset[l] = a[l] + small;
    } else {
      const u64* a = reg<u64>(w, i->a);
      TILEWRIGHT_LANES offset[l] = u32(a[l]) + small;
    }
    const u32 first = space == Space::shared ? shared_base : 0;
    const u32 end = space == Space::shared ? w->shared_bytes : w->local_bytes;
    if (!inside<masked>(offset, lanes, first, end, bytes)) [[unlikely]] {
      out.ok = space == Space::shared ? check_shared(w, i, offset, lanes, bytes, access)
                                      : check_local(w, i, offset, lanes, bytes, access);
    }
    if constexpr (space == Space::shared) {
      TILEWRIGHT_LANES out.at[l] = base + offset[l];
      if (w->observed) [[unlikely]] {
        u8 values[512];
        if (access == Access::write) gather_values(i, w, element, values);
        leave_vectors();
        observe_shared(w, i, offset, out.ok, bytes, access,
                       access == Access::write ? values : nullptr);
      }
    } else {
      const u64 stride = w->local_bytes;
      TILEWRIGHT_LANES out.at[l] = base + stride * l + offset[l];
    }
  } else {
    alignas(64) u64 address[32];
    const u64* a = reg<u64>(w, i->a);
    TILEWRIGHT_LANES address[l] = a[l] + displacement;
    if (one_window<masked>(i, w, address, lanes, bytes, access, out)) [[likely]]
      return;
    u8 values[512];
    if (access == Access::write && w->observed) gather_values(i, w, element, values);
    out.ok =
        resolve_generic(w, i, address, lanes, bytes, access,
                        access == Access::write ? values : nullptr, reinterpret_cast<u8**>(out.at));
  }
}

template <class T>
TILEWRIGHT_INLINE T read(u64 at) {
  T value;
  __builtin_memcpy(&value, reinterpret_cast<const void*>(at), sizeof value);
  return value;
}

/// Lanes next to each other in memory, in order: one copy of 32 elements.
template <class T>
TILEWRIGHT_INLINE bool contiguous(const u64* at) {
  u64 differs = 0;
  for (unsigned l = 0; l < 32; ++l) differs |= (at[l] - at[0]) ^ (u64{l} * sizeof(T));
  return differs == 0;
}

template <class T, Space space, bool narrow>
struct Load {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    Lanes lanes;
    locate<space, narrow, masked>(i, w, sizeof(T), Access::read, lanes);
    const unsigned count = i->n;
    if (!masked && lanes.ok == all_lanes) [[likely]] {
      if (sizeof(T) >= 4 && count == 1 && contiguous<T>(lanes.at)) {
        __builtin_memcpy(reg<Slot>(w, i->list[0]), reinterpret_cast<const void*>(lanes.at[0]),
                         32 * sizeof(T));
        return i + 1;
      }
      for (unsigned k = 0; k < count; ++k) {
        Slot* d = reg<Slot>(w, i->list[k]);
        for (unsigned l = 0; l < 32; ++l) {
          d[l] = View<T>::put(read<T>(lanes.at[l] + k * sizeof(T)));
        }
      }
      return i + 1;
    }
    const u32 wanted = active<masked>(i, w);
    for (unsigned k = 0; k < count; ++k) {
      Slot* d = reg<Slot>(w, i->list[k]);
      for (u32 left = lanes.ok; left != 0; left &= left - 1) {
        const unsigned l = unsigned(__builtin_ctz(left));
        d[l] = View<T>::put(read<T>(lanes.at[l] + k * sizeof(T)));
      }
      for (u32 left = wanted & ~lanes.ok; left != 0; left &= left - 1) {
        d[__builtin_ctz(left)] = Slot(~Slot{0});  // poison: a NaN, or minus one
      }
    }
    return i + 1;
  }
};

template <class T, Space space, bool narrow>
struct Store {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    using Slot = typename View<T>::Slot;
    Lanes lanes;
    locate<space, narrow, masked>(i, w, sizeof(T), Access::write, lanes);
    const unsigned count = i->n;
    if (!masked && lanes.ok == all_lanes && sizeof(T) >= 4 && count == 1 &&
        contiguous<T>(lanes.at)) {
      __builtin_memcpy(reinterpret_cast<void*>(lanes.at[0]), reg<Slot>(w, i->list[0]),
                       32 * sizeof(T));
      return i + 1;
    }
    for (unsigned k = 0; k < count; ++k) {
      const Slot* s = reg<Slot>(w, i->list[k]);
      if (!masked && lanes.ok == all_lanes) {
        for (unsigned l = 0; l < 32; ++l) {
          const T value = View<T>::get(s[l]);
          __builtin_memcpy(reinterpret_cast<void*>(lanes.at[l] + k * sizeof(T)), &value, sizeof(T));
        }
        continue;
      }
      for (u32 left = lanes.ok; left != 0; left &= left - 1) {
        const unsigned l = unsigned(__builtin_ctz(left));
        const T value = View<T>::get(s[l]);
        __builtin_memcpy(reinterpret_cast<void*>(lanes.at[l] + k * sizeof(T)), &value, sizeof(T));
      }
    }
    return i + 1;
  }
};

template <template <class, Space, bool> class Shape, class T>
Handlers in_space(const MemoryForm& form) {
  switch (form.space) {
    case Space::generic: return handlers<Shape<T, Space::generic, false>>();
    case Space::shared:
      return form.narrow_address ? handlers<Shape<T, Space::shared, true>>()
                                 : handlers<Shape<T, Space::shared, false>>();
    case Space::local:
      return form.narrow_address ? handlers<Shape<T, Space::local, true>>()
                                 : handlers<Shape<T, Space::local, false>>();
    default: return handlers<Shape<T, Space::global, false>>();
  }
}

}  // namespace

Handlers memory(const MemoryForm& form) {
  if (form.store) {
    switch (form.bytes) {
      case 1: return in_space<Store, u8>(form);
      case 2: return in_space<Store, u16>(form);
      case 4: return in_space<Store, u32>(form);
      default: return in_space<Store, u64>(form);
    }
  }
  switch (form.bytes) {
    case 1: return form.sign ? in_space<Load, s8>(form) : in_space<Load, u8>(form);
    case 2: return form.sign ? in_space<Load, s16>(form) : in_space<Load, u16>(form);
    case 4: return in_space<Load, u32>(form);
    default: return in_space<Load, u64>(form);
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
