// Whether 32 addresses lie inside a window and are aligned, asked by every memory instruction.
// With AVX-512 each vector of addresses is compared once and the answers are masks; elsewhere the
// smallest, the largest and the union of the bits are compared at the end.
// ops/memory.cpp and ops/matrix.cpp ask; access.cpp finds the culprit when the answer is no.
#pragma once

#include "emulator/ops/lanes.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

#if defined(__AVX512F__)
/// Lanes of one vector that are outside [begin, begin + span] or not aligned.
TILEWRIGHT_INLINE u32 outside(const u64* at, u64 begin, u64 span, u32 bytes) {
  const __m512i address = _mm512_load_si512(at);
  const __m512i from_begin = _mm512_sub_epi64(address, _mm512_set1_epi64(s64(begin)));
  return u32(_mm512_cmpgt_epu64_mask(from_begin, _mm512_set1_epi64(s64(span)))) |
         u32(_mm512_test_epi64_mask(address, _mm512_set1_epi64(s64(u64{bytes} - 1))));
}
TILEWRIGHT_INLINE u32 outside(const u32* at, u32 begin, u32 span, u32 bytes) {
  const __m512i address = _mm512_load_si512(at);
  const __m512i from_begin = _mm512_sub_epi32(address, _mm512_set1_epi32(s32(begin)));
  return u32(_mm512_cmpgt_epu32_mask(from_begin, _mm512_set1_epi32(s32(span)))) |
         u32(_mm512_test_epi32_mask(address, _mm512_set1_epi32(s32(bytes - 1))));
}
#endif

/// Whether [address, address + bytes) is inside [begin, end) and a multiple of `bytes`, a power of
/// two, for all of `lanes`. `at` holds 32 addresses, aligned to 64 bytes; T is u32 or u64.
template <bool masked, class T>
TILEWRIGHT_INLINE bool inside(const T* at, u32 lanes, T begin, T end, u32 bytes) {
  if (end < begin || end - begin < bytes) return false;
  const T span = end - begin - bytes;
#if defined(__AVX512F__)
  constexpr unsigned step = 64 / sizeof(T);
  u32 bad = 0;
  for (unsigned l = 0; l < 32; l += step) bad |= outside(at + l, begin, span, bytes) << l;
  return (masked ? bad & lanes : bad) == 0;
#else
  T low = ~T{0}, high = 0, crooked = 0;
  if constexpr (!masked) {
    (void)lanes;
    for (unsigned l = 0; l < 32; ++l) {
      low = at[l] < low ? at[l] : low;
      high = at[l] > high ? at[l] : high;
      crooked |= at[l];
    }
  } else {
    for (u32 left = lanes; left != 0; left &= left - 1) {
      const T value = at[__builtin_ctz(left)];
      low = value < low ? value : low;
      high = value > high ? value : high;
      crooked |= value;
    }
  }
  return low >= begin && high <= begin + span && (crooked & (bytes - 1)) == 0;
#endif
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
