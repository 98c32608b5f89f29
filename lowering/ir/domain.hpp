// The domain of a loop over tiles: which tiles a mask leaves, as closed forms in run-time numbers.
//
// Tiles of `width` elements are numbered 0 … ceil(extent/width)-1. A tile is *visited* when at
// least one (row, element) pair in it is visible, *cut* when visited and at least one pair is
// hidden, *full* when none is. `visited` and `hidden` are unions of tile intervals [first, last];
// an interval with first > last is empty. A visited tile outside every `hidden` interval is full. A
// tile that runs past the extent counts as the part inside it (the emitter runs it as cut because
// loads end there).
//
// Bounds are small integer expressions over names known at launch or per program: extents, scalar
// arguments, the block's first and last row. They are evaluated on the host for counts and printed
// into the kernel for the loop, from the same tree.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tilewright::ir {

/// An integer expression, immutable and shared. Division and remainder round toward -inf.
class IntExpr {
 public:
  enum class Kind : std::uint8_t {
    constant,
    symbol,
    add,
    sub,
    mul,
    floor_div,
    mod,
    minimum,
    maximum
  };

  IntExpr(std::int64_t constant = 0);  // NOLINT: a number is an expression
  /// A name: "extent(kv)", "scalar(window)", "first(q)", "last(q)", "value(17)" (a uniform IR
  /// value), "block(kv)" (the tile's own number, in a condition), …
  static IntExpr symbol(std::string name);

  Kind kind() const;
  std::int64_t constant() const;
  const std::string& name() const;
  const IntExpr& left() const;
  const IntExpr& right() const;
  bool is_constant() const { return kind() == Kind::constant; }

  /// Builders fold constants and apply x+0, x*1, min(x,x) and the like.
  friend IntExpr operator+(const IntExpr&, const IntExpr&);
  friend IntExpr operator-(const IntExpr&, const IntExpr&);
  friend IntExpr operator*(const IntExpr&, const IntExpr&);
  friend IntExpr floor_div(const IntExpr&, const IntExpr&);
  friend IntExpr mod(const IntExpr&, const IntExpr&);
  friend IntExpr minimum(const IntExpr&, const IntExpr&);
  friend IntExpr maximum(const IntExpr&, const IntExpr&);
  friend bool operator==(const IntExpr&, const IntExpr&);  ///< structural

  /// Sums, products and the rest on numbers, as `evaluate` makes them.
  static std::int64_t apply(Kind kind, std::int64_t a, std::int64_t b);
  std::int64_t evaluate(const std::function<std::int64_t(const std::string&)>& symbol) const;
  /// With other names, or expressions for them.
  IntExpr replaced(const std::function<IntExpr(const std::string&)>& name) const;
  /// C text with minimal parentheses; `symbol` spells a name. Division and remainder are calls of
  /// `floor_div(a, b)` and `floor_mod(a, b)` unless the divisor is a positive constant and the
  /// dividend is known non-negative (extents, tiles, first and last rows are).
  std::string print(const std::function<std::string(const std::string&)>& symbol) const;

 private:
  struct Node;
  explicit IntExpr(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  static IntExpr make(Kind kind, const IntExpr& left, const IntExpr& right);
  std::shared_ptr<const Node> node_;
};

/// Tiles first … last, both included, of those the ones with condition >= 0. Empty when first >
/// last. The condition asks for the number of the tile as "block(kv)"; of a congruence it says
/// whether a pair with such a remainder lies in the tile.
struct TileInterval {
  IntExpr first;
  IntExpr last;
  IntExpr condition = 0;
  /// The condition is the same so many elements (a multiple of the tile's width) further on; 0: it
  /// need not be.
  IntExpr repeats = 0;

  bool has_condition() const { return !condition.is_constant(); }
};

struct Domain {
  std::vector<TileInterval> visited = {};  ///< may touch and overlap; the union is what counts
  std::vector<TileInterval> hidden =
      {};  ///< tiles holding at least one hidden pair (inside the extents)
  /// `hidden` for the loop itself, in fewer words: it may also hold a last tile that runs past the
  /// extent, which runs as a cut one anyway. Counts take `hidden`.
  std::vector<TileInterval> hidden_in_loop = {};
  bool listed = false;  ///< a list names the tiles and says which are cut: no intervals
  bool exact =
      true;  ///< false: an atom outside the zones fell back to intervals (sound, not tight)
  bool full_exact = true;  ///< `hidden` is tight even where `visited` may not be
  std::string note = {};   ///< which atom fell back, for the printed analysis
  std::vector<std::string> positive =
      {};  ///< symbols the intervals take to be at least 1 (divisors): check at launch
  std::int64_t width =
      0;  ///< elements per tile the intervals were derived for; 0: symbolic "tile(kv)"
};

/// What becomes of one tile.
enum class TileClass : std::uint8_t { skipped, full, cut };

struct TileCounts {
  std::int64_t skipped = 0;
  std::int64_t full = 0;
  std::int64_t cut = 0;
};

/// Names of uniform values, "value(17)", that the bounds ask for.
std::vector<int> values_named(const Domain& domain);
/// All names that the bounds ask for, but for the tile's number.
std::vector<std::string> names_in(const Domain& domain);

/// Classes of all tiles for one program, from evaluated intervals: the host's count, and the
/// tests'.
std::vector<TileClass> classify(const Domain& domain, std::int64_t tiles,
                                const std::function<std::int64_t(const std::string&)>& symbol);

}  // namespace tilewright::ir
