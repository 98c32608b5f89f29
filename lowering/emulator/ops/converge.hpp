// Instructions that several lanes must execute together (`.sync`). In the masked stream the handler
// first asks whether all named live lanes are here; if not, the scheduler gathers them and runs the
// instruction once for the union. In the full stream every lane is here by construction.
#pragma once

#include "emulator/access.hpp"
#include "emulator/ops/lanes.hpp"

namespace tilewright::emulator::TILEWRIGHT_VARIANT {

/// False: the handler must return null and is called again when `needed` have gathered.
TILEWRIGHT_INLINE bool gathered(const Instruction* i, Warp* w, u32 lanes, u32 needed) {
  if ((needed & w->live & ~lanes) == 0) return true;
  w->event = Event::converge;
  w->event_lanes = needed & w->live;
  w->event_present = lanes;
  w->pc = i->index;
  return false;
}

/// Lanes named by the member masks of the executing lanes.
TILEWRIGHT_INLINE u32 named(const u32* members, u32 lanes) {
  u32 result = 0;
  for (u32 left = lanes; left != 0; left &= left - 1) result |= members[__builtin_ctz(left)];
  return result;
}

}  // namespace tilewright::emulator::TILEWRIGHT_VARIANT
