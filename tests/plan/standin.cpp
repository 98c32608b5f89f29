// A stand-in for the driver: every function the run time needs, doing nothing but count. The few
// that must answer something are in standin_answers.cpp and take the place of the weak ones here.
#include <cuda.h>

#include <cstddef>
#include <cstring>

#include "runtime/driver_functions.hpp"

namespace {

enum Call {
#define NUMBER(member, symbol, ...) call_##member,
  TILEWRIGHT_DRIVER_FUNCTIONS(NUMBER)
#undef NUMBER
      calls
};
unsigned long counts[calls];

}  // namespace

#define STAND_IN(member, symbol, ...)                                                      \
  extern "C" __attribute__((weak)) CUresult standin_##member(__VA_ARGS__) __asm__(symbol); \
  CUresult standin_##member(__VA_ARGS__) {                                                 \
    ++counts[call_##member];                                                               \
    return CUDA_SUCCESS;                                                                   \
  }
TILEWRIGHT_DRIVER_FUNCTIONS(STAND_IN)

/// Calls of the counted functions so far; of all but launches and questions about the context when
/// `launches` is 0.
extern "C" unsigned long standin_calls(int launches) {
  unsigned long sum = 0;
  for (int i = 0; i < calls; ++i) {
    const bool launch = i == call_launch_kernel || i == call_fill_bytes_async;
    if (launch ? launches != 0 : launches == 0 && i != call_context_get_current) sum += counts[i];
  }
  return sum;
}
