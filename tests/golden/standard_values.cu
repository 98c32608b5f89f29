// standard_values, aligned tensors, sm_80: out = P v, P from memory.
// CUDA 13.0: 128 registers, 0 bytes of spills. Its hot loop: 9.06 instructions per element of q 128 x kv 128.
// v[1, 2, 332, 64], p[1, 2, 200, 332], out[1, 2, 200, 64]:
// 752384 bytes in 31912 sectors of global memory, 14736 passes over shared memory, 0 of them bank conflicts.
// ---- kernel ----
extern "C" __global__ void __launch_bounds__(256) values(
    const float* p, i64 p_batch, i64 p_q_head, i64 p_q, const bf16* v, i64 v_batch, i64 v_kv_head, i64 v_kv,
    bf16* out, i64 out_batch, i64 out_q_head, i64 out_q, int extent_batch, int extent_kv, int extent_kv_head,
    int extent_q, int extent_q_head) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = 16 * warp + lane / 4, col = lane % 4 * 2;
  // x[j][i] is element (row + i / 2 * 8, 8 * j + col + i % 2) of a tile.
  int program = blockIdx.x;                                           // the last dimension runs fastest
  const int q_blocks = (extent_q + 127) / 128;
  const int q_block = program % q_blocks;  program /= q_blocks;
  const int q_head_index = program % extent_q_head;  program /= extent_q_head;
  const int batch_index = program;
  const u32 v_s = shared_address(shared);
  const int q_row = q_block * 128 + row;
  const u32 v_at = v_s + chunk_at<8>(lane % 16, lane / 16);
  const u32 out_s = shared_address(shared);

  // [1] for_blocks(kv): tiles of 128
  const int kv_last = (extent_kv + 127) / 128 - 1;
  float acc[8][4] = {};
  const auto* v_from = v + batch_index * v_batch + q_head_index / (extent_q_head / extent_kv_head) * v_kv_head;
  for (int kv_block = -1, stage = 0; kv_block <= kv_last; ++kv_block, stage ^= 16384) {
    wait_copies<0>();
    __syncthreads();
    if (const int next = kv_block + 1, slot = stage ^ 16384; next <= kv_last) {
      // [2] v = load(v)  128x64 bf16, to shared memory
      copy_tile<128, 64, 8, 8, 256>(v_s + slot, v_from + next * 128 * v_kv, v_kv, extent_kv - next * 128);
    }
    commit_copies();
    if (kv_block < 0) continue;                                       // the round before the first tile only copies
    float p_tile[16][4];                                              // [3] p_tile = load(p)  128x128 f32
    const auto* p_from = p + batch_index * p_batch + q_head_index * p_q_head;
    unroll for (int j = 0; j < 16; ++j) unroll for (int r = 0; r < 2; ++r) {
      float stored[2];
      load_row(stored, p_from + (q_row + 8 * r) * p_q + kv_block * 128 + 8 * j + col,
          q_row + 8 * r < extent_q ? extent_kv - (kv_block * 128 + 8 * j + col) : 0);
      unroll for (int i = 0; i < 2; ++i) p_tile[j][2 * r + i] = stored[i];
    }
    // [4] acc = acc + dot(cast<bf16>(p), v, kv)  128x64 f32
    unroll for (int step = 0; step < 8; ++step) {
      const u32 lhs[4] = {pack_bf16(p_tile[2 * step][0], p_tile[2 * step][1]), pack_bf16(p_tile[2 * step][2],
          p_tile[2 * step][3]),
          pack_bf16(p_tile[2 * step + 1][0], p_tile[2 * step + 1][1]), pack_bf16(p_tile[2 * step + 1][2],
          p_tile[2 * step + 1][3])};
      unroll for (int j = 0; j < 8; j += 2) {
        u32 rhs[4];  ldmatrix_trans(rhs, ((v_at + stage) ^ 16 * j) + 128 * 16 * step);
        mma_bf16(acc[j], lhs, rhs[0], rhs[1]);  mma_bf16(acc[j + 1], lhs, rhs[2], rhs[3]);
    } }
  }
  __syncthreads();
  // [5] store(out), 16 bytes a lane through shared memory
  if (out) {
    bf16* out_to = out + batch_index * out_batch + q_head_index * out_q_head + q_block * 128 * out_q;
    const u32 out_at = out_s + chunk_at<8>(row, 0) + 2 * col;
    unroll for (int j = 0; j < 8; ++j) unroll for (int r = 0; r < 2; ++r)
      store4((out_at ^ 16 * j) + 1024 * r, pack_bf16(acc[j][2 * r], acc[j][2 * r + 1]));
    __syncwarp();
    for (int i = lane; i < 16 * 8; i += 32) {
      const int r = 16 * warp + i / 8, c = i % 8;
      if (q_block * 128 + r >= extent_q) break;
      *(uint4*)(out_to + r * out_q + 8 * c) = *(const uint4*)(shared + chunk_at<8>(r, c));
    }
  }
}
