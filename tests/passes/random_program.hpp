// Random well-typed tile programs, written against the gate of the typed language: what a kernel's
// lambda may record, a program here may record, and nothing else. One number is one program. Every
// statement draws from a source of its own, so that one can be left out and the others stay as they
// are: that is how a failing program is made small. Expressions: random_expressions.cpp;
// statements: random_statements.cpp; loops: random_loops.cpp; masks: random_visibility.cpp;
// lists of tiles: random_lists.cpp; tensors: random_inputs.cpp; a failing program made small:
// made_small.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ir/interpret.hpp"
#include "tilewright/dsl/kernel.hpp"

namespace tilewright::test {

/// Draws from mt19937_64 without the standard's distributions, which differ between libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  int below(int count) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(count)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool chance(int percent) { return below(100) < percent; }
  template <typename T>
  const T& of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937_64 engine_;
};
std::uint64_t mixed(std::uint64_t seed, std::uint64_t with);

using Dims = std::vector<std::string>;

/// What a program is made of, fixed before its first statement.
struct Recipe {
  explicit Recipe(std::uint64_t seed);

  std::map<std::string, std::int64_t> extents;  ///< b g m n p d e
  DType half = DType::bf16;
  bool exact = true;       ///< only operations on dyadic numbers: f32 arithmetic should not round
  bool has_batch = true;   ///< each(b)
  bool has_rows = true;    ///< blocks(m); else m is used whole
  bool products = true;    ///< dots on tensor cores' terms
  bool shapes = false;     ///< indices with steps and offsets, and takes
  bool wild = false;       ///< tiles of three dimensions and any pairing of dimensions
  int requested_tile = 0;  ///< blocks(m, …)
  int statements = 8;

  /// Extents that tiles use whole, as `build` takes them.
  std::map<std::string, std::int64_t> bound() const;
};

struct Typed {
  ValueId id = no_value;
  DType dtype{};
  Dims dims;
};

class RandomProgram final : public KernelSource {
 public:
  /// `skip`: statements to leave out, by their identity.
  explicit RandomProgram(std::uint64_t seed, std::set<std::uint64_t> skip = {});
  void trace(Gate& gate) const override;

  std::uint64_t seed() const { return seed_; }
  const Recipe& recipe() const { return recipe_; }
  /// Identities of the statements of the last trace, in order.
  const std::vector<std::uint64_t>& statements() const { return statements_; }
  /// Extents other than the recipe's own, while a failing program is made small.
  void set_extent(const std::string& dim, std::int64_t extent) { recipe_.extents[dim] = extent; }

 private:
  std::uint64_t seed_;
  Recipe recipe_;
  std::set<std::uint64_t> skip_;
  mutable std::vector<std::uint64_t> statements_;
};

/// The smallest program that `wrong` still finds something in: statements are left out, then
/// extents shortened. Its text is the finding, with what the program was.
std::string made_small(
    std::uint64_t seed,
    const std::function<std::optional<std::string>(const RandomProgram&)>& wrong);

/// Tensors and scalars for a program's arguments. The first letter of an argument's name says what
/// it holds: x data, y powers of two, i small integers, t indices into its program's g, c trip
/// counts, l lengths, s a factor, w a small positive number, o an output, filled with what nobody
/// computes; u and v where rows of a list begin and end, f its tiles, k its tiles, all of them cut.
ir::Inputs random_inputs(const ir::Kernel& kernel, const Recipe& recipe, std::uint64_t seed);

/// The extent of a tensor's dimension: the recipe's, or that of a list's rows or entries.
std::int64_t extent_of(const std::string& dim, const Recipe& recipe);
/// Fills a tensor of a list; false for others.
bool fill_list(const Argument& argument, const Recipe& recipe, Random& random,
               ir::HostTensor& tensor);

