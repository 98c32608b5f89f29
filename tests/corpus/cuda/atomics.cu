// Every atomic: add, min, max, and, or, xor, inc, dec, exch, cas; 32 and 64 bits, f32, f64, f16,
// bf16 and their pairs; in global and shared memory, with block and system scope; and a lock.
// Oracle: the order does not matter for what is checked, in corpus_atomics.cpp.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
typedef unsigned long long u64;

extern "C" __global__ void integers(const int* x, int* out, unsigned* unsigned_out, u64* wide_out) {
  const int value = x[blockIdx.x * blockDim.x + threadIdx.x];
  const u64 wide = (u64)(unsigned)value * 0x100000001ull;
  atomicAdd(&out[0], value);
  atomicSub(&out[1], value);
  atomicMin(&out[2], value);
  atomicMax(&out[3], value);
  atomicAnd(&out[4], value);
  atomicOr(&out[5], value);
  atomicXor(&out[6], value);
  atomicAdd_block(&out[7 + blockIdx.x], 1);
  atomicMin(&unsigned_out[0], (unsigned)value);
  atomicMax(&unsigned_out[1], (unsigned)value);
  atomicInc(&unsigned_out[2], 99u);
  atomicDec(&unsigned_out[3], 99u);
  atomicAdd_system(&unsigned_out[4], 2u);
  atomicAdd(&wide_out[0], wide);
  atomicMin(&wide_out[1], wide);
  atomicMax(&wide_out[2], wide);
  atomicAnd(&wide_out[3], wide);
  atomicOr(&wide_out[4], wide);
  atomicXor(&wide_out[5], wide);
  atomicMin((long long*)&wide_out[6], (long long)value << 32);
  atomicMax((long long*)&wide_out[7], (long long)value << 32);
}

extern "C" __global__ void reals(const float* x, float* f32, double* f64, __half* f16,
                                 __half2* f16x2, __nv_bfloat162* bf16x2, __nv_bfloat16* bf16) {
  const float value = x[blockIdx.x * blockDim.x + threadIdx.x];
  atomicAdd(f32, value);
  atomicAdd(f64, (double)value);
  atomicAdd(f16, __float2half(1.0f));
  atomicAdd(f16x2, __floats2half2_rn(1.0f, 2.0f));
  atomicAdd(bf16x2, __floats2bfloat162_rn(1.0f, -1.0f));
  atomicAdd(bf16, __float2bfloat16(1.0f));
}

extern "C" __global__ void shared_atomics(const int* x, u64* out) {
  __shared__ int sum, least, most;
  __shared__ u64 wide;
  __shared__ float real;
  __shared__ double real_wide;
  __shared__ unsigned turns;
  __shared__ __half2 halves;
  if (threadIdx.x == 0) {
    sum = 0, least = 0x7fffffff, most = -0x7fffffff, wide = 0, real = 0, real_wide = 0, turns = 0;
    halves = __floats2half2_rn(0, 0);
  }
  __syncthreads();
  const int value = x[threadIdx.x];
  atomicAdd(&sum, value);
  atomicMin(&least, value);
  atomicMax_block(&most, value);
  atomicAdd(&wide, (u64)value << 20);
  atomicAdd(&real, 0.5f);
  atomicAdd(&real_wide, 0.25);
  atomicInc(&turns, 1000u);
  atomicAdd(&halves, __floats2half2_rn(1.0f, 2.0f));
  __syncthreads();
  if (threadIdx.x == 0) {
    out[0] = (u64)(long long)sum;
    out[1] = (u64)(long long)least;
    out[2] = (u64)(long long)most;
    out[3] = wide;
    out[4] = (u64)real;
    out[5] = (u64)(real_wide * 4);
    out[6] = turns;
    out[7] = (u64)__low2float(halves) << 32 | (u64)__high2float(halves);
  }
}

/// A multiplication, which no atomic does, by compare and swap; and the values that were swapped.
extern "C" __global__ void swaps(int* product, u64* maximum, int* taken) {
  int old = *(volatile int*)product, seen;
  do {
    seen = old;
    old = atomicCAS(product, seen, seen * 3 + 1);
  } while (old != seen);
  u64 wide_old = *(volatile u64*)maximum, wide_seen;
  do {
    wide_seen = wide_old;
    wide_old = atomicCAS(maximum, wide_seen, wide_seen * 5 + 1);
  } while (wide_old != wide_seen);
  const int slot = blockIdx.x * blockDim.x + threadIdx.x;
  taken[1 + slot] = atomicExch(taken, slot + 1);
}

/// A lock per block's leader around plain accesses, ordered by fences alone.
extern "C" __global__ void locked(int* lock, int* counter, int rounds) {
  if (threadIdx.x != 0) return;
  for (int k = 0; k < rounds; ++k) {
    while (atomicCAS(lock, 0, 1) != 0) {}
    __threadfence();
    *counter = *counter * 2 % 1000003 + 1;
    __threadfence();
    atomicExch(lock, 0);
  }
}

/// The last block to finish adds up what all blocks stored.
extern "C" __global__ void last_block(const float* x, float* partial, unsigned* arrived,
                                      float* out) {
  __shared__ float sums[4];
  __shared__ bool last;
  float value = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sums[0] + sums[1] + sums[2] + sums[3];
    __threadfence();
    last = atomicInc(arrived, gridDim.x - 1) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float sum = 0;
    for (int b = 0; b < gridDim.x; ++b) sum += partial[b];
    *out = sum;
  }
}
