// layer_norm, aligned tensors, sm_80: three loops over rows of any width.
// CUDA 13.0: 30 registers, 0 bytes of spills. Its hot loop: 29.25 instructions per element of row 4 x column 128.
// x[50, 336], gain[336], bias[336], y[50, 336]:
// 274176 bytes in 8568 sectors of global memory, 0 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) layer_norm(
    const bf16* x, i64 x_row, const float* gain, const float* bias, bf16* y, i64 y_row, int extent_column,
    int extent_row, float epsilon) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp, col = lane * 4;
  // x[j][i] is element (row, 128 * j + col + i % 4) of a tile.
  const int row_block = blockIdx.x;
  const int row_row = row_block * 4 + row;

  // [1] for_blocks(column): tiles of 128
  const int column_last = (extent_column + 127) / 128 - 1;
  float sum[1] = {};
  for (int column_block = 0; column_block <= column_last; ++column_block) {
    float x_tile[1][4];                                               // [2] x_tile = load(x)  4x128 bf16
    {
      bf16 stored[4];
      load_row(stored, x + row_row * x_row + column_block * 128 + col,
          row_row < extent_row ? extent_column - (column_block * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) x_tile[0][i] = from_bf16(stored[i]);
    }
    // [3] sum = sum + reduce_sum(cast<f32>(x), column)  4 f32
    {
      float total = 0;  unroll for (int i = 0; i < 4; ++i) total += x_tile[0][i];
      sum[0] = sum[0] + total;
    }
  }
  unroll for (int r = 0; r < 1; ++r) sum[r] = across_sum<32>(sum[r]);
  const float number = (float)extent_column;                          // [4] number = cast<f32>(extent(column))
  const float inverse = 1.f / number;
  // [5] mean = sum / cast<f32>(extent(column))  4 f32
  float mean[1];  mean[0] = sum[0] * inverse;

  // [6] for_blocks(column): tiles of 128
  const int column_last_2 = (extent_column + 127) / 128 - 1;
  const int column_cut = extent_column / 128;
  float squares[1] = {};
  for (int column_block_2 = 0; column_block_2 <= column_last_2; ++column_block_2) {
    const bool cut = column_block_2 >= column_cut;                    // this tile may hold hidden elements
    float x_tile_2[1][4];                                             // [7] x_tile_2 = load(x)  4x128 bf16
    {
      bf16 stored[4];
      load_row(stored, x + row_row * x_row + column_block_2 * 128 + col,
          row_row < extent_row ? extent_column - (column_block_2 * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) x_tile_2[0][i] = from_bf16(stored[i]);
    }
    float apart[1][4];                                                // [8] apart = cast<f32>(x) - mean  4x128 f32
    unroll for (int i = 0; i < 4; ++i) apart[0][i] = x_tile_2[0][i] - mean[0];
    float tile[1][4];
    unroll for (int i = 0; i < 4; ++i)
        tile[0][i] = cut && !(column_block_2 * 128 + col + i < extent_column) ? 0.f : apart[0][i] * apart[0][i];
    // [9] squares = squares + reduce_sum(apart * apart, column)  4 f32
    {
      float total_2 = 0;  unroll for (int i = 0; i < 4; ++i) total_2 += tile[0][i];
      squares[0] = squares[0] + total_2;
    }
  }
  unroll for (int r = 0; r < 1; ++r) squares[r] = across_sum<32>(squares[r]);
  const float inverse_2 = 1.f / number;
  // [10] scale = rsqrt(squares / cast<f32>(extent(column)) + epsilon)  4 f32
  float scale[1];  scale[0] = rsqrtf(squares[0] * inverse_2 + epsilon);

  // [11] for_blocks(column): tiles of 128
  const int column_last_3 = (extent_column + 127) / 128 - 1;
  for (int column_block_3 = 0; column_block_3 <= column_last_3; ++column_block_3) {
    float x_tile_3[1][4];                                             // [12] x_tile_3 = load(x)  4x128 bf16
    {
      bf16 stored[4];
      load_row(stored, x + row_row * x_row + column_block_3 * 128 + col,
          row_row < extent_row ? extent_column - (column_block_3 * 128 + col) : 0);
      unroll for (int i = 0; i < 4; ++i) x_tile_3[0][i] = from_bf16(stored[i]);
    }
    // [13] normalized = (cast<f32>(x) - mean) * scale  4x128 f32
    float normalized[1][4];
    unroll for (int i = 0; i < 4; ++i) normalized[0][i] = (x_tile_3[0][i] - mean[0]) * scale[0];
    float gain_tile[1][4];                                            // [14] gain_tile = load(gain)  128 f32
    {
      float stored[4];
      load_row(stored, gain + column_block_3 * 128 + col, extent_column - (column_block_3 * 128 + col));
      unroll for (int i = 0; i < 4; ++i) gain_tile[0][i] = stored[i];
    }
    float bias_tile[1][4];                                            // [15] bias_tile = load(bias)  128 f32
    {
      float stored[4];
      load_row(stored, bias + column_block_3 * 128 + col, extent_column - (column_block_3 * 128 + col));
      unroll for (int i = 0; i < 4; ++i) bias_tile[0][i] = stored[i];
    }
    if (y) {                                                          // [16] store(y)
      {
        bf16 stored[4];
        unroll for (int i = 0; i < 4; ++i) stored[i] = to_bf16(normalized[0][i] * gain_tile[0][i] + bias_tile[0][i]);
        if (row_row < extent_row) store_row(y + row_row * y_row + column_block_3 * 128 + col, stored,
            extent_column - (column_block_3 * 128 + col));
      }
    }
  }
}
