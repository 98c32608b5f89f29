// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) add(
    const f16* a, i64 a_row, const f16* b, i64 b_row, f16* c, i64 c_row, int extent_row, float factor) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int col = threadIdx.x * 8;
  // x[j][i] is element (1024 * j + col + i % 8) of a tile.
  const int row_block = blockIdx.x;
  float a_tile[1][8];                                                 // [1] a_tile = load(a)  1024 f16
  const auto* a_from = a;
  unroll for (int j = 0; j < 1; ++j) {
    f16 stored[8];
    load_row(stored, a_from + (row_block * 1024 + 1024 * j + col) * a_row,
        extent_row - (row_block * 1024 + 1024 * j + col));
    unroll for (int i = 0; i < 8; ++i) a_tile[j][i] = from_f16(stored[i]);
  }
  float b_tile[1][8];                                                 // [2] b_tile = load(b)  1024 f16
  const auto* b_from = b;
  unroll for (int j = 0; j < 1; ++j) {
    f16 stored[8];
    load_row(stored, b_from + (row_block * 1024 + 1024 * j + col) * b_row,
        extent_row - (row_block * 1024 + 1024 * j + col));
    unroll for (int i = 0; i < 8; ++i) b_tile[j][i] = from_f16(stored[i]);
  }
  // [3] sum = cast<f32>(a) + cast<f32>(b)  1024 f32
  float sum[1][8];
  unroll for (int j = 0; j < 1; ++j) unroll for (int i = 0; i < 8; ++i) sum[j][i] = a_tile[j][i] + b_tile[j][i];
  if (c) {                                                            // [4] store(c)
    auto* c_to = c;
    unroll for (int j = 0; j < 1; ++j) {
      f16 stored[8];
      unroll for (int i = 0; i < 8; ++i) stored[i] = to_f16(sum[j][i] * factor);
      store_row(c_to + (row_block * 1024 + 1024 * j + col) * c_row, stored,
          extent_row - (row_block * 1024 + 1024 * j + col));
    }
  }
}
