// rope_interleaved, aligned tensors, sm_80: pairs of neighbours.
// CUDA 13.0: 34 registers, 0 bytes of spills.
// x[1, 2, 77, 128], cosine[77, 64], sine[77, 64], y[1, 2, 77, 128]:
// 157696 bytes in 22176 sectors of global memory, 0 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(128) rope(
    const bf16* x, i64 x_batch, i64 x_head, i64 x_row, i64 x_d, const float* cosine, i64 cosine_row,
    const float* sine, i64 sine_row, bf16* y, i64 y_batch, i64 y_head, i64 y_row, i64 y_d, int extent_batch,
    int extent_head, int extent_row) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp, col = lane * 4;
  // x[j][i] is element (row, 128 * j + col + i % 4) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int row_blocks = (extent_row + 3) / 4;
  const int row_block = program % row_blocks;  program /= row_blocks;
  const int head_index = program % extent_head;  program /= extent_head;
  const int batch_index = program;
  const int row_row = row_block * 4 + row;
  float x_tile[1][4];                                                 // [1] x_tile = load(x)  4x128 bf16
  const auto* x_from = x + batch_index * x_batch + head_index * x_head;
  unroll for (int i = 0; i < 4; ++i)
      x_tile[0][i] = row_row < extent_row
      && col + i < 64 ? from_bf16(x_from[row_row * x_row + (col + i) * (2 * x_d)]) : 0;
  float one[1][4];                                                    // [2] one = cast<f32>(x)  4x128 f32
  unroll for (int i = 0; i < 4; ++i) one[0][i] = x_tile[0][i];
  float x_tile_2[1][4];                                               // [3] x_tile_2 = load(x)  4x128 bf16
  const auto* x_from_2 = x + batch_index * x_batch + head_index * x_head + 1 * x_d;
  unroll for (int i = 0; i < 4; ++i)
      x_tile_2[0][i] = row_row < extent_row
      && col + i < 64 ? from_bf16(x_from_2[row_row * x_row + (col + i) * (2 * x_d)]) : 0;
  float two[1][4];                                                    // [4] two = cast<f32>(x)  4x128 f32
  unroll for (int i = 0; i < 4; ++i) two[0][i] = x_tile_2[0][i];
  float c[1][4];                                                      // [5] c = load(cosine)  4x128 f32
  {
    float stored[4];
    load_row(stored, cosine + row_row * cosine_row + col, row_row < extent_row ? 64 - (col) : 0);
    unroll for (int i = 0; i < 4; ++i) c[0][i] = stored[i];
  }
  float s[1][4];                                                      // [6] s = load(sine)  4x128 f32
  {
    float stored[4];
    load_row(stored, sine + row_row * sine_row + col, row_row < extent_row ? 64 - (col) : 0);
    unroll for (int i = 0; i < 4; ++i) s[0][i] = stored[i];
  }
  if (y) {                                                            // [7] store(y)
    auto* y_to = y + batch_index * y_batch + head_index * y_head;
    unroll for (int i = 0; i < 4; ++i)
      if (row_row < extent_row && col + i < 64)
        y_to[row_row * y_row + (col + i) * (2 * y_d)] = to_bf16(one[0][i] * c[0][i] - two[0][i] * s[0][i]);
  }
  if (y) {                                                            // [8] store(y)
    auto* y_to_2 = y + batch_index * y_batch + head_index * y_head + 1 * y_d;
    unroll for (int i = 0; i < 4; ++i)
      if (row_row < extent_row && col + i < 64)
        y_to_2[row_row * y_row + (col + i) * (2 * y_d)] = to_bf16(two[0][i] * c[0][i] + one[0][i] * s[0][i]);
  }
}
