// linear_attention, aligned tensors, sm_80: a state carried over chunks, f32 by TF32.
// CUDA 13.0: 255 registers, 0 bytes of spills.
// q[1, 2, 200, 64], k[1, 2, 200, 64], v[1, 2, 200, 64], out[1, 2, 200, 64]:
// 409600 bytes in 13304 sectors of global memory, 33856 passes over shared memory, 12288 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) linear_attention(
    const float* q, i64 q_batch, i64 q_head, i64 q_n, const float* k, i64 k_batch, i64 k_head, i64 k_n,
    const float* v, i64 v_batch, i64 v_head, i64 v_n, float* out, i64 out_batch, i64 out_head, i64 out_n,
    int extent_batch, int extent_head, int extent_n) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int head_index = program % extent_head;  program /= extent_head;
  const int batch_index = program;
  const u32 v_s = shared_address(shared);
  const u32 k_s = shared_address(shared) + 34816;
  const u32 k_at = k_s + lane / 4 * 272 + lane % 4 * 8;
  const u32 v_at = v_s + lane % 4 * 2 * 272 + lane / 4 * 4;
  const u32 state_s = shared_address(shared) + 52224;
  const u32 state_at = state_s + lane % 4 * 2 * 272 + lane / 4 * 4;
  const u32 operand_s = shared_address(shared) + 69632;
  const u32 operand_at = operand_s + lane % 4 * 272 + (16 * warp + lane / 4) * 4;
  const u32 v_at_2 = v_s + lane % 4 * 272 + lane / 4 * 4;

  // [1] for_blocks(n): tiles of 64
  const int n_last = (extent_n + 63) / 64 - 1;
  const int n_cut = extent_n / 64;
  float state[8][4] = {};
  const auto* v_from = v + batch_index * v_batch + head_index * v_head;
  for (int n_block = -1, stage = 0; n_block <= n_last; ++n_block, stage ^= 17408) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = n_block + 1, slot = stage ^ 17408; next <= n_last) {
      // [2] v = load(v)  64x64 f32, to shared memory
      copy_tile<64, 64, 16, 17, 128>(v_s + slot, v_from + next * 64 * v_n, v_n, extent_n - next * 64);
    }
    commit_copies();
    if (n_block < 0) continue;                                        // the round before the first tile only copies
    const bool cut = n_block >= n_cut;                                // this tile may hold hidden elements
    float q_tile[8][4];                                               // [3] q_tile = load(q)  64x64 f32
    const auto* q_from = q + batch_index * q_batch + head_index * q_head;
    unroll for (int j = 0; j < 8; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      load_row(stored, q_from + (n_block * 64 + row + 8 * r) * q_n + 8 * j + col,
          n_block * 64 + row + 8 * r < extent_n ? 64 - (8 * j + col) : 0);
      unroll for (int i = 0; i < 2; ++i) q_tile[j][2 * r + i] = stored[i];
    }
    // [4] q_tile_2 = where(q > 0, q + 1, exp(min(q, 0)))  64x64 f32
    float q_tile_2[8][4];
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        q_tile_2[j][i] = q_tile[j][i] > 0.f ? q_tile[j][i] + 1.f : expf(fminf(q_tile[j][i], 0.f));
    float k_tile[8][4];                                               // [5] k_tile = load(k)  64x64 f32
    const auto* k_from = k + batch_index * k_batch + head_index * k_head;
    unroll for (int j = 0; j < 8; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      load_row(stored, k_from + (n_block * 64 + row + 8 * r) * k_n + 8 * j + col,
          n_block * 64 + row + 8 * r < extent_n ? 64 - (8 * j + col) : 0);
      unroll for (int i = 0; i < 2; ++i) k_tile[j][2 * r + i] = stored[i];
    }
    // [6] k_tile_2 = where(k > 0, k + 1, exp(min(k, 0)))  64x64 f32
    float k_tile_2[8][4];
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        k_tile_2[j][i] = k_tile[j][i] > 0.f ? k_tile[j][i] + 1.f : expf(fminf(k_tile[j][i], 0.f));
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)  // k, to shared memory
      store4(k_s + 272 * (row + i / 2 * 8) + 4 * (8 * j + col + i % 2), __float_as_uint(k_tile_2[j][i]));
    __syncthreads();
    float product[8][4] = {};                                         // [7] product = dot(q, k, d)  64x64 f32
    unroll for (int step = 0; step < 8; ++step) {
      const float x[4] = {q_tile_2[step][0], q_tile_2[step][2], q_tile_2[step][1], q_tile_2[step][3]};
      u32 lhs[4], lhs_low[4];  split(lhs, lhs_low, x);
      unroll for (int j = 0; j < 8; ++j) {
        const float rhs[2] = {load4(k_at + 32 * step + 272 * 8 * j), load4(k_at + 32 * step + 272 * 8 * j + 4)};
        mma_f32(product[j], lhs, lhs_low, rhs);
    } }
    // [8] s = where(index(c) >= index(n), dot(q, k, d), 0)  64x64 f32
    float s[8][4];
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        s[j][i] = n_block * 64 + row + 8 * (i / 2) >= n_block * 64 + 8 * j + col + i % 2 ? product[j][i] : 0.f;
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        if (n_block * 64 + 8 * j + col + i % 2 >= extent_n) s[j][i] = 0.f;
    float product_2[8][4] = {};                                       // [9] product_2 = dot(s, v, n)  64x64 f32
    unroll for (int step = 0; step < 8; ++step) {
      const float x[4] = {s[step][0], s[step][2], s[step][1], s[step][3]};
      u32 lhs[4], lhs_low[4];  split(lhs, lhs_low, x);
      unroll for (int j = 0; j < 8; ++j) {
        const float rhs[2] = {load4(v_at + stage + 32 * j + 272 * (8 * step)),
            load4(v_at + stage + 32 * j + 272 * (8 * step + 1))};
        mma_f32(product_2[j], lhs, lhs_low, rhs);
    } }
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)  // state, to shared memory
      store4(state_s + 272 * (row + i / 2 * 8) + 4 * (8 * j + col + i % 2), __float_as_uint(state[j][i]));
    __syncthreads();
    float product_3[8][4];
    // [10] product_3 = dot(s, v, n) + dot(q, state, d)  64x64 f32
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i) product_3[j][i] = product_2[j][i];
    unroll for (int step = 0; step < 8; ++step) {
      const float x[4] = {q_tile_2[step][0], q_tile_2[step][2], q_tile_2[step][1], q_tile_2[step][3]};
      u32 lhs[4], lhs_low[4];  split(lhs, lhs_low, x);
      unroll for (int j = 0; j < 8; ++j) {
        const float rhs[2] = {load4(state_at + 32 * j + 272 * (8 * step)),
            load4(state_at + 32 * j + 272 * (8 * step + 1))};
        mma_f32(product_3[j], lhs, lhs_low, rhs);
    } }
    if (out) {                                                        // [11] store(out)
      auto* out_to = out + batch_index * out_batch + head_index * out_head;
      unroll for (int j = 0; j < 8; ++j) unroll for (int r = 0; r < 2; ++r) {
        float stored[2];
        unroll for (int i = 0; i < 2; ++i) stored[i] = product_3[j][2 * r + i];
        if (n_block * 64 + row + 8 * r < extent_n) store_row(out_to + (n_block * 64 + row + 8 * r) * out_n + 8 * j
            + col, stored, 64 - (8 * j + col));
      }
    }
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        if (n_block * 64 + row + 8 * (i / 2) >= extent_n) k_tile_2[j][i] = 0.f;
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)  // operand, to shared memory
      store4(operand_s + 272 * (row + i / 2 * 8) + 4 * (8 * j + col + i % 2), __float_as_uint(k_tile_2[j][i]));
    __syncthreads();
    // [12] state = state + dot(k, v, n)  64x64 f32
    unroll for (int step = 0; step < 8; ++step) {
      const float x[4] = {load4(operand_at + 272 * (8 * step)), load4(operand_at + 32 + 272 * (8 * step)),
          load4(operand_at + 272 * (8 * step + 4)), load4(operand_at + 32 + 272 * (8 * step + 4))};
      u32 lhs[4], lhs_low[4];  split(lhs, lhs_low, x);
      unroll for (int j = 0; j < 8; ++j) {
        const float rhs[2] = {load4(v_at_2 + stage + 32 * j + 272 * (8 * step)),
            load4(v_at_2 + stage + 32 * j + 272 * (8 * step + 4))};
        mma_f32(state[j], lhs, lhs_low, rhs);
    } }
  }
}
