// Integers that depend on where in the matrix of scores one stands: what masks and score functions
// are written with. An Index says how to compute a number and does not hold one; the compiler reads
// it, and Mask::visible and Score::value compute it on the host, so all see one formula.
//
//   Attention{}.mask([](Index b, Index h, Index q, Index k) { return q - k < 128 || k < 4; })
//
// Division and remainder round toward -inf. Numbers stay within 32 bits, or the program is wrong.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tilewright {

struct ScoreNode;
using ScoreTree = std::shared_ptr<const ScoreNode>;

/// An integer. Copies are cheap.
class Index {
 public:
  /// A number is an index; one with a fraction or a truth value is not. Throws
  /// Error{invalid_argument} for one that needs more than 32 bits.
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) Index(Integer number)  // NOLINT
      : Index(of(static_cast<std::int64_t>(number))) {}
  explicit Index(ScoreTree tree) : tree_(std::move(tree)) {}
  const ScoreTree& tree() const { return tree_; }
  std::string text() const;  ///< "q - k + 1"

  /// Of the launch: rows of q, keys, query heads.
  static Index seqlen_q();
  static Index seqlen_kv();
  static Index heads();
  /// A number that a launch may set by this name (AttentionTensors::numbers); no other compile is
  /// needed. Throws Error{invalid_argument} for a name that is no C identifier.
  static Index scalar(std::string name, int default_value);

 private:
  static Index of(std::int64_t number);
  ScoreTree tree_;
};

Index operator+(const Index& a, const Index& b);
Index operator-(const Index& a, const Index& b);
Index operator*(const Index& a, const Index& b);
Index operator/(const Index& a, const Index& b);  ///< toward -inf; by 0: 0
Index operator%(const Index& a, const Index& b);  ///< a - a / b * b
Index operator-(const Index& a);
Index operator&(const Index& a, const Index& b);
Index operator|(const Index& a, const Index& b);
Index operator<<(const Index& a, const Index& b);  ///< by 0 to 31
Index operator>>(const Index& a, const Index& b);  ///< by 0 to 31; the sign comes in
Index min(const Index& a, const Index& b);
Index max(const Index& a, const Index& b);
Index abs(const Index& a);

/// Where row q stands among the keys, q + seqlen_kv - seqlen_q: the last row stands at the last
/// key.
Index position(const Index& q);

/// One extent of a table: one of the launch's, or any.
enum class TableExtent : std::uint8_t { batch, heads, kv_heads, seqlen_q, seqlen_kv, any };

/// A tensor of i32 that a launch gives by name (AttentionTensors::tables): lengths, document ids.
/// table(i, j) reads one element; past its ends there are zeros.
class IndexTable {
 public:
  /// Throws Error{invalid_argument} for a name that is no C identifier, or no extents.
  IndexTable(std::string name, std::vector<TableExtent> extents);
  template <typename... At>
  Index operator()(const At&... at) const {
    return read({Index(at)...});
  }

 private:
  Index read(std::vector<Index> at) const;
  std::string name_;
  std::vector<TableExtent> extents_;
};

}  // namespace tilewright
