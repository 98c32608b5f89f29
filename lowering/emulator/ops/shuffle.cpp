// Exchanges between the lanes of a warp: shfl, vote, match, redux, elect, activemask.
// `list[0]` is the member mask register. Lanes may name different masks (two half warps at one
// instruction); each lane's result then uses its own.
#include "emulator/ops/converge.hpp"
#include "emulator/ops/selection.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {
namespace {

enum class Pattern { butterfly, index, up, down };

#if defined(__AVX512F__)
/// bfly and idx over all lanes: source lanes and the permutation in registers.
template <Pattern pattern>
TILEWRIGHT_INLINE u32 permute_all(const u32* a, const u32* b, const u32* c, u32* t) {
  const __m512i low = _mm512_load_si512(a), high = _mm512_load_si512(a + 16);
  const __m512i ones = _mm512_set1_epi32(31);
  u32 valid = 0;
  for (unsigned part = 0; part < 2; ++part) {
    const __m512i lane =
        _mm512_add_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(int(16 * part)));
    const __m512i amount = _mm512_and_si512(_mm512_load_si512(b + 16 * part), ones);
    const __m512i control = _mm512_load_si512(c + 16 * part);
    const __m512i segment = _mm512_and_si512(_mm512_srli_epi32(control, 8), ones);
    const __m512i first = _mm512_and_si512(lane, segment);
    const __m512i last =
        _mm512_or_si512(first, _mm512_andnot_si512(segment, _mm512_and_si512(control, ones)));
    __m512i source = pattern == Pattern::butterfly
                         ? _mm512_xor_si512(lane, amount)
                         : _mm512_or_si512(first, _mm512_andnot_si512(segment, amount));
    const __mmask16 outside = _mm512_cmpgt_epi32_mask(source, last);
    valid |= u32(u16(~outside)) << (16 * part);
    source = _mm512_mask_mov_epi32(source, outside, lane);
    _mm512_store_si512(t + 16 * part, _mm512_permutex2var_epi32(low, source, high));
  }
  return valid;
}
#endif

/// Source lane of every lane; bit l of the result: it is inside the segment.
template <Pattern pattern>
TILEWRIGHT_INLINE u32 sources(const u32* b, const u32* c, u32* source) {
  alignas(64) u32 valid[32];
  TILEWRIGHT_LANES {
    const s32 lane = s32(l), amount = s32(b[l] & 31);
    const s32 segment = s32((c[l] >> 8) & 31), clamp = s32(c[l] & 31);
    const s32 first = lane & segment, last = first | (clamp & ~segment);
    s32 from = lane;
    bool inside = false;
    if constexpr (pattern == Pattern::butterfly) from = lane ^ amount, inside = from <= last;
    if constexpr (pattern == Pattern::index)
      from = first | (amount & ~segment), inside = from <= last;
    // For `up` the clamp field bounds the segment from below.
    if constexpr (pattern == Pattern::up) from = lane - amount, inside = from >= last;
    if constexpr (pattern == Pattern::down) from = lane + amount, inside = from <= last;
    source[l] = u32(inside ? from : lane) & 31;
    valid[l] = inside ? ~0u : 0u;
  }
  return mask_of(valid);
}

template <Pattern pattern>
struct Shuffle {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 lanes = active<masked>(i, w);
    if constexpr (masked) {
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, named(reg<u32>(w, i->list[0]), lanes))) return nullptr;
    }
    if (w->observed) [[unlikely]]
      observe_warp_sync(w, lanes);
    const u32 *a = reg<u32>(w, i->a), *b = reg<u32>(w, i->b), *c = reg<u32>(w, i->c);
    alignas(64) u32 t[32];
    u32 valid = 0;
#if defined(__AVX512F__)
    if constexpr (!masked && (pattern == Pattern::butterfly || pattern == Pattern::index)) {
      valid = permute_all<pattern>(a, b, c, t);
    } else
#endif
    {
      alignas(64) u32 source[32];
      valid = sources<pattern>(b, c, source);
      for (unsigned l = 0; l < 32; ++l) t[l] = a[source[l]];
      if constexpr (masked) {
        for (u32 left = lanes; left != 0; left &= left - 1) {
          const unsigned l = unsigned(__builtin_ctz(left));
          if (((lanes >> source[l]) & 1) != 0) continue;
          t[l] = ~0u;
          report_inactive_source(w, i, l, source[l]);
        }
      }
    }
    write<masked>(i, w, i->d, t);
    if (i->e != sink_predicate) set_predicate(w, i->e, valid, lanes);
    return next<masked>(i, w);
  }
};

enum class Vote { ballot, any, all, uniform };

/// a: predicate, flags 1: inverted; d: register (ballot) or predicate.
template <Vote vote>
struct Voting {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 lanes = active<masked>(i, w);
    const u32* members = reg<u32>(w, i->list[0]);
    if constexpr (masked) {
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, named(members, lanes))) return nullptr;
    }
    if (w->observed) [[unlikely]]
      observe_warp_sync(w, lanes);
    u32 votes = w->predicates[i->a];
    if ((i->flags & 1) != 0) votes = ~votes;
    votes &= lanes;
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES {
      const u32 mine = members[l] & lanes, yes = votes & mine;
      if (vote == Vote::ballot) t[l] = yes;
      if (vote == Vote::any) t[l] = yes != 0 ? ~0u : 0;
      if (vote == Vote::all) t[l] = yes == mine ? ~0u : 0;
      if (vote == Vote::uniform) t[l] = yes == 0 || yes == mine ? ~0u : 0;
    }
    if constexpr (vote == Vote::ballot) {
      write<masked>(i, w, i->d, t);
    } else {
      set_predicate(w, i->d, mask_of(t), lanes);
    }
    return next<masked>(i, w);
  }
};

