// A variant, seen by those who sweep them: the command, the tests, the benchmarks.
//
// A variant answers five questions and nothing else: what it is (its table row), what its formula
// is (for the reference), what its kernels are, what a run gives, and what the compiler made on the
// way. Each stands in a file of its own in bundled/; most are made of a recipe (recipe.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/domain.hpp"
#include "variants/formula.hpp"
#include "variants/shape.hpp"

namespace tilewright {
class KernelSource;
struct CompileRequest;
}  // namespace tilewright

namespace tilewright::library {

/// Choices a person forces on the schedule; an empty one is the compiler's.
struct ScheduleOverrides {
  std::optional<std::int64_t> tile_q, tile_kv, stages, warps;
  std::string text;  ///< a printed schedule to read back (`--schedule FILE`), or empty
};

struct Request {
  AttentionShape shape;
  ScheduleOverrides schedule;
  std::map<std::string, std::string> options;  ///< the variant's own, by name; defaults filled in
  std::uint64_t seed = 0;                      ///< of what the variant draws: patterns, tables
  /// Times to take once the result is there, each of enough launches in a row to be told; a GPU's
  /// only. 0: none.
  int timed = 0;
};

/// Contiguous host tensors in shape.layout, elements of shape.dtype.
struct Inputs {
  std::span<const std::byte> q, k, v;
};

/// Block counts, summed over batch and query heads: skipped + full + cut = B * Hq * Nq * Nkv. Where
/// rows or keys are taken in another order, or in parts, their tiles are others than those of the
/// matrix; skipped is then what is left of the matrix, at least 0.
struct BlockCounts {
  std::int64_t skipped = 0, full = 0, cut = 0;
};
/// What is left of the matrix.
std::int64_t skipped_of_all(const AttentionShape& shape, std::int64_t tile_q, std::int64_t tile_kv,
                            const BlockCounts& visited);

struct RunFault {
  std::string kind;
  std::string kernel;
  std::array<std::int64_t, 3> block{};
  std::array<std::int64_t, 3> thread{};
  std::int64_t ptx_line = 0;
  std::string source;  ///< the user's file:line, or empty if unknown
  std::string message;
};

struct RunResult {
  std::string device;          ///< what Device::open would take to find it again: "emulator:sm_80"
  std::string arch;            ///< what was compiled for: "sm_80"
  std::vector<std::byte> out;  ///< in shape.layout, shape.dtype, out_elements()
  std::vector<float> lse;      ///< [batch, heads, seqlen_q], natural logarithm
  std::int64_t tile_q = 0, tile_kv = 0;
  BlockCounts blocks;
  std::int64_t stride = 1;      ///< tiles hold every stride-th key: regrouped by residue …
  std::int64_t row_stride = 1;  ///< … and every row_stride-th row: stride, or all rows
  bool is_gathered = false;     ///< tiles hold keys that are gathered for their rows
  nlohmann::ordered_json counters = nlohmann::ordered_json::object();  ///< name -> number
  std::vector<RunFault> faults;                                        ///< empty: none was found
  std::vector<double> milliseconds;  ///< of one launch, Request::timed times; empty: not timed
};

/// What `dump` can show, in the order the compiler makes them.
enum class Stage { dsl, ir, schedule, cuda, ptx, cubin, sass };

/// Told of a kernel and how it is compiled.
using KernelVisitor =
    std::function<void(std::shared_ptr<const KernelSource> kernel, const CompileRequest& request)>;

/// The tiles that the compiled kernels cut the pairs into.
struct Tiling {
  std::int64_t tile_q = 0, tile_kv = 0;
  /// Row-major [tiles of rows, tiles of keys] for sequence b and query head h.
  std::function<std::vector<ir::TileClass>(std::int64_t b, std::int64_t h)> classes;
  /// Of kernels that walk rows or keys with a stride: tile i covers the rows row_order[i * tile_q
  /// …], -1 where a group ends early. Empty: as they are numbered.
  std::vector<std::int64_t> row_order = {}, key_order = {};
  /// Of kernels that gather keys for each tile of rows: keys[i * places + x] stands at place x of
  /// tile i of rows, -1 where none does. Empty: not gathered.
  std::function<std::vector<std::int64_t>(std::int64_t b, std::int64_t h)> gathered = {};
};

class Variant {
 public:
  virtual ~Variant() = default;

  /// Names every kernel that `run` compiles for this request, in the order of their launches.
  /// Throws Error: unsupported or invalid_argument for what no kernel can do.
  virtual void visit_kernels(const Request& request, const KernelVisitor& visit) const = 0;

  /// Compiles (or finds in the cache), launches once on `device` (a spec as Device::open takes it,
  /// "" for the default) and copies the results back. Faults are returned, not thrown.
  /// Throws Error: missing, unsupported, invalid_argument, launch_failed, compile_failed.
  virtual RunResult run(const Request& request, const std::string& device,
                        const Inputs& inputs) const = 0;

  /// The text (cubin: the bytes) of one stage for `arch` ("sm_80"); needs no device.
  virtual std::string dump(const Request& request, const std::string& arch, Stage stage) const = 0;

  /// Which tiles the kernels compiled for `arch` visit; needs no device. Nothing where they have no
  /// one tiling of the pairs. Throws as visit_kernels.
  virtual std::optional<Tiling> tiling(const Request& request, const std::string& arch) const;

  /// What `run` is to compute, written plainly; by default attention, causal where the shape says
  /// so. Throws Error{invalid_argument} for options that make no sense.
  virtual Formula formula(const Request& request) const;

  /// Whether the scores pass through the input's type on their way to the softmax. The plain
  /// computation that sets the tolerance then rounds them too.
  virtual bool rounds_scores(const Request&) const { return false; }
};

struct OptionHelp {
  std::string_view name;           ///< "--causal"
  std::string_view default_value;  ///< as text; "" if there is none; flags have "false"
  std::string_view help;
  bool flag = false;
  std::string_view value = "N";  ///< what the help calls its value
};

struct Recipe;

/// One row of the table that `list`, `run` and `dump` sweep.
struct VariantEntry {
  std::string name;
  std::string origin;
  std::string summary;
  std::string mask;                 ///< its formula in indices: "k <= p && k > p - width"
  std::vector<OptionHelp> options;  ///< its own, beyond the shape options that all have
  /// Options worth a test each, beyond the defaults: "--window-left 0 --window-right 63".
  std::vector<std::string> cases;
  std::function<std::unique_ptr<Variant>()> make;
  /// Where its options decide extents: sets them. Empty: they don't.
  std::function<void(Request& request)> shape = {};
  std::shared_ptr<const Recipe> recipe = {};  ///< null: it can't be composed with others
};

using VariantTable = std::span<const VariantEntry>;

}  // namespace tilewright::library
