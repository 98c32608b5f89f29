// flash_block_list_bf16, aligned tensors, sm_80: a loop over the tiles that a list names.
// CUDA 13.0: 171 registers, 0 bytes of spills. Its hot loop: 16.84 instructions per element of q 64 x kv 64.
// q[1, 2, 200, 64], k[1, 2, 333, 64], v[1, 2, 333, 128], out[1, 2, 200, 128], lse[1, 2, 200], blocks_begin[1, 2, 4], blocks_end[1, 2, 4], blocks_tiles[29]:
// 851776 bytes in 26078 sectors of global memory, 30688 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) flash_block_list(
    const bf16* q, i64 q_batch, i64 q_q_head, i64 q_q, const bf16* k, i64 k_batch, i64 k_kv_head, i64 k_kv,
    const bf16* v, i64 v_batch, i64 v_kv_head, i64 v_kv,
    const int* blocks_begin, i64 blocks_begin_batch, i64 blocks_begin_q_head, i64 blocks_begin_blocks_rows,
    const int* blocks_end, i64 blocks_end_batch, i64 blocks_end_q_head, i64 blocks_end_blocks_rows,
    const int* blocks_tiles, i64 blocks_tiles_blocks_entries, bf16* out, i64 out_batch, i64 out_q_head, i64 out_q,
    float* lse, i64 lse_batch, i64 lse_q_head, i64 lse_q, int extent_batch, int extent_kv, int extent_kv_head,
    int extent_q, int extent_q_head, float softmax_scale) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int q_blocks = (extent_q + 63) / 64;
  const int q_block = program % q_blocks;  program /= q_blocks;
  const int q_head_index = program % extent_q_head;  program /= extent_q_head;
  const int batch_index = program;
  const u32 q_s = shared_address(shared);
  const u32 k_s = shared_address(shared) + 8192;
  const u32 v_s = shared_address(shared) + 24576;
  const u32 q_at = q_s + chunk_at<8>(16 * warp + lane % 16, lane / 16);
  const u32 k_at = k_s + chunk_at<8>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
  const int q_row = q_block * 64 + row;
  const u32 v_at = v_s + chunk_at<16>(lane % 16, lane / 16);
  const u32 out_s = shared_address(shared);
  // [1] kv_begin = load(blocks_begin)
  const int kv_begin = *(blocks_begin + batch_index * blocks_begin_batch + q_head_index * blocks_begin_q_head
      + q_block * blocks_begin_blocks_rows);
  // [2] kv_end = load(blocks_end)
  const int kv_end = *(blocks_end + batch_index * blocks_end_batch + q_head_index * blocks_end_q_head
      + q_block * blocks_end_blocks_rows);
  // [3] kv_head_index = q_head_index / (extent(q_head) / extent(kv_head))
  const int kv_head_index = q_head_index / (extent_q_head / extent_kv_head);
  const float signed_factor = softmax_scale * 1.442695f;
  const float factor = fmaxf(fabsf(signed_factor), 1.1754944e-38f);
  const auto* q_from = q + batch_index * q_batch + q_head_index * q_q_head + q_block * 64 * q_q;
  // [4] q = load(q)  64x64 bf16, to shared memory
  copy_tile_signed<64, 64, 8, 8, 128>(q_s, q_from, q_q, extent_q - q_block * 64, signed_factor < 0);

  // [5] for_blocks(kv): tiles of 64, as blocks_tiles lists
  float row_max[2];  unroll for (int r = 0; r < 2; ++r) row_max[r] = neg_inf;
  float row_sum[2] = {};
  float acc[16][4] = {};
  // of this tile, of those after it, read ahead
  int kv_entries[3] = {0, 0, kv_begin < kv_end ? blocks_tiles[kv_begin * blocks_tiles_blocks_entries] : 0};
  u32 q_lhs[4][4];                                                    // the left operand of every tile, read once
  const auto* k_from = k + batch_index * k_batch + kv_head_index * k_kv_head;
  const auto* v_from = v + batch_index * v_batch + kv_head_index * v_kv_head;
  for (int kv_at = kv_begin - 1, stage = 0; kv_at < kv_end; ++kv_at, stage ^= 1) {
    unroll for (int i = 0; i < 2; ++i) kv_entries[i] = kv_entries[i + 1];
    kv_entries[2] = kv_at + 2 < kv_end ? blocks_tiles[(kv_at + 2) * blocks_tiles_blocks_entries] : 0;
    const int kv_block = tile_of(kv_entries[0]);
    wait_copies<0>();
    __syncthreads();
    if (const int next = tile_of(kv_entries[1]), slot = stage ^ 1; kv_at + 1 < kv_end) {
      // [6] k = load(k)  64x64 bf16, to shared memory
      copy_tile<64, 64, 8, 8, 128>(k_s + slot * 8192, k_from + next * 64 * k_kv, k_kv, extent_kv - next * 64);
      // [7] v = load(v)  64x128 bf16, to shared memory
      copy_tile<64, 128, 16, 16, 128>(v_s + slot * 16384, v_from + next * 64 * v_kv, v_kv, extent_kv - next * 64);
    }
    commit_copies();
    if (kv_at < kv_begin) {                                           // the round before the first tile only copies
      unroll for (int step = 0; step < 4; ++step) ldmatrix(q_lhs[step], (q_at ^ 32 * step));
      continue;
    }
    const bool cut = kv_entries[0] < 0 || kv_block >= extent_kv / 64;  // this tile may hold hidden elements
    // [8] s = dot(q, k, d), before its factor, which joins the exponent  64x64 f32
    float s[8][4] = {};
    unroll for (int step = 0; step < 4; ++step) {
      unroll for (int j = 0; j < 8; j += 2) {
        u32 rhs[4];  ldmatrix(rhs, ((k_at + stage * 8192) ^ 32 * step) + 128 * 8 * j);
        mma_bf16(s[j], q_lhs[step], rhs[0], rhs[1]);  mma_bf16(s[j + 1], q_lhs[step], rhs[2], rhs[3]);
    } }
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        if (q_row + 8 * (i / 2) + extent_kv - extent_q < kv_block * 64 + 8 * j + col + i % 2
        | kv_block * 64 + 8 * j + col + i % 2 >= extent_kv) s[j][i] = neg_inf;
    // [9] m_new = max(row_max, reduce_max(s * 1.442695, kv))  64 f32
    float m_new[2];
    unroll for (int r = 0; r < 2; ++r) {
      float top = neg_inf;  unroll for (int j = 0; j < 8; ++j) top = fmaxf(top, fmaxf(s[j][2 * r], s[j][2 * r + 1]));
      top = across_max<4>(top);
      m_new[r] = fmaxf(row_max[r], top * factor);
    }
    // [10] p = exp2_safe(s * 1.442695, m_new)  64x64 f32
    float p[8][4];
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i)
        p[j][i] = ex2(s[j][i] * factor - finite(m_new[i / 2]));
    // [11] alpha = exp2_safe(row_max, m_new)  64 f32
    float alpha[2];  unroll for (int r = 0; r < 2; ++r) alpha[r] = ex2(row_max[r] - finite(m_new[r]));
    // [12] row_sum = row_sum * alpha + reduce_sum(p, kv)  64 f32
    unroll for (int r = 0; r < 2; ++r) {
      float total = 0;  unroll for (int j = 0; j < 8; ++j) total += p[j][2 * r] + p[j][2 * r + 1];
      row_sum[r] = row_sum[r] * alpha[r] + total;
    }
    // [13] acc = acc * alpha + dot(cast<bf16>(p), v, kv)  64x128 f32
    unroll for (int j = 0; j < 16; ++j) unroll for (int i = 0; i < 4; ++i) acc[j][i] *= alpha[i / 2];
    unroll for (int step = 0; step < 4; ++step) {
      const u32 lhs[4] = {pack_bf16(p[2 * step][0], p[2 * step][1]), pack_bf16(p[2 * step][2], p[2 * step][3]),
          pack_bf16(p[2 * step + 1][0], p[2 * step + 1][1]), pack_bf16(p[2 * step + 1][2], p[2 * step + 1][3])};
      unroll for (int j = 0; j < 16; j += 2) {
        u32 rhs[4];  ldmatrix_trans(rhs, ((v_at + stage * 16384) ^ 16 * (j % 8)) + 128 * (j / 8) + 256 * 16 * step);
        mma_bf16(acc[j], lhs, rhs[0], rhs[1]);  mma_bf16(acc[j + 1], lhs, rhs[2], rhs[3]);
    } }
    unroll for (int r = 0; r < 2; ++r) row_max[r] = m_new[r];
  }
  unroll for (int r = 0; r < 2; ++r) row_sum[r] = across_sum<4>(row_sum[r]);
  float inverse[2];  unroll for (int r = 0; r < 2; ++r) inverse[r] = 1.f / (row_sum[r] == 0.f ? 1.f : row_sum[r]);
  __syncthreads();
  // [14] store(out), 16 bytes a lane through shared memory
  if (out) {
    bf16* out_to = out + batch_index * out_batch + q_head_index * out_q_head + q_block * 64 * out_q;
    const u32 out_at = out_s + chunk_at<16>(row, 0) + 2 * col;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r)
      store4((out_at ^ 16 * (j % 8)) + 128 * (j / 8) + 2048 * r, pack_bf16(acc[j][2 * r] * inverse[r],
        acc[j][2 * r + 1] * inverse[r]));
    __syncwarp();
    for (int i = lane; i < 16 * 16; i += 32) {
      const int r = 16 * warp + i / 16, c = i % 16;
      if (q_block * 64 + r >= extent_q) break;
      *(uint4*)(out_to + r * out_q + 8 * c) = *(const uint4*)(shared + chunk_at<16>(r, c));
    }
  }
  if (lse) {                                                          // [15] store(lse)
    auto* lse_to = lse + batch_index * lse_batch + q_head_index * lse_q_head;
    unroll for (int r = 0; r < 2; ++r)
      if (lane % 4 == 0 && q_row + 8 * r < extent_q)
        lse_to[(q_row + 8 * r) * lse_q] = row_max[r] * 0.6931472f + logf(row_sum[r]);
  }
}
