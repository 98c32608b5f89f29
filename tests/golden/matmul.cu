// matmul, aligned tensors, sm_80: a product of any lengths, bias and activation.
// CUDA 13.0: 128 registers, 0 bytes of spills. Its hot loop: 8.41 instructions per element of m 128 x n 128.
// b[264, 136], a[200, 264], bias[136], c[200, 136]:
// 478848 bytes in 14388 sectors of global memory, 35416 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) matmul(
    const bf16* a, i64 a_m, i64 a_k, const bf16* b, i64 b_k, i64 b_n, const float* bias, bf16* c, i64 c_m, i64 c_n,
    int extent_k, int extent_m, int extent_n) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int n_blocks = (extent_n + 127) / 128;
  const int n_block = program % n_blocks;  program /= n_blocks;
  const int m_block = program;
  const u32 a_s = shared_address(shared);
  const u32 b_s = shared_address(shared) + 65536;
  const u32 b_at = b_s + chunk_at<16>(lane % 16, lane / 16);
  const u32 a_at = a_s + chunk_at<16>(16 * warp + lane % 16, lane / 16);
  const u32 c_s = shared_address(shared);

  // [1] for_blocks(k): tiles of 128
  const int k_last = (extent_k + 127) / 128 - 1;
  float acc[16][4] = {};
  for (int k_block = -1, stage = 0; k_block <= k_last; ++k_block, stage ^= 32768) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = k_block + 1, slot = stage ^ 32768; next <= k_last) {
      // [2] a = load(a)  128x128 bf16, to shared memory
      copy_tile_ragged<128, 16, 16, 256>(a_s + slot, a + m_block * 128 * a_m + next * 128 * a_k, a_m,
          extent_m - m_block * 128, extent_k - next * 128);
      // [3] b = load(b)  128x128 bf16, to shared memory
      copy_tile_ragged<128, 16, 16, 256>(b_s + slot, b + next * 128 * b_k + n_block * 128 * b_n, b_k,
          extent_k - next * 128, extent_n - n_block * 128);
    }
    commit_copies();
    if (k_block < 0) continue;                                        // the round before the first tile only copies
    // [4] acc = acc + dot(a, b, k)  128x128 f32
    unroll for (int step = 0; step < 8; ++step) {
      u32 lhs[4];  ldmatrix(lhs, ((a_at + stage) ^ 32 * (step % 4)) + 128 * (step / 4));
      unroll for (int j = 0; j < 16; j += 2) {
        u32 rhs[4];  ldmatrix_trans(rhs, ((b_at + stage) ^ 16 * (j % 8)) + 128 * (j / 8) + 256 * 16 * step);
        mma_bf16(acc[j], lhs, rhs[0], rhs[1]);  mma_bf16(acc[j + 1], lhs, rhs[2], rhs[3]);
    } }
  }
  float bias_tile[16][2];                                             // [5] bias_tile = load(bias)  128 f32
  unroll for (int j = 0; j < 16; ++j) {
    float stored[2];
    load_row(stored, bias + n_block * 128 + 8 * j + col, extent_n - (n_block * 128 + 8 * j + col));
    unroll for (int i = 0; i < 2; ++i) bias_tile[j][i] = stored[i];
  }
  float x[16][4];                                                     // [6] x = acc + bias  128x128 f32
  unroll for (int j = 0; j < 16; ++j) unroll for (int i = 0; i < 4; ++i) x[j][i] = acc[j][i] + bias_tile[j][i % 2];
  // [7] gelu = x * 0.5 * (1 + tanh(0.7978846 * (x + 0.044715 * x * x * x)))  128x128 f32
  float gelu[16][4];
  unroll for (int j = 0; j < 16; ++j) unroll for (int i = 0; i < 4; ++i)
      gelu[j][i] = x[j][i] * 0.5f * (1.f + tanhf(0.7978846f * (x[j][i] + 0.044715f * x[j][i] * x[j][i] * x[j][i])));
  // [8] store(c), 16 bytes a lane through shared memory
  if (c) {
    bf16* c_to = c + m_block * 128 * c_m + n_block * 128 * c_n;
    const u32 c_at = c_s + chunk_at<16>(row, 0) + 2 * col;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r)
      store4((c_at ^ 16 * (j % 8)) + 128 * (j / 8) + 2048 * r, pack_bf16(gelu[j][2 * r], gelu[j][2 * r + 1]));
    __syncwarp();
    for (int i = lane; i < 16 * 16; i += 32) {
      const int r = 16 * warp + i / 16, c = i % 16;
      if (m_block * 128 + r >= extent_m) break;
      store_row(c_to + r * c_m + 8 * c, *(const bf16(*)[8])(shared + chunk_at<16>(r, c)),
          extent_n - n_block * 128 - 8 * c);
    }
  }
}
