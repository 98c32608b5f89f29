// Small kernels whose machine code has properties that can be known beforehand.
#pragma once

namespace tilewright::test {

/// 48 bytes of local array per thread and 1024 of shared memory; nothing spills.
inline constexpr const char* local_array = R"(
extern "C" __global__ void local_array(const float* in, float* out, int n, int choice) {
  float local[12];
  for (int i = 0; i < 12; ++i) local[i] = in[threadIdx.x + i * n];
  for (int i = 0; i < n; ++i) local[(i * choice) % 12] += 1.0f;
  __shared__ float shared[256];
  shared[threadIdx.x] = local[choice];
  __syncthreads();
  out[threadIdx.x] = shared[threadIdx.x ^ 1];
})";

/// 64 live floats where 32 registers are allowed: it has to spill.
inline constexpr const char* squeezed = R"(
extern "C" __global__ void __launch_bounds__(1024, 2) squeezed(const float* in, float* out, int n) {
  float v[64];
  for (int i = 0; i < 64; ++i) v[i] = in[threadIdx.x + i * 1024];
  for (int k = 0; k < n; ++k)
    for (int i = 0; i < 64; ++i) v[i] = __fmaf_rn(v[i], v[(i + 7) & 63], 0.5f);
  for (int i = 0; i < 64; ++i) out[threadIdx.x + i * 1024] = v[i];
})";

/// One loop that is not unrolled: per iteration 3 ldmatrix, 2 mma, 1 exp2, 2 loads, 1 barrier.
inline constexpr const char* counted_loop = R"(
extern "C" __global__ void counted_loop(const float* in, float* out, int n) {
  __shared__ __align__(16) unsigned tile[2048];
  tile[threadIdx.x] = threadIdx.x;
  const unsigned at = (unsigned)__cvta_generic_to_shared(tile) + threadIdx.x * 16;
  float d[4] = {}, e = 0;
  unsigned r[4], s[4], t[4];
#define LDMATRIX(r, a) asm volatile( \
    "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" \
    : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(a) : "memory")
#define MMA(b0, b1) asm volatile( \
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, " \
    "{%0,%1,%2,%3};" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) \
    : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(b0), "r"(b1))
#pragma unroll 1
  for (int k = 0; k < n; ++k) {
    __syncthreads();
    LDMATRIX(r, at);
    LDMATRIX(s, at + 512);
    LDMATRIX(t, at + 1024);
    MMA(s[0], t[1]);
    MMA(s[2], t[3]);
    float x, y = in[k] + in[k * 2 + 1];
    asm volatile("ex2.approx.f32 %0, %1;" : "=f"(x) : "f"(y));
    e += x;
  }
  out[threadIdx.x] = d[0] + d[1] + d[2] + d[3] + e;
})";

/// One wgmma per iteration (sm_90a), with its fence, commit and wait.
inline constexpr const char* wgmma_loop = R"(
typedef unsigned long long descriptor;
extern "C" __global__ void wgmma_loop(descriptor a, descriptor b, float* out, int n) {
  float d[4] = {};
#pragma unroll 1
  for (int k = 0; k < n; ++k) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                 "{%0,%1,%2,%3}, %4, %5, 1, 1, 1, 0, 0;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b));
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  }
  for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = d[i];
})";

}  // namespace tilewright::test
