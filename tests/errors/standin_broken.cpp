// A driver that is installed and does not start, as one that does not match its kernel module.
#include <cuda.h>

extern "C" CUresult standin_init(unsigned) __asm__("cuInit");
CUresult standin_init(unsigned) { return CUDA_ERROR_SYSTEM_DRIVER_MISMATCH; }
