// gather_matmul, aligned tensors, sm_80: rows picked by number, times a matrix.
// CUDA 13.0: 166 registers, 0 bytes of spills. Its hot loop: 13.75 instructions per element of m 128 x n 128.
// b[264, 136], pick[200], a[50, 264], c[200, 136]:
// 434112 bytes in 18894 sectors of global memory, 27648 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) gather_matmul(
    const int* pick, i64 pick_m, const bf16* a, i64 a_row, const bf16* b, i64 b_k, i64 b_n, float* c, i64 c_m,
    int extent_k, int extent_m, int extent_n, int extent_row) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int n_blocks = (extent_n + 127) / 128;
  const int n_block = program % n_blocks;  program /= n_blocks;
  const int m_block = program;
  const int m_row = m_block * 128 + row;
  const u32 b_s = shared_address(shared);
  const u32 b_at = b_s + chunk_at<16>(lane % 16, lane / 16);
  int rows[2];                                                        // [1] rows = load(pick)  128 i32
  const auto* pick_from = pick;
  unroll for (int r = 0; r < 2; ++r) rows[r] = m_row + 8 * r < extent_m ? pick_from[(m_row + 8 * r) * pick_m] : 0;

  // [2] for_blocks(k): tiles of 128
  const int k_last = (extent_k + 127) / 128 - 1;
  float acc[16][4] = {};
  for (int k_block = -1, stage = 0; k_block <= k_last; ++k_block, stage ^= 32768) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = k_block + 1, slot = stage ^ 32768; next <= k_last) {
      // [3] b = load(b)  128x128 bf16, to shared memory
      copy_tile_ragged<128, 16, 16, 256>(b_s + slot, b + next * 128 * b_k + n_block * 128 * b_n, b_k,
          extent_k - next * 128, extent_n - n_block * 128);
    }
    commit_copies();
    if (k_block < 0) continue;                                        // the round before the first tile only copies
    float a_tile[16][4];                                              // [4] a_tile = load(a)  128x128 bf16
    const auto* a_from = a;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r) {
      bf16 stored[2];
      load_row(stored, a_from + rows[r] * a_row + k_block * 128 + 8 * j + col, m_row + 8 * r < extent_m
          && (u32)rows[r] < extent_row ? extent_k - (k_block * 128 + 8 * j + col) : 0);
      unroll for (int i = 0; i < 2; ++i) a_tile[j][2 * r + i] = from_bf16(stored[i]);
    }
    // [5] acc = acc + dot(a, b, k)  128x128 f32
    unroll for (int step = 0; step < 8; ++step) {
      const u32 lhs[4] = {pack_bf16(a_tile[2 * step][0], a_tile[2 * step][1]), pack_bf16(a_tile[2 * step][2],
          a_tile[2 * step][3]),
          pack_bf16(a_tile[2 * step + 1][0], a_tile[2 * step + 1][1]), pack_bf16(a_tile[2 * step + 1][2],
          a_tile[2 * step + 1][3])};
      unroll for (int j = 0; j < 16; j += 2) {
        u32 rhs[4];  ldmatrix_trans(rhs, ((b_at + stage) ^ 16 * (j % 8)) + 128 * (j / 8) + 256 * 16 * step);
        mma_bf16(acc[j], lhs, rhs[0], rhs[1]);  mma_bf16(acc[j + 1], lhs, rhs[2], rhs[3]);
    } }
  }
  if (c) {                                                            // [6] store(c)
    auto* c_to = c;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      unroll for (int i = 0; i < 2; ++i) stored[i] = acc[j][2 * r + i];
      if (m_row + 8 * r < extent_m) store_row(c_to + (m_row + 8 * r) * c_m + n_block * 128 + 8 * j + col, stored,
          extent_n - (n_block * 128 + 8 * j + col));
    }
  }
}
