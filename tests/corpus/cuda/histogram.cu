// Histograms: counted in shared memory by atomics and added to global memory, and counted by one
// atomic per distinct value of a warp (match.any chooses a leader).
// Oracle: a loop, in corpus_histogram.cpp.
extern "C" __global__ void histogram_shared(const unsigned char* x, unsigned* bins, int n) {
  __shared__ unsigned counts[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x) counts[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    atomicAdd(&counts[x[i]], 1u);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x) {
    if (counts[i] != 0) atomicAdd(&bins[i], counts[i]);
  }
}

extern "C" __global__ void histogram_matched(const unsigned short* x, unsigned long long* bins,
                                             int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned active = __activemask();
  const unsigned peers = __match_any_sync(active, (int)x[i]);
  const int leader = __ffs(peers) - 1;
  if (threadIdx.x % 32 == leader) atomicAdd(&bins[x[i]], (unsigned long long)__popc(peers));
}
