// What the variants share between their kernels and the table: a Request becomes overrides of a
// schedule, a plan's launch becomes a RunResult, programs become a dump.
#pragma once

#include <string>
#include <tilewright/compile.hpp>
#include <vector>

#include "scores/evaluate.hpp"
#include "variants/variant.hpp"

namespace tilewright::library {

/// The extents given, and the schedule's choices that the request forces.
CompileRequest compile_request(const Request& request, std::map<std::string, std::int64_t> extents);

/// What a launch is given beyond the tensors of attention.
struct MoreArguments {
  std::vector<ScoreTree> arguments = {};         ///< numbers with their defaults, and tables …
  std::map<std::string, HostTable> tables = {};  ///< … which are uploaded from here
  /// Work that goes before the launch, and may add to its arguments; it is not counted.
  std::function<void(const Stream& stream, std::vector<Binding>& all)> before = {};
  /// Work that goes behind the launches, and is counted with them.
  std::function<void(const Stream& stream, const std::vector<Binding>& all)> after = {};
  /// Several launches of the same kernel in the place of one, or none; empty: the one.
  std::function<std::vector<std::vector<Binding>>(const std::vector<Binding>& all)> launches = {};
};

/// Uploads the inputs, launches `plan` once with the arguments q, k, v, out, lse and softmax_scale
/// (and a workspace where it takes one) and those of `more`, and copies the results back. Faults
/// are returned, not thrown; counters are summed over the kernels. Tile and blocks are left to the
/// caller. Times are taken as Request::timed says.
RunResult run_plan(Plan plan, const Request& request, const Inputs& inputs,
                   const MoreArguments& more = {});

/// A contiguous tensor of the shape's layout, seen as [batch, head, length, dim].
TensorView tensor_view(const Buffer& buffer, const AttentionShape& shape, std::int64_t heads,
                       std::int64_t length, std::int64_t dim);

/// One stage of programs that are launched in this order; `name` is the file's.
std::string dump_programs(const std::vector<Program>& programs, const std::string& name,
                          const std::string& arch, Stage stage);

}  // namespace tilewright::library
