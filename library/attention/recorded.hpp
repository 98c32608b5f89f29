// The bridge from untyped score trees to the typed language: a tree is recorded node by node into
// the kernel that is being traced. What the language checks in C++'s types, the trees check in
// theirs (Index, Mask, Score), and the program's verifier checks again.
#pragma once

#include <map>
#include <optional>
#include <tilewright/dsl.hpp>

#include "loops/dimensions.hpp"
#include "scores/node.hpp"

namespace tilewright::library {

/// Where a tree stands in the kernel: values of the trace.
struct RecordingPlace {
  ValueId batch = no_value, head = no_value, score = no_value, residue = no_value;
  ValueId key = no_value;  ///< of keys that are gathered, i32 [slot]
  /// Tiles of indices in place of the kernel's own rows and keys, and their dimensions.
  struct Pairs {
    ValueId row = no_value, key = no_value, seqlen_q = no_value, seqlen_kv = no_value;
    std::string_view row_dim = {}, key_dim = {};
  };
  std::optional<Pairs> pairs = {};
};

/// Records one tree, shared parts once.
class TreeRecorder {
 public:
  TreeRecorder(const detail::Statement& statement, RecordingPlace place)
      : statement_(statement), place_(place) {}
  ValueId record(const ScoreTree& tree);

 private:
  struct Recorded {
    ValueId value = no_value;
    std::vector<std::string_view> dims;
  };
  Recorded of(const ScoreTree& tree);
  Recorded leaf(ScoreNode::Leaf which);
  Recorded append(Op op, DType dtype, std::vector<std::string_view> dims, const Details& details,
                  const std::vector<ValueId>& operands, std::vector<IndexSpec> indices = {});

  const detail::Statement& statement_;
  RecordingPlace place_;
  std::map<const ScoreNode*, Recorded> known_;
};

/// Declares the numbers and tables of the trees, after the kernel's own arguments. `of_some`: rows
/// and keys of a table are no dimensions of the kernel, which has some of them.
void declare_arguments(std::span<const ScoreTree> trees, bool of_some = false);

/// A mask, a change of the scores and sinks, as flash_forward takes them.
struct ComposedScores {
  ScoreTree mask, score_mod, sink;  ///< null: every key; none; none
  bool of_some = false;             ///< rows and keys of the kernel are some of the tables'
  ValueId residue = no_value, key = no_value;

  void arguments() const { declare_arguments(std::array{mask, score_mod, sink}, of_some); }

  /// The same within a residue, a value of the grid.
  template <typename Residue>
  ComposedScores within(const Residue& r,
                        const std::source_location place = std::source_location::current()) const {
    const detail::Statement statement("a residue", place);
    ComposedScores result = *this;
    result.residue = detail::record(detail::as_operand(r), statement);
    return result;
  }

  /// The same over keys that are gathered: `keys` i32 [slot], a value of the loop.
  template <typename Keys>
  ComposedScores over(const Keys& keys,
                      const std::source_location place = std::source_location::current()) const {
    const detail::Statement statement("gathered keys", place);
    ComposedScores result = *this;
    result.key = detail::record(detail::as_operand(keys), statement);
    return result;
  }

  template <typename Head>
  auto softmax(const Head& h,
               const std::source_location place = std::source_location::current()) const {
    if (!sink) return OnlineSoftmax<M, E>(place);
    return OnlineSoftmax<M, E>::with_sink(recorded<Tile<f32>>(sink, h, h, no_value, place), place);
  }

  template <typename Batch, typename Head, typename Loop>
  void visible(const Batch& b, const Head& h, const Loop& loop,
               const std::source_location place = std::source_location::current()) const {
    if (!mask) return loop();
    loop(
        [&](auto) { return recorded<Tile<b1, Dim<"q">, Dim<"kv">>>(mask, b, h, no_value, place); });
  }

  template <typename Scores, typename Batch, typename Head>
  auto score(const Scores& scaled, const Batch& b, const Head& h,
             const std::source_location place = std::source_location::current()) const {
    const bool hides = mask && key != no_value;  // elsewhere the loop asks the mask
    const auto raw = let(score_mod || hides ? "qk" : "s", scaled, place);
    if (!score_mod && !hides) return raw;
    using Value = std::remove_cvref_t<decltype(raw)>;
    const Value changed =
        score_mod ? recorded<typename Value::shape>(score_mod, b, h, raw.id, place) : raw;
    if (!hides) return let("s", changed, place);
    using Shown = shape_of<decltype(raw == 0.f)>;  // a predicate of the scores' dimensions
    return let("s", where(recorded<Shown>(mask, b, h, no_value, place), changed, -infinity), place);
  }

 protected:
  template <typename Shape, typename Batch, typename Head>
  Value<Shape> recorded(const ScoreTree& tree, const Batch& b, const Head& h, ValueId score,
                        const std::source_location& place) const {
    const detail::Statement statement("a mask or score function", place);
    const RecordingPlace at{detail::record(detail::as_operand(b), statement),
                            detail::record(detail::as_operand(h), statement), score, residue, key};
    return {TreeRecorder(statement, at).record(tree), statement.trace.serial()};
  }
};

}  // namespace tilewright::library
