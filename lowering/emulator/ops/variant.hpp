// The vector handlers of one instruction set, found by what they do. The same sources are compiled
// for each set (see CMakeLists.txt); variant.cpp picks one when the first module is loaded.
// Each function returns an empty pair for a form it does not know, which the decoder refuses.
#pragma once

#include "emulator/instruction.hpp"
#include "emulator/ptx_ir.hpp"

namespace tilewright::emulator {

/// Small moves between registers that several instructions are made of.
enum class Move : std::uint8_t {
  copy_narrow,     ///< d = a, 32-bit slots
  copy_wide,       ///< d = a, 64-bit slots
  copy_predicate,  ///< predicate d = a
  widen_unsigned,  ///< 64-bit d = zero-extended 32-bit a
  widen_signed,    ///< 64-bit d = sign-extended 32-bit a
  narrow,          ///< 32-bit d = low half of 64-bit a
  pack_16,         ///< 32-bit d = list[0] | list[1] << 16
  unpack_16,       ///< list[0], list[1] = halves of 32-bit a
  pack_32,         ///< 64-bit d = list[0] | list[1] << 32
  unpack_32,       ///< list[0], list[1] = halves of 64-bit a
  pack_4x16,       ///< 64-bit d from four 16-bit elements
  unpack_4x16,     ///< the inverse
  pack_bytes,      ///< 32-bit d from four bytes; n = 2: 16-bit from two
  unpack_bytes,    ///< the inverse
  or_wide,         ///< 64-bit d = (a & mask) | immediate; the mask keeps 32 bits when flags is 1
  in_window,       ///< predicate d = (64-bit a >> 56) == immediate
  flush_narrow,    ///< d = a with subnormal f32 values made zero
  saturate_f32,    ///< d = a clamped to [0, 1], NaN to 0
  saturate_f64,
  saturate_f16,  ///< flags: 1 bfloat16, 2 both halves
  relu_f16,      ///< d = max(a, 0), NaN stays; flags as above
};

struct MemoryForm {
  Space space = Space::generic;
  bool store = false;
  bool narrow_address = false;  ///< the address register has 32 bits
  unsigned bytes = 4;           ///< of one element
  bool sign = false;            ///< loads of 1 or 2 bytes extend the sign
};

struct Variant {
  const char* name;
  Handlers (*integer)(const Form&);
  Handlers (*bitwise)(const Form&);
  Handlers (*real)(const Form&);
  Handlers (*half)(const Form&);
  Handlers (*approximate)(const Form&);
  Handlers (*compare)(const Form&);
  Handlers (*convert)(Type to, Type from, const Form&);
  Handlers (*move)(Move);
  Handlers (*memory)(const MemoryForm&);
  Handlers (*shuffle)(const Form&);
  Handlers (*matrix)(const Form&, unsigned count);
  Handlers (*mma)(const Form&);
  Handlers (*mma_general)(const Form&);
  void (*leave)();  ///< to be called between handlers and code compiled for any processor
};

/// The fastest this processor can run. Throws tilewright::Error (missing) when it can run none.
/// TILEWRIGHT_EMULATOR_ISA=portable in the environment chooses the slow one, for tests.
const Variant& variant();
/// The wanted one, or without a wish (null or empty) the best that `find` has. Throws Error:
/// invalid_argument for a wish that `find` does not have, missing where it has none at all.
const Variant& choose_variant(const char* wanted, const Variant* (*find)(const char* name));
const Variant* find_variant(const char* name);  ///< null when not built or not runnable here

}  // namespace tilewright::emulator
