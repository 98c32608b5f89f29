// softmax, aligned tensors, sm_80: rows of any length: two loops, reductions across lanes.
// CUDA 13.0: 32 registers, 0 bytes of spills. Its hot loop: 24.75 instructions per element of row 4 x column 128.
// x[50, 332], y[50, 332]:
// 199200 bytes in 6450 sectors of global memory, 0 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) softmax(
    const float* x, i64 x_row, float* y, i64 y_row, int extent_column, int extent_row) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp, col = lane * 4;
  // x[j][i] is element (row, 128 * j + col + i % 4) of a tile.
  const int row_block = blockIdx.x;
  const int row_row = row_block * 4 + row;

  // [1] for_blocks(column): tiles of 128
  const int column_last = (extent_column + 127) / 128 - 1;
  const int column_cut = extent_column / 128;
  float row_max[1];  row_max[0] = neg_inf;
  float row_sum[1] = {};
  for (int column_block = 0; column_block <= column_last; ++column_block) {
    const bool cut = column_block >= column_cut;                      // this tile may hold hidden elements
    float x_tile[1][4];                                               // [2] x_tile = load(x)  4x128 f32
    {
      float stored[4];
      load_row(stored, x + row_row * x_row + column_block * 128 + col,
          row_row < extent_row ? extent_column - (column_block * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) x_tile[0][i] = stored[i];
    }
    float t[1][4];                                                    // [3] t = x * 1.442695  4x128 f32
    unroll for (int i = 0; i < 4; ++i) t[0][i] = x_tile[0][i] * 1.442695f;
    if (cut)                                                          // hidden elements; a full tile has none
      unroll for (int i = 0; i < 4; ++i)
        if (column_block * 128 + col + i >= extent_column) t[0][i] = neg_inf;
    // [4] m_new = max(row_max, reduce_max(t, column))  4 f32
    float m_new[1];
    {
      float top = neg_inf;  unroll for (int i = 0; i < 4; ++i) top = fmaxf(top, t[0][i]);
      top = across_max<32>(top);
      m_new[0] = fmaxf(row_max[0], top);
    }
    float alpha[1];  alpha[0] = ex2(row_max[0] - finite(m_new[0]));   // [5] alpha = exp2_safe(row_max, m_new)  4 f32
    // [6] row_sum = row_sum * alpha + reduce_sum(exp2_safe(t, m_new), column)  4 f32
    {
      float total = 0;  unroll for (int i = 0; i < 4; ++i) total += ex2(t[0][i] - finite(m_new[0]));
      row_sum[0] = row_sum[0] * alpha[0] + total;
    }
    row_max[0] = m_new[0];
  }
  unroll for (int r = 0; r < 1; ++r) row_sum[r] = across_sum<32>(row_sum[r]);

  // [7] for_blocks(column): tiles of 128
  const int column_last_2 = (extent_column + 127) / 128 - 1;
  for (int column_block_2 = 0; column_block_2 <= column_last_2; ++column_block_2) {
    float x_tile_2[1][4];                                             // [8] x_tile_2 = load(x)  4x128 f32
    {
      float stored[4];
      load_row(stored, x + row_row * x_row + column_block_2 * 128 + col,
          row_row < extent_row ? extent_column - (column_block_2 * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) x_tile_2[0][i] = stored[i];
    }
    float inverse[1];  inverse[0] = 1.f / row_sum[0];
    if (y) {                                                          // [9] store(y)
      {
        float stored[4];
        unroll for (int i = 0; i < 4; ++i) stored[i] = ex2(x_tile_2[0][i] * 1.442695f - row_max[0]) * inverse[0];
        if (row_row < extent_row) store_row(y + row_row * y_row + column_block_2 * 128 + col, stored,
            extent_column - (column_block_2 * 128 + col));
      }
    }
  }
}
