// Rotary positions (RoPE, Su et al. 2021, arXiv 2104.09864): pairs of elements of queries and keys
// are turned by an angle that grows with their position, so that scores depend on distances.
//
//   auto plan = Attention{}.mask(causal()).rope().compile(device, {.head_dim = 128});
//   auto tables = rope_tables(rope_inv_freq(128), 4096);     // uploaded as f32 [4096, 64] each
//   plan.launch(stream, {.q = q, …, .tables = {{"rope_cos", cos}, {"rope_sin", sin}}});
//
// Angles come from tables, made on the host in double precision: they are right at any position,
// and every scheme that changes frequencies or positions (position interpolation, NTK, YaRN) is
// another table and the same kernel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tilewright {

/// Which elements turn together: p with p + dim / 2 (GPT-NeoX, Llama), or 2 p with 2 p + 1 (GPT-J).
enum class RopePairing : std::uint8_t { half, interleaved };

/// What Attention::rope is compiled for. A launch gives the tables "rope_cos" and "rope_sin", f32
/// [positions, dim / 2].
struct Rope {
  RopePairing pairing = RopePairing::half;
  /// Elements of a head that turn, the first ones; even. The others stay. 0: head_dim.
  std::int64_t dim = 0;
  /// The launch gives positions, too: tables "positions_q", i32 [batch, seqlen_q], and
  /// "positions_k", i32 [batch, seqlen_kv], from 0 to below `positions`; a row or key elsewhere
  /// makes NaN of the scores it is part of. Otherwise key k stands at k and row q at q + seqlen_kv
  /// - seqlen_q, and the tables need as many positions as the longer of the two.
  bool positions_given = false;
};

/// Radians that a pair turns from one position to the next: base^(-2 i / dim), i < dim / 2. Throws
/// Error{invalid_argument} unless dim is even and at least 2 and base is above 0.
std::vector<double> rope_inv_freq(std::int64_t dim, double base = 10'000);

/// The base of NTK-aware scaling, base * scale^(dim / (dim - 2)): fast pairs stay as they are, the
/// slowest turns `scale` times as slowly. Throws Error{invalid_argument} unless dim is even and
/// above 2 and both numbers are above 0.
double rope_ntk_base(std::int64_t dim, double scale, double base = 10'000);

/// What is not in the frequencies.
struct RopeScaling {
  /// Positions are divided by it: position interpolation (Chen et al. 2023, arXiv 2306.15595) with
  /// new over trained length.
  double position_scale = 1;
  /// Factor of turned queries and of turned keys: scores of turned elements grow by its square.
  /// YaRN (Peng et al. 2023, arXiv 2309.00071) takes 0.1 log(scale) + 1.
  double temperature = 1;
};

/// Row-major [positions, pairs].
struct RopeTables {
  std::int64_t positions = 0, pairs = 0;
  std::vector<float> cosine, sine;
};

/// cos and sin of position / position_scale * inv_freq, for positions 0 to `positions` - 1. Throws
/// Error{invalid_argument} for a negative number of positions, no frequencies, or a number that is
/// not finite or a scale not above 0.
RopeTables rope_tables(std::span<const double> inv_freq, std::int64_t positions,
                       const RopeScaling& scaling = {});

}  // namespace tilewright
