// What becomes of a score on its way to the softmax: scale, then these, then the mask. A ScoreMod
// is a function of the scaled score and of batch, query head, row and key; f | g applies f first.
//
//   Attention{}.score(softcap(50) | alibi())
//   Attention{}.score([](Score s, Index b, Index h, Index q, Index k) { return s + 0.5 * (k - q);
//   })
#pragma once

#include <tilewright/library/mask.hpp>

namespace tilewright {

/// An f32 that depends on the score and on where it stands. Copies are cheap.
class Score {
 public:
  Score(double number);        // NOLINT: a number is a score
  Score(const Index& number);  // NOLINT: so is an integer
  explicit Score(ScoreTree tree) : tree_(std::move(tree)) {}
  const ScoreTree& tree() const { return tree_; }
  std::string text() const;

  /// A number that a launch may set by this name; see Index::scalar.
  static Score scalar(std::string name, double default_value);

 private:
  ScoreTree tree_;
};

Score operator+(const Score& a, const Score& b);
Score operator-(const Score& a, const Score& b);
Score operator*(const Score& a, const Score& b);
Score operator/(const Score& a, const Score& b);
Score operator-(const Score& a);
Score min(const Score& a, const Score& b);
Score max(const Score& a, const Score& b);
Score abs(const Score& a);
Score exp(const Score& a);
Score exp2(const Score& a);
Score log(const Score& a);
Score log2(const Score& a);
Score tanh(const Score& a);
/// Both are computed, always.
Score where(const Mask& condition, const Score& if_true, const Score& if_false);

/// A tensor of f32 that a launch gives by name: slopes, biases. See IndexTable.
class ScoreTable {
 public:
  ScoreTable(std::string name, std::vector<TableExtent> extents);
  template <typename... At>
  Score operator()(const At&... at) const {
    return read({Index(at)...});
  }

 private:
  Score read(std::vector<Index> at) const;
  std::string name_;
  std::vector<TableExtent> extents_;
};

namespace detail {
Score raw_score();
}

/// A change of the scores.
class ScoreMod {
 public:
  /// None.
  ScoreMod() = default;
  explicit ScoreMod(ScoreTree tree) : tree_(std::move(tree)) {}
  /// [](Score s, Index batch, Index head, Index q, Index k) { return s * 2; }
  template <typename Function>
  requires std::is_invocable_r_v<Score, Function, Score, Index, Index, Index, Index> ScoreMod(
      const Function& function)
      : tree_(Score(function(detail::raw_score(), detail::batch_index(), detail::head_index(),
                             detail::row_index(), detail::key_index()))
                  .tree()) {}

  const ScoreTree& tree() const { return tree_; }  ///< null: none
  std::string text() const;                        ///< "50 * tanh(s / 50)"

 private:
  ScoreTree tree_;
};

/// f, then g.
ScoreMod operator|(const ScoreMod& f, const ScoreMod& g);

/// cap * tanh(s / cap) (Gemma 2). Number of the launch: softcap. Throws Error{invalid_argument}
/// unless cap is above 0.
ScoreMod softcap(double cap);

/// s - slopes[h] |position(q) - k| (ALiBi, arXiv 2108.12409), `slopes` an f32 table [heads] of the
/// launch: alibi_slopes gives the paper's.
ScoreMod alibi();

/// The slopes of ALiBi for any number of heads: 2^(-8 i / n), i = 1 … n, of the largest power of
/// two n <= heads, then every second one of those of 2 n.
std::vector<float> alibi_slopes(int heads);

/// s + relative_bias[h, clamp(k - position(q), -reach, reach) + reach]: an f32 table
/// "relative_bias" [heads, 2 reach + 1] of the launch, one number for each distance of key and row;
/// distances beyond the reach have its ends'. Throws Error{invalid_argument} unless reach is 0 to
/// 2^28.
ScoreMod relative_bias(int reach);

/// That table for T5 (arXiv 1910.10683): `learned` [num_buckets, heads] has a bias for each bucket
/// of distances, the first half of them exact, the others wider and wider up to max_distance =
/// reach. Bidirectional: half of the buckets are for keys after the row. Throws
/// Error{invalid_argument} for a number that is out of range, or `learned` of another size.
std::vector<float> t5_relative_bias(const std::vector<float>& learned, int heads, int num_buckets,
                                    int max_distance, bool bidirectional);

/// The bucket of a distance key - row, 0 … num_buckets - 1, in exact integers.
int t5_bucket(int distance, int num_buckets, int max_distance, bool bidirectional);

}  // namespace tilewright
