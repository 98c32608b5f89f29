// standard_weights, aligned tensors, sm_80: P = softmax of masked rows of S.
// CUDA 13.0: 29 registers, 0 bytes of spills. Its hot loop: 16.25 instructions per element of q 4 x kv 128.
// s[1, 2, 200, 332], p[1, 2, 200, 332], lse[1, 2, 200]:
// 1519808 bytes in 49520 sectors of global memory, 0 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) weights(
    const float* s, i64 s_batch, i64 s_q_head, i64 s_q, float* p, i64 p_batch, i64 p_q_head, i64 p_q,
    float* lse, i64 lse_batch, i64 lse_q_head, i64 lse_q, int extent_batch, int extent_kv, int extent_q,
    int extent_q_head) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp, col = lane * 4;
  // x[j][i] is element (row, 128 * j + col + i % 4) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int q_blocks = (extent_q + 3) / 4;
  const int q_block = program % q_blocks;  program /= q_blocks;
  const int q_head_index = program % extent_q_head;  program /= extent_q_head;
  const int batch_index = program;
  const int q_last = min(q_block * 4 + 3, extent_q - 1);
  const int q_first = q_block * 4;
  const int q_row = q_block * 4 + row;

  // [1] for_blocks(kv): tiles of 128
  const int kv_last = floor_div(q_last + extent_kv - extent_q, 128);
  const int kv_cut = min(max(0, q_first + extent_kv - extent_q + 1) / 128, extent_kv / 128);
  float row_max[1];  row_max[0] = neg_inf;
  float row_sum[1] = {};
  for (int kv_block = 0; kv_block <= kv_last; ++kv_block) {
    const bool cut = kv_block >= kv_cut;                              // this tile may hold hidden elements
    float s_tile[1][4];                                               // [2] s_tile = load(s)  4x128 f32
    const auto* s_from = s + batch_index * s_batch + q_head_index * s_q_head;
    {
      float stored[4];
      load_row(stored, s_from + q_row * s_q + kv_block * 128 + col,
          q_row < extent_q ? extent_kv - (kv_block * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) s_tile[0][i] = stored[i];
    }
    float score[1][4];                                                // [3] score = s * 1.442695  4x128 f32
    unroll for (int i = 0; i < 4; ++i) score[0][i] = s_tile[0][i] * 1.442695f;
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int i = 0; i < 4; ++i)
        if (q_row + extent_kv - extent_q < kv_block * 128 + col + i
        | kv_block * 128 + col + i >= extent_kv) score[0][i] = neg_inf;
    // [4] m_new = max(row_max, reduce_max(score, kv))  4 f32
    float m_new[1];
    {
      float top = neg_inf;  unroll for (int i = 0; i < 4; ++i) top = fmaxf(top, score[0][i]);
      top = across_max<32>(top);
      m_new[0] = fmaxf(row_max[0], top);
    }
    // [5] row_sum = row_sum * exp2_safe(row_max, m_new) + reduce_sum(exp2_safe(score, m_new), kv)  4 f32
    {
      float total = 0;  unroll for (int i = 0; i < 4; ++i) total += ex2(score[0][i] - finite(m_new[0]));
      row_sum[0] = row_sum[0] * ex2(row_max[0] - finite(m_new[0])) + total;
    }
    row_max[0] = m_new[0];
  }
  unroll for (int r = 0; r < 1; ++r) row_sum[r] = across_sum<32>(row_sum[r]);
  // [6] sum = where(row_sum == 0, 1, row_sum)  4 f32
  float sum[1];  sum[0] = row_sum[0] == 0.f ? 1.f : row_sum[0];

  // [7] for_blocks(kv): tiles of 128
  const int kv_last_2 = (extent_kv + 127) / 128 - 1;
  for (int kv_block_2 = 0; kv_block_2 <= kv_last_2; ++kv_block_2) {
    float s_tile_2[1][4];                                             // [8] s_tile_2 = load(s)  4x128 f32
    const auto* s_from_2 = s + batch_index * s_batch + q_head_index * s_q_head;
    {
      float stored[4];
      load_row(stored, s_from_2 + q_row * s_q + kv_block_2 * 128 + col,
          q_row < extent_q ? extent_kv - (kv_block_2 * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) s_tile_2[0][i] = stored[i];
    }
    float inverse[1];  inverse[0] = 1.f / sum[0];
    // [9] weight = exp2_safe(s * 1.442695, row_max) / sum  4x128 f32
    float weight[1][4];
    unroll for (int i = 0; i < 4; ++i)
        weight[0][i] = ex2(s_tile_2[0][i] * 1.442695f - finite(row_max[0])) * inverse[0];
    {                                                                 // [10] store(p)
      auto* p_to = p + batch_index * p_batch + q_head_index * p_q_head;
      {
        float stored[4];
        unroll for (int i = 0; i < 4; ++i)
            stored[i] = q_row + extent_kv - extent_q >= kv_block_2 * 128 + col + i ? weight[0][i] : 0.f;
        if (q_row < extent_q) store_row(p_to + q_row * p_q + kv_block_2 * 128 + col, stored,
            extent_kv - (kv_block_2 * 128 + col));
      }
    }
  }
  if (lse) {                                                          // [11] store(lse)
    auto* lse_to = lse + batch_index * lse_batch + q_head_index * lse_q_head;
    if (lane % 32 == 0 && q_row < extent_q)
      lse_to[q_row * lse_q] = row_max[0] * 0.6931472f + logf(row_sum[0]);
  }
}
