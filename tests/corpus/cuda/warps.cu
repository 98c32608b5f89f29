// Warp-synchronous code: votes, matches, integer reductions, every kind of shuffle, segments of a
// warp, partial member masks, and lanes that communicate through shared memory with __syncwarp.
// Oracle: each lane's result from its definition, in corpus_warps.cpp.
extern "C" __global__ void votes(const int* x, unsigned* out) {
  const int value = x[threadIdx.x];
  unsigned* mine = out + 8 * threadIdx.x;
  mine[0] = __ballot_sync(0xffffffffu, value > 0);
  mine[1] = __any_sync(0xffffffffu, value > 100);
  mine[2] = __all_sync(0xffffffffu, value > -100);
  int same;
  mine[3] = __match_any_sync(0xffffffffu, value);
  mine[4] = __match_all_sync(0xffffffffu, value / 1000, &same);
  mine[5] = same;
  mine[6] = __match_any_sync(0xffffffffu, (long long)value << 33);
  mine[7] = threadIdx.x % 3 == 0 ? __activemask() : 0;
}

extern "C" __global__ void reductions(const int* x, int* out) {
  const int value = x[threadIdx.x];
  const unsigned half = threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
  int* mine = out + 8 * threadIdx.x;
  mine[0] = __reduce_add_sync(0xffffffffu, value);
  mine[1] = __reduce_min_sync(0xffffffffu, value);
  mine[2] = __reduce_max_sync(half, value);
  mine[3] = __reduce_min_sync(half, (unsigned)value);
  mine[4] = __reduce_max_sync(0xffffffffu, (unsigned)value);
  mine[5] = __reduce_and_sync(half, (unsigned)value);
  mine[6] = __reduce_or_sync(0xffffffffu, (unsigned)value);
  mine[7] = __reduce_xor_sync(0xffffffffu, (unsigned)value);
}

extern "C" __global__ void shuffles(const int* x, int* out) {
  const int value = x[threadIdx.x], lane = threadIdx.x % 32;
  int* mine = out + 8 * threadIdx.x;
  mine[0] = __shfl_sync(0xffffffffu, value, 5);
  mine[1] = __shfl_sync(0xffffffffu, value, lane + 1, 8);
  mine[2] = __shfl_up_sync(0xffffffffu, value, 3, 16);
  mine[3] = __shfl_down_sync(0xffffffffu, value, 7);
  mine[4] = __shfl_xor_sync(0xffffffffu, value, 9);
  const long long wide = __shfl_xor_sync(0xffffffffu, (long long)value * 0x100000001ll, 1);
  mine[5] = (int)(wide >> 32);
  mine[6] = 0;
  if (lane < 20) mine[6] = __shfl_sync(0x000fffffu, value, (lane * 3) % 20);
  mine[7] = lane >= 20 ? __shfl_sync(0xfff00000u, value, 31 - lane % 12) : 0;
}

/// Transposes 32 x 8 values of each warp through shared memory, ordered by __syncwarp alone.
extern "C" __global__ void exchange(const int* x, int* out) {
  __shared__ int buffer[4][32 * 8];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int* mine = buffer[warp];
  for (int round = 0; round < 2; ++round) {
    if (round > 0) __syncwarp();
    for (int k = 0; k < 8; ++k) mine[lane * 8 + k] = x[warp * 256 + k * 32 + lane] + round;
    __syncwarp();
    for (int k = 0; k < 8; ++k) out[round * 1024 + warp * 256 + lane * 8 + k] = mine[k * 32 + lane];
  }
}
