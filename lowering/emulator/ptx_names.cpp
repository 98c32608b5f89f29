// The spellings of ptx_names.hpp as look-up tables. One hash map per kind of word, filled from the
// same lists that define the enumerations, so a word cannot be known to one and not to the other.
#include "emulator/ptx_names.hpp"

#include <string>
#include <unordered_map>

namespace tilewright::emulator {
namespace {

template <class Value>
using Words = std::unordered_map<std::string_view, Value>;

template <class Value>
std::optional<Value> look_up(const Words<Value>& words, std::string_view word) {
  const auto found = words.find(word);
  if (found == words.end()) return std::nullopt;
  return found->second;
}

const Words<Opcode>& opcodes() {
  static const Words<Opcode> words = [] {
    Words<Opcode> made;
#define X(name, writes)                                                        \
  {                                                                            \
    std::string_view word = #name;                                             \
    if (word.back() == '_') word.remove_suffix(1); /* and_, or_, xor_, not_ */ \
    made.emplace(word, Opcode::name);                                          \
  }
    TILEWRIGHT_PTX_OPCODES(X)
#undef X
    return made;
  }();
  return words;
}

constexpr std::string_view modifier_texts[] = {
#define X(name, text) text,
    TILEWRIGHT_PTX_MODIFIERS(X)
#undef X
};

const Words<Modifier>& modifiers() {
  static const Words<Modifier> words = [] {
    Words<Modifier> made;
    for (unsigned i = 0; i < static_cast<unsigned>(Modifier::count); ++i) {
      made.emplace(modifier_texts[i], static_cast<Modifier>(i));
    }
    return made;
  }();
  return words;
}

const Words<Type>& types() {
  static const Words<Type> words = {
#define X(name, text, bytes) {text, Type::name},
      TILEWRIGHT_PTX_TYPES(X)
#undef X
  };
  return words;
}

const Words<SpecialRegister>& specials() {
  using S = SpecialRegister;
  static const Words<SpecialRegister> words = {
      {"%tid.x", S::tid_x},
      {"%tid.y", S::tid_y},
      {"%tid.z", S::tid_z},
      {"%tid.w", S::zero},
      {"%ntid.x", S::ntid_x},
      {"%ntid.y", S::ntid_y},
      {"%ntid.z", S::ntid_z},
      {"%ctaid.x", S::ctaid_x},
      {"%ctaid.y", S::ctaid_y},
      {"%ctaid.z", S::ctaid_z},
      {"%nctaid.x", S::nctaid_x},
      {"%nctaid.y", S::nctaid_y},
      {"%nctaid.z", S::nctaid_z},
      {"%laneid", S::laneid},
      {"%warpid", S::warpid},
      {"%nwarpid", S::nwarpid},
      {"%smid", S::smid},
      {"%nsmid", S::nsmid},
      {"%gridid", S::gridid},
      {"%clock", S::clock},
      {"%clock_hi", S::clock_hi},
      {"%clock64", S::clock64},
      {"%globaltimer", S::globaltimer},
      {"%globaltimer_lo", S::globaltimer_lo},
      {"%globaltimer_hi", S::globaltimer_hi},
      {"%lanemask_eq", S::lanemask_eq},
      {"%lanemask_le", S::lanemask_le},
      {"%lanemask_lt", S::lanemask_lt},
      {"%lanemask_ge", S::lanemask_ge},
      {"%lanemask_gt", S::lanemask_gt},
      {"%dynamic_smem_size", S::dynamic_smem_size},
      {"%total_smem_size", S::total_smem_size},
      {"WARP_SZ", S::warp_size},
  };
  return words;
}

constexpr bool writes[] = {
#define X(name, first) (first) != 0,
    TILEWRIGHT_PTX_OPCODES(X)
#undef X
};

constexpr unsigned type_bytes[] = {0,
#define X(name, text, bytes) bytes,
                                   TILEWRIGHT_PTX_TYPES(X)
#undef X
};

}  // namespace

std::optional<Modifier> ModifierSet::outside(const ModifierSet& allowed) const {
  for (unsigned i = 0; i < 3; ++i) {
    const std::uint64_t extra = words_[i] & ~allowed.words_[i];
    if (extra != 0)
      return static_cast<Modifier>(64 * i + static_cast<unsigned>(__builtin_ctzll(extra)));
  }
  return std::nullopt;
}

std::optional<Opcode> find_opcode(std::string_view word) { return look_up(opcodes(), word); }
std::optional<Modifier> find_modifier(std::string_view word) { return look_up(modifiers(), word); }
std::optional<Type> find_type(std::string_view word) { return look_up(types(), word); }
std::optional<SpecialRegister> find_special(std::string_view word) {
  return look_up(specials(), word);
}
std::string_view spelling(Modifier modifier) {
  return modifier_texts[static_cast<unsigned>(modifier)];
}
bool writes_first_operand(Opcode opcode) { return writes[static_cast<unsigned>(opcode)]; }
unsigned bytes_of(Type type) { return type_bytes[static_cast<unsigned>(type)]; }

}  // namespace tilewright::emulator
