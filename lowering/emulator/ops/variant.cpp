// The variants that were built, best first, and the choice among those this processor can run.
// CMake defines TILEWRIGHT_EMULATOR_AVX512 when the compiler could build the AVX-512 one, and
// TILEWRIGHT_EMULATOR_BASELINE_AVX2 when even the portable one was given AVX2 instructions.
#include "emulator/ops/variant.hpp"

#include <cstdlib>
#include <cstring>

#include "emulator/errors.hpp"
#include "tilewright/error.hpp"

namespace tilewright::emulator {

#define TILEWRIGHT_DECLARE_VARIANT(space)                                            \
  namespace space {                                                                  \
  Handlers integer(const Form& form);                                                \
  Handlers bitwise(const Form& form);                                                \
  Handlers real(const Form& form);                                                   \
  Handlers half(const Form& form);                                                   \
  Handlers approximate(const Form& form);                                            \
  Handlers compare(const Form& form);                                                \
  Handlers convert(Type to, Type from, const Form& f);                               \
  Handlers move(Move which);                                                         \
  Handlers memory(const MemoryForm& form);                                           \
  Handlers shuffle(const Form& form);                                                \
  Handlers matrix(const Form& form, unsigned count);                                 \
  Handlers mma(const Form& form);                                                    \
  Handlers mma_general(const Form& form);                                            \
  void leave();                                                                      \
  constexpr Variant made = {#space,       &integer, &bitwise, &real,        &half,   \
                            &approximate, &compare, &convert, &move,        &memory, \
                            &shuffle,     &matrix,  &mma,     &mma_general, &leave}; \
  }

TILEWRIGHT_DECLARE_VARIANT(portable)
#if defined(TILEWRIGHT_EMULATOR_AVX512)
TILEWRIGHT_DECLARE_VARIANT(avx512)
#endif

namespace {

bool runs_portable() {
#if defined(TILEWRIGHT_EMULATOR_BASELINE_AVX2)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

#if defined(TILEWRIGHT_EMULATOR_AVX512)
bool runs_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
}
#endif

}  // namespace

const Variant& choose_variant(const char* wanted, const Variant* (*find)(const char* name)) {
  if (wanted != nullptr && *wanted != '\0') {
    if (const Variant* found = find(wanted)) return *found;
    throw Error(errors::emulator["emulator-instructions-unknown"],
                "the emulator has no such instruction set here",
                {"TILEWRIGHT_EMULATOR_ISA", wanted, "portable, avx512", ""});
  }
  for (const char* name : {"avx512", "portable"}) {
    if (const Variant* found = find(name)) return *found;
  }
  throw Error(errors::emulator["emulator-processor-too-old"],
              "the emulator was built for processors with AVX2 and FMA; rebuild it with "
              "-DTILEWRIGHT_EMULATOR_BASELINE=\"\" to run here");
}

const Variant* find_variant(const char* name) {
#if defined(TILEWRIGHT_EMULATOR_AVX512)
  if (std::strcmp(name, "avx512") == 0 && runs_avx512()) return &avx512::made;
#endif
  if (std::strcmp(name, "portable") == 0 && runs_portable()) return &portable::made;
  return nullptr;
}

const Variant& variant() {
  static const Variant& chosen =
      choose_variant(std::getenv("TILEWRIGHT_EMULATOR_ISA"), find_variant);
  return chosen;
}

}  // namespace tilewright::emulator