/// One trace in progress.
class Writer {
 public:
  Writer(Gate& gate, const Recipe& recipe, std::uint64_t seed, const std::set<std::uint64_t>& skip,
         std::vector<std::uint64_t>& statements)
      : gate_(gate),
        recipe_(recipe),
        random_(seed),
        shapes_(mixed(seed, 0x5a9e)),
        lists_(mixed(seed, 0x115f)),
        scope_{seed, 0},
        skip_(skip),
        log_(statements) {}
  void program();

 private:
  struct Variable {
    VariableId id;
    DType dtype;
    Dims dims;
    std::string name;
  };
  struct OpenLoop {
    std::string dim;
    Dims mask;  ///< dimensions of its mask; empty: none
  };
  struct Scope {
    std::uint64_t seed;
    std::uint64_t count;
  };

  // random_expressions.cpp
  Typed node(Op op, DType dtype, const std::vector<Typed>& operands);
  Typed number(DType dtype, double value);
  Typed integer(std::int64_t value) { return number(DType::i32, static_cast<double>(value)); }
  Typed index_of(const std::string& dim);
  Typed extent_of(const std::string& dim);
  Typed scalar(char kind, DType dtype);
  Typed load(char kind, DType dtype, const Dims& dims);
  Typed leaf(DType dtype, const Dims& allowed);
  Typed plain_leaf(DType dtype, const Dims& allowed);
  Typed small_integer(const Dims& allowed);
  Typed floating(const Dims& allowed, int depth);
  Typed rounding(const Dims& allowed, int depth);
  Typed integral(const Dims& allowed, int depth);
  Typed condition(const Dims& allowed, int depth);
  Typed value(DType dtype, const Dims& allowed, int depth);
  Typed dot(const Typed& a, const Typed& b, const std::string& axis);
  Typed reduce(Op op, const Typed& x, const std::string& axis);
  Typed spread(Typed x, const Dims& over);
  Typed cast(DType to, const Typed& x);

  // random_visibility.cpp
  Typed mask(const std::string& dim, int depth);
  Typed mask_atom(const std::string& dim);

  // random_statements.cpp
  void statement(const std::function<void()>& make);
  void statements(int count);
  void one_statement();
  void let();
  void declare_variable();
  void assign();
  void exchange();
  void store();
  void store_value(Typed x);
  void reduction();
  void product();
  void weighted_sum();
  void running_sums();
  void loop_over_blocks();
  void in_blocks(const std::string& dim, const std::function<void()>& make);
  std::optional<TileList> list_of(const std::string& dim, bool masked);
  void loop_over_range();
  void body(const std::function<void()>& make);
  void keep(Typed x, const std::string& name);

  Dims tile_dims();
  std::string some_loop();
  std::vector<Typed> readable(DType dtype, const Dims& allowed);
  bool may_reduce(const Dims& dims, const std::string& axis) const;
  bool may_store(const Dims& dims) const;
  bool is_open(const std::string& dim) const;
  Provenance where() { return {{"tests/random.cpp", line_}, {}}; }

  Gate& gate_;
  const Recipe& recipe_;
  Random random_;
  Random shapes_;  ///< of its own: programs without shapes stay as they are
  Random lists_;   ///< the same
  Scope scope_;
  const std::set<std::uint64_t>& skip_;
  std::vector<std::uint64_t>& log_;
  std::uint32_t line_ = 1;
  int names_ = 0;
  std::vector<Typed> pool_;
  std::vector<Variable> variables_;
  std::vector<OpenLoop> loops_;
  std::vector<Argument> declared_;
  std::map<std::string, std::vector<IndexSpec>> addressed_;  ///< by tensor: as it was loaded first
  ValueId batch_ = no_value;
  std::map<std::string, ValueId> blocks_;
  int work_ = 0;  ///< loops in loops: bodies get shorter
};

bool contains(const Dims& dims, const std::string& dim);
bool subset(const Dims& part, const Dims& whole);
Dims united(const Dims& a, const Dims& b);
Dims without(Dims dims, const std::string& dim);

}  // namespace tilewright::test
