// flash_causal_bf16_d64, aligned tensors, sm_80: tensor cores and staged copies, masked.
// CUDA 13.0: 174 registers, 0 bytes of spills. Its hot loop: 9.97 instructions per element of q 128 x kv 128.
// q[1, 2, 200, 64], k[1, 2, 333, 64], v[1, 2, 333, 64], out[1, 2, 200, 64], lse[1, 2, 200]:
// 444992 bytes in 13906 sectors of global memory, 29584 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) flash(
    const bf16* q, i64 q_batch, i64 q_q_head, i64 q_q, const bf16* k, i64 k_batch, i64 k_kv_head, i64 k_kv,
    const bf16* v, i64 v_batch, i64 v_kv_head, i64 v_kv, bf16* out, i64 out_batch, i64 out_q_head, i64 out_q,
    float* lse, i64 lse_batch, i64 lse_q_head, i64 lse_q, int extent_batch, int extent_kv, int extent_kv_head,
    int extent_q, int extent_q_head, float softmax_scale) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int q_blocks = (extent_q + 127) / 128;
  const int q_block = program % q_blocks;  program /= q_blocks;
  const int q_head_index = program % extent_q_head;  program /= extent_q_head;
  const int batch_index = program;
  const u32 q_s = shared_address(shared);
  const int q_last = min(q_block * 128 + 127, extent_q - 1);
  const int q_first = q_block * 128;
  const u32 k_s = shared_address(shared) + 16384;
  const u32 v_s = shared_address(shared) + 49152;
  const u32 q_at = q_s + chunk_at<8>(16 * warp + lane % 16, lane / 16);
  const u32 k_at = k_s + chunk_at<8>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
  const int q_row = q_block * 128 + row;
  const u32 v_at = v_s + chunk_at<8>(lane % 16, lane / 16);
  const u32 out_s = shared_address(shared);
  // [1] kv_head_index = q_head_index / (extent(q_head) / extent(kv_head))
  const int kv_head_index = q_head_index / (extent_q_head / extent_kv_head);
  const float signed_factor = softmax_scale * 1.442695f;
  const float factor = fmaxf(fabsf(signed_factor), 1.1754944e-38f);
  const auto* q_from = q + batch_index * q_batch + q_head_index * q_q_head + q_block * 128 * q_q;
  // [2] q = load(q)  128x64 bf16, to shared memory
  copy_tile_signed<128, 64, 8, 8, 256>(q_s, q_from, q_q, extent_q - q_block * 128, signed_factor < 0);

  // [3] for_blocks(kv): tiles of 128
  const int kv_last = floor_div(q_last + extent_kv - extent_q, 128);
  const int kv_cut = min(max(0, q_first + extent_kv - extent_q + 1) / 128, extent_kv / 128);
  float row_max[2];  unroll for (int r = 0; r < 2; ++r) row_max[r] = neg_inf;
  float row_sum[2] = {};
  float acc[8][4] = {};
  u32 q_lhs[4][4];                                                    // the left operand of every tile, read once
  const auto* k_from = k + batch_index * k_batch + kv_head_index * k_kv_head;
  const auto* v_from = v + batch_index * v_batch + kv_head_index * v_kv_head;
  for (int kv_block = -1, stage = 0; kv_block <= kv_last; ++kv_block, stage ^= 16384) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = kv_block + 1, slot = stage ^ 16384; next <= kv_last) {
      // [4] k = load(k)  128x64 bf16, to shared memory
      copy_tile<128, 64, 8, 8, 256>(k_s + slot, k_from + next * 128 * k_kv, k_kv, extent_kv - next * 128);
      // [5] v = load(v)  128x64 bf16, to shared memory
      copy_tile<128, 64, 8, 8, 256>(v_s + slot, v_from + next * 128 * v_kv, v_kv, extent_kv - next * 128);
    }
    commit_copies();
    if (kv_block < 0) {                                               // the round before the first tile only copies
      unroll for (int step = 0; step < 4; ++step) ldmatrix(q_lhs[step], (q_at ^ 32 * step));
      continue;
    }
    const bool cut = kv_block >= kv_cut;                              // this tile may hold hidden elements
    // [6] s = dot(q, k, d), before its factor, which joins the exponent  128x128 f32
    float s[16][4] = {};
    unroll for (int step = 0; step < 4; ++step) {
      unroll for (int j = 0; j < 16; j += 2) {
        u32 rhs[4];  ldmatrix(rhs, ((k_at + stage) ^ 32 * step) + 128 * 8 * j);
        mma_bf16(s[j], q_lhs[step], rhs[0], rhs[1]);  mma_bf16(s[j + 1], q_lhs[step], rhs[2], rhs[3]);
    } }
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int j = 0; j < 16; ++j) unroll for (int i = 0; i < 4; ++i)
        if (q_row + 8 * (i / 2) + extent_kv - extent_q < kv_block * 128 + 8 * j + col + i % 2
        | kv_block * 128 + 8 * j + col + i % 2 >= extent_kv) s[j][i] = neg_inf;
    // [7] m_new = max(row_max, reduce_max(s * 1.442695, kv))  128 f32
    float m_new[2];
    unroll for (int r = 0; r < 2; ++r) {
      float top = neg_inf;  unroll for (int j = 0; j < 16; ++j) top = fmaxf(top, fmaxf(s[j][2 * r], s[j][2 * r + 1]));
      top = across_max<4>(top);
      m_new[r] = fmaxf(row_max[r], top * factor);
    }
    // [8] p = exp2_safe(s * 1.442695, m_new)  128x128 f32
    float p[16][4];
    unroll for (int j = 0; j < 16; ++j) unroll for (int i = 0; i < 4; ++i)
        p[j][i] = ex2(s[j][i] * factor - finite(m_new[i / 2]));
    // [9] alpha = exp2_safe(row_max, m_new)  128 f32
    float alpha[2];  unroll for (int r = 0; r < 2; ++r) alpha[r] = ex2(row_max[r] - finite(m_new[r]));
    // [10] row_sum = row_sum * alpha + reduce_sum(p, kv)  128 f32
    unroll for (int r = 0; r < 2; ++r) {
      float total = 0;  unroll for (int j = 0; j < 16; ++j) total += p[j][2 * r] + p[j][2 * r + 1];
      row_sum[r] = row_sum[r] * alpha[r] + total;
    }
    // [11] acc = acc * alpha + dot(cast<bf16>(p), v, kv)  128x64 f32
    unroll for (int j = 0; j < 8; ++j) unroll for (int i = 0; i < 4; ++i) acc[j][i] *= alpha[i / 2];
    unroll for (int step = 0; step < 8; ++step) {
      const u32 lhs[4] = {pack_bf16(p[2 * step][0], p[2 * step][1]), pack_bf16(p[2 * step][2], p[2 * step][3]),
          pack_bf16(p[2 * step + 1][0], p[2 * step + 1][1]), pack_bf16(p[2 * step + 1][2], p[2 * step + 1][3])};
      unroll for (int j = 0; j < 8; j += 2) {
        u32 rhs[4];  ldmatrix_trans(rhs, ((v_at + stage) ^ 16 * j) + 128 * 16 * step);
        mma_bf16(acc[j], lhs, rhs[0], rhs[1]);  mma_bf16(acc[j + 1], lhs, rhs[2], rhs[3]);
    } }
    unroll for (int r = 0; r < 2; ++r) row_max[r] = m_new[r];
  }
  unroll for (int r = 0; r < 2; ++r) row_sum[r] = across_sum<4>(row_sum[r]);
  float inverse[2];  unroll for (int r = 0; r < 2; ++r) inverse[r] = 1.f / (row_sum[r] == 0.f ? 1.f : row_sum[r]);
  __syncthreads();
  // [12] store(out), 16 bytes a lane through shared memory
  if (out) {
    bf16* out_to = out + batch_index * out_batch + q_head_index * out_q_head + q_block * 128 * out_q;
    const u32 out_at = out_s + chunk_at<8>(row, 0) + 2 * col;
    unroll for (int j = 0; j < 8; ++j) unroll for (int r = 0; r < 2; ++r)
      store4((out_at ^ 16 * j) + 1024 * r, pack_bf16(acc[j][2 * r] * inverse[r], acc[j][2 * r + 1] * inverse[r]));
    __syncwarp();
    for (int i = lane; i < 16 * 8; i += 32) {
      const int r = 16 * warp + i / 8, c = i % 8;
      if (q_block * 128 + r >= extent_q) break;
      *(uint4*)(out_to + r * out_q + 8 * c) = *(const uint4*)(shared + chunk_at<8>(r, c));
    }
  }
  if (lse) {                                                          // [13] store(lse)
    auto* lse_to = lse + batch_index * lse_batch + q_head_index * lse_q_head;
    unroll for (int r = 0; r < 2; ++r)
      if (lane % 4 == 0 && q_row + 8 * r < extent_q)
        lse_to[(q_row + 8 * r) * lse_q] = row_max[r] * 0.6931472f + logf(row_sum[r]);
  }
}
