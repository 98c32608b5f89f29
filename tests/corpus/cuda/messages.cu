// printf and assert from a kernel: every conversion CUDA's printf knows, and an assertion that some
// launches fail. Oracle: the host's printf, in corpus_messages.cpp.
#include <cassert>
#include <cstdio>

extern "C" __global__ void messages(const int* x) {
  const int value = x[threadIdx.x];
  if (threadIdx.x < 3) printf("thread %d of block %u\n", threadIdx.x, blockIdx.x);
  if (threadIdx.x == 0) {
    printf("%5d|%-6i|%+d|%06d|% d\n", value, value, value, value, value);
    printf("%u %x %X %#x %o %c %%\n", value, value, value, value, value, 'A' + value % 26);
    printf("%lld %llu %llx %hd %ld\n", (long long)value << 33, 1ull << 63, 0xabcdef0123456789ull,
           (short)value, (long)value);
    printf("%f %.3f %10.2e %g %G\n", value * 0.5, 3.14159265, 12345.678, 1e-7, 1e20);
    printf("%s and %8s and %-8s|\n", "plain", "right", "left");
    printf("%*d %.*f\n", 7, value, 2, 2.71828);
    printf("no arguments\n");
  }
}

extern "C" __global__ void checked(const int* x, int* out, int limit) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  assert(x[i] < limit);
  out[i] = x[i] + 1;
}
