// gather_matmul, aligned tensors, sm_80: rows picked by number, times a matrix.
// CUDA 13.0: 128 registers, 0 bytes of spills. Its hot loop: 10.95 instructions per element of m 128 x n 128.
// b[264, 136], pick[200], a[50, 264], c[200, 136]:
// 504512 bytes in 15028 sectors of global memory, 33792 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) gather_matmul(
    const int* pick, i64 pick_m, const bf16* a, i64 a_row, i64 a_k, const bf16* b, i64 b_k, i64 b_n,
    float* c, i64 c_m, int extent_k, int extent_m, int extent_n, int extent_row) {
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
  const int m_row = m_block * 128 + row;

  // [1] for_blocks(k): tiles of 128
  const int k_last = (extent_k + 127) / 128 - 1;
  float acc[16][4] = {};
  for (int k_block = -1, stage = 0; k_block <= k_last; ++k_block, stage ^= 32768) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = k_block + 1, slot = stage ^ 32768; next <= k_last) {
      const auto* a_from = a + next * 128 * a_k;
      // [2] a = load(a)  128x128 bf16, to shared memory
      const auto a_row_at = [&](int r) -> decltype(a_from) {
        const int m_at = m_block * 128 + r;
        if (m_at >= extent_m) return nullptr;
        const int row_at = pick[m_at * pick_m];
        if ((u32)row_at >= extent_row) return nullptr;
        return a_from + row_at * a_row;
      };
      copy_rows<128, 16, 16, 256>(a_s + slot, a_from, extent_k - next * 128, a_row_at);
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
  if (c) {                                                            // [5] store(c)
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      unroll for (int i = 0; i < 2; ++i) stored[i] = acc[j][2 * r + i];
      if (m_row + 8 * r < extent_m) store_row(c + (m_row + 8 * r) * c_m + n_block * 128 + 8 * j + col, stored,
          extent_n - (n_block * 128 + 8 * j + col));
    }
  }
}
