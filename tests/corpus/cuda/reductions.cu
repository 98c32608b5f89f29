// Reductions of one row per block: a sum by shuffles and shared memory, the place of the smallest
// value, and a sum of doubles by a tree in shared memory. Any row length, any block size up to
// 1024. Oracle: the same in plain loops, in corpus_reductions.cpp.
#include <cfloat>

extern "C" __global__ void row_sum(const float* x, float* out, int columns) {
  __shared__ float partial[32];
  const float* row = x + (long long)blockIdx.x * columns;
  float sum = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += row[i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x < 32) {
    sum = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
  }
}

extern "C" __global__ void row_argmin(const float* x, int* out, int columns) {
  __shared__ float values[32];
  __shared__ int places[32];
  const float* row = x + (long long)blockIdx.x * columns;
  float least = FLT_MAX;
  int place = -1;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    if (row[i] < least) least = row[i], place = i;
  }
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, least, step);
    const int there = __shfl_xor_sync(0xffffffffu, place, step);
    if (there >= 0 && (place < 0 || other < least || (other == least && there < place))) {
      least = other, place = there;
    }
  }
  if (threadIdx.x % 32 == 0) values[threadIdx.x / 32] = least, places[threadIdx.x / 32] = place;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < blockDim.x / 32; ++w) {
      const bool better = places[w] >= 0 && (place < 0 || values[w] < least ||
                                             (values[w] == least && places[w] < place));
      if (better) least = values[w], place = places[w];
    }
    out[blockIdx.x] = place;
  }
}

extern "C" __global__ void row_sum_f64(const double* x, double* out, int columns) {
  extern __shared__ double tree[];
  const double* row = x + (long long)blockIdx.x * columns;
  double sum = 0;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += row[i];
  tree[threadIdx.x] = sum;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) tree[threadIdx.x] += tree[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = tree[0];
}
