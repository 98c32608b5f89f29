// Prefix sums: of one block by shuffles, of one block by two buffers in shared memory, and of a
// whole array in a single pass, where each block waits for the sum of the blocks before it through
// a flag in global memory (fences and volatile accesses, as CUDA's programming guide writes them).
// Oracle: a running sum, in corpus_scans.cpp.
extern "C" __global__ void scan_shuffle(const int* x, int* out, int n) {
  __shared__ int sums[32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int value = threadIdx.x < n ? x[threadIdx.x] : 0;
  for (int step = 1; step < 32; step *= 2) {
    const int before = __shfl_up_sync(0xffffffffu, value, step);
    if (lane >= step) value += before;
  }
  if (lane == 31) sums[warp] = value;
  __syncthreads();
  if (warp == 0) {
    int sum = lane < blockDim.x / 32 ? sums[lane] : 0;
    for (int step = 1; step < 32; step *= 2) {
      const int before = __shfl_up_sync(0xffffffffu, sum, step);
      if (lane >= step) sum += before;
    }
    sums[lane] = sum;
  }
  __syncthreads();
  if (warp > 0) value += sums[warp - 1];
  if (threadIdx.x < n) out[threadIdx.x] = value;
}

extern "C" __global__ void scan_buffers(const float* x, float* out, int n) {
  extern __shared__ float buffer[];
  float* from = buffer;
  float* to = buffer + blockDim.x;
  from[threadIdx.x] = threadIdx.x < n ? x[threadIdx.x] : 0.0f;
  __syncthreads();
  for (int step = 1; step < blockDim.x; step *= 2) {
    to[threadIdx.x] = from[threadIdx.x] + (threadIdx.x >= step ? from[threadIdx.x - step] : 0.0f);
    __syncthreads();
    float* spare = from;
    from = to;
    to = spare;
  }
  if (threadIdx.x < n) out[threadIdx.x] = from[threadIdx.x];
}

/// `state`: one flag per block, zero at first; `sums`: what a block and those before it add up to.
extern "C" __global__ void scan_single_pass(const int* x, int* out, int n, volatile int* state,
                                            int* sums, unsigned* ticket) {
  __shared__ int warp_sums[8];
  __shared__ int before_block;
  __shared__ unsigned mine;
  if (threadIdx.x == 0) mine = atomicAdd(ticket, 1);
  __syncthreads();
  const unsigned block = mine;
  const int at = block * 256 + threadIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int value = at < n ? x[at] : 0;
  for (int step = 1; step < 32; step *= 2) {
    const int left = __shfl_up_sync(0xffffffffu, value, step);
    if (lane >= step) value += left;
  }
  if (lane == 31) warp_sums[warp] = value;
  __syncthreads();
  for (int w = 0; w < warp; ++w) value += warp_sums[w];
  if (threadIdx.x == 255) {
    int before = 0;
    if (block > 0) {
      while (state[block - 1] == 0) {}
      __threadfence();
      before = sums[block - 1];
    }
    sums[block] = before + value;
    __threadfence();
    state[block] = 1;
    before_block = before;
  }
  __syncthreads();
  if (at < n) out[at] = value + before_block;
}
