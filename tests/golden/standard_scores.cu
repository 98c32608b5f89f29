// standard_scores, aligned tensors, sm_80: S = q k^T, into memory.
// CUDA 13.0: 98 registers, 0 bytes of spills.
// q[1, 2, 200, 64], k[1, 2, 332, 64], s[1, 2, 200, 332]:
// 854784 bytes in 35112 sectors of global memory, 16896 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) scores(
    const bf16* q, i64 q_batch, i64 q_q_head, i64 q_q, const bf16* k, i64 k_batch, i64 k_kv_head, i64 k_kv,
    float* s, i64 s_batch, i64 s_q_head, i64 s_q, int extent_batch, int extent_kv, int extent_kv_head, int extent_q,
    int extent_q_head, float softmax_scale) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int kv_blocks = (extent_kv + 127) / 128;
  const int kv_block = program % kv_blocks;  program /= kv_blocks;
  const int q_blocks = (extent_q + 127) / 128;
  const int q_block = program % q_blocks;  program /= q_blocks;
  const int q_head_index = program % extent_q_head;  program /= extent_q_head;
  const int batch_index = program;
  const u32 q_s = shared_address(shared);
  const u32 k_s = shared_address(shared) + 16384;
  const u32 k_at = k_s + chunk_at<8>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
  const u32 q_at = q_s + chunk_at<8>(16 * warp + lane % 16, lane / 16);
  const int q_row = q_block * 128 + row;
  const auto* q_from = q + batch_index * q_batch + q_head_index * q_q_head + q_block * 128 * q_q;
  // [1] q = load(q)  128x64 bf16, to shared memory
  copy_tile<128, 64, 8, 8, 256>(q_s, q_from, q_q, extent_q - q_block * 128);
  commit_copies();
  const auto* k_from = k + batch_index * k_batch + q_head_index / (extent_q_head / extent_kv_head) * k_kv_head
      + kv_block * 128 * k_kv;
  // [2] k = load(k)  128x64 bf16, to shared memory
  copy_tile<128, 64, 8, 8, 256>(k_s, k_from, k_kv, extent_kv - kv_block * 128);
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  float product[16][4] = {};                                          // [3] product = dot(q, k, d)  128x128 f32
  unroll for (int step = 0; step < 4; ++step) {
    u32 lhs[4];  ldmatrix(lhs, (q_at ^ 32 * step));
    unroll for (int j = 0; j < 16; j += 2) {
      u32 rhs[4];  ldmatrix(rhs, (k_at ^ 32 * step) + 128 * 8 * j);
      mma_bf16(product[j], lhs, rhs[0], rhs[1]);  mma_bf16(product[j + 1], lhs, rhs[2], rhs[3]);
  } }
  {                                                                   // [4] store(s)
    auto* s_to = s + batch_index * s_batch + q_head_index * s_q_head;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      unroll for (int i = 0; i < 2; ++i) stored[i] = product[j][2 * r + i] * softmax_scale;
      if (q_row + 8 * r < extent_q) store_row(s_to + (q_row + 8 * r) * s_q + kv_block * 128 + 8 * j + col, stored,
          extent_kv - (kv_block * 128 + 8 * j + col));
    }
  }
}