struct ActiveMask {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    alignas(64) u32 t[32];
    TILEWRIGHT_LANES t[l] = w->mask;
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// elect.sync d|e: the lowest member lane leads.
struct Elect {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 lanes = active<masked>(i, w);
    const u32* members = reg<u32>(w, i->list[0]);
    if constexpr (masked) {
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, named(members, lanes))) return nullptr;
    }
    alignas(64) u32 t[32];
    u32 leads = 0;
    for (unsigned l = 0; l < 32; ++l) {
      const u32 mine = members[l] & lanes;
      t[l] = mine == 0 ? 0 : u32(__builtin_ctz(mine));
      leads |= u32{mine != 0 && t[l] == l} << l;
    }
    write<masked>(i, w, i->d, t);
    set_predicate(w, i->e, leads, lanes);
    return next<masked>(i, w);
  }
};

/// n: 0 add, 1 min, 2 max, 3 and, 4 or, 5 xor; flags 1: signed.
struct Reduce {
  TILEWRIGHT_INLINE u32 combine(u32 x, u32 y, u32 operation, bool sign) {
    switch (operation) {
      case 0: return x + y;
      case 1: return sign ? u32(s32(x) < s32(y) ? s32(x) : s32(y)) : (x < y ? x : y);
      case 2: return sign ? u32(s32(x) > s32(y) ? s32(x) : s32(y)) : (x > y ? x : y);
      case 3: return x & y;
      case 4: return x | y;
      default: return x ^ y;
    }
  }
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 lanes = active<masked>(i, w);
    const u32 *a = reg<u32>(w, i->a), *members = reg<u32>(w, i->list[0]);
    if constexpr (masked) {
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, named(members, lanes))) return nullptr;
    }
    if (w->observed) [[unlikely]]
      observe_warp_sync(w, lanes);
    alignas(64) u32 t[32] = {};
    u32 done = 0;
    for (u32 left = lanes; left != 0; left &= ~done) {
      const u32 mine = members[__builtin_ctz(left)] & lanes;
      u32 result = 0;
      bool first = true;
      for (u32 each = mine; each != 0; each &= each - 1) {
        const u32 value = a[__builtin_ctz(each)];
        result = first ? value : combine(result, value, i->n, (i->flags & 1) != 0);
        first = false;
      }
      for (u32 each = left; each != 0; each &= each - 1) {
        const unsigned l = unsigned(__builtin_ctz(each));
        if ((members[l] & lanes) == mine) t[l] = result, done |= 1u << l;
      }
    }
    write<masked>(i, w, i->d, t);
    return next<masked>(i, w);
  }
};

/// match.any / match.all (flags 1, e: whether all agree) of 32 or 64 bits.
template <class T>
struct Match {
  template <bool masked>
  static const Instruction* run(const Instruction* i, Warp* w) {
    const u32 lanes = active<masked>(i, w);
    const T* a = reg<T>(w, i->a);
    const u32* members = reg<u32>(w, i->list[0]);
    if constexpr (masked) {
      if (lanes == 0) return i + 1;
      if (!gathered(i, w, lanes, named(members, lanes))) return nullptr;
    }
    if (w->observed) [[unlikely]]
      observe_warp_sync(w, lanes);
    alignas(64) u32 t[32];
    u32 agree = 0;
    for (unsigned l = 0; l < 32; ++l) {
      const u32 mine = members[l] & lanes;
      u32 equal = 0;
      for (u32 each = mine; each != 0; each &= each - 1) {
        const u32 bit = each & (0u - each);
        if (a[__builtin_ctz(each)] == a[l]) equal |= bit;
      }
      const bool all = equal == mine;
      t[l] = (i->flags & 1) != 0 ? (all ? mine : 0) : equal;
      agree |= u32{all} << l;
    }
    write<masked>(i, w, i->d, t);
    if (i->e != sink_predicate) set_predicate(w, i->e, agree, lanes);
    return next<masked>(i, w);
  }
};

}  // namespace

Handlers shuffle(const Form& form) {
  switch (form.opcode) {
    case Opcode::shfl:
      if (form.has(Modifier::bfly)) return handlers<Shuffle<Pattern::butterfly>>();
      if (form.has(Modifier::idx)) return handlers<Shuffle<Pattern::index>>();
      if (form.has(Modifier::up)) return handlers<Shuffle<Pattern::up>>();
      return form.has(Modifier::down) ? handlers<Shuffle<Pattern::down>>() : Handlers{};
    case Opcode::vote:
      if (form.has(Modifier::ballot)) return handlers<Voting<Vote::ballot>>();
      if (form.has(Modifier::any)) return handlers<Voting<Vote::any>>();
      if (form.has(Modifier::all)) return handlers<Voting<Vote::all>>();
      return form.has(Modifier::uni) ? handlers<Voting<Vote::uniform>>() : Handlers{};
    case Opcode::activemask: return handlers<ActiveMask>();
    case Opcode::elect: return handlers<Elect>();
    case Opcode::redux: return handlers<Reduce>();
    case Opcode::match:
      return bytes_of(form.last()) == 8 ? handlers<Match<u64>>() : handlers<Match<u32>>();
    default: return {};
  }
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
