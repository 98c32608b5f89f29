// See compressed.hpp.
#include "variants/compressed.hpp"

#include <tilewright/compile.hpp>
#include <tilewright/error.hpp>

#include "attention/compressed.hpp"
#include "variants/errors.hpp"
#include "variants/listed.hpp"
#include "variants/run_plan.hpp"

namespace tilewright::library {
namespace {

struct Built {
  Mask mask;
  CompressedParts parts;
  Tables tables;

  /// The mask's tiles, as lists of them are made.
  AttentionParts listed() const {
    return {.mask = mask, .block_q = parts.block_q, .block_kv = parts.block_kv};
  }
};

Built built(const Joined& all, const Request& request) {
  const auto given = request.options.find(regroup_option);
  if (given != request.options.end() && given->second == "on")
    throw Error(errors::variants["variant-parts-exclude"],
                "rows and keys of compressed values are not regrouped",
                {regroup_option, "on", "auto or off", ""});
  const Acsr& acsr = *all.compressed;
  const BlockListRequest tile = listed_tile(request);
  Built made{acsr.mask(),
             {.score_mod = all.score_mod,
              .places = AcsrPlaces(acsr),
              .width = std::max<std::int64_t>(acsr.width(), 1),
              .block_q = tile.block_q,
              .block_kv = tile.block_kv},
             all.tables};
  for (const auto& tables : {acsr.tables(), made.parts.places.tables})
    for (const AcsrTable& table : tables)
      made.tables[table.name] = host_table(table.numbers, table.extents);
  return made;
}

/// The tiles that a person forces are those of the two products, which the list has: a row of
/// weights has its own.
CompileRequest compiled_for(const Request& request, const CompressedKernel& kernel,
                            bool is_product) {
  if (!request.schedule.text.empty())
    throw Error(errors::variants["variant-schedule-unsupported"],
                "compressed values take three kernels, and a schedule is one's",
                {"--schedule", "a file", "--tile-q, --tile-kv, --stages, --warps", ""});
  if (is_product) return compile_request(request, kernel.extents);
  Request one = request;
  one.schedule = {};
  one.shape.dot_precision = DotPrecision::f32;
  return compile_request(one, kernel.extents);
}

using Compiled = std::vector<std::pair<std::shared_ptr<const KernelSource>, CompileRequest>>;

Compiled kernels_of(const Built& made, const Request& request) {
  const AttentionShape& s = request.shape;
  Compiled result;
  for (const CompressedKernel& one :
       compressed_kernels(made.parts, s.dtype, s.head_dim, s.value_dim))
    result.emplace_back(one.kernel, compiled_for(request, one, result.size() != 1));
  if (result.empty())
    throw Error(errors::variants["variant-type-unsupported"],
                "compressed values have no kernels for this element type",
                {"--dtype", std::string(name(s.dtype)), attention_dtypes, ""});
  return result;
}

}  // namespace

void visit_compressed(const Joined& all, const Request& request, const KernelVisitor& visit) {
  const Built made = built(all, request);
  const Compiled kernels = kernels_of(made, request);
  visit(block_list_kernel(made.mask), block_list_request(made.listed()));
  for (const auto& [kernel, how] : kernels) visit(kernel, how);
}

RunResult run_compressed(const Joined& all, const Request& request, const std::string& where,
                         const Inputs& inputs) {
  const Built made = built(all, request);
  const Compiled kernels = kernels_of(made, request);
  const Device device = Device::open(where);
  const auto part = [&](std::size_t i) {
    return compile(device, *kernels[i].first, kernels[i].second);
  };
  MadeList list(device, made.listed(), extents_of(request.shape));
  MoreArguments more{arguments_of(made.parts.trees()), made.tables};
  more.before = [&](const Stream& stream, std::vector<Binding>& bindings) {
    list.make(stream, bindings);
  };
  RunResult result = run_plan(Plan{part(0), part(1), part(2)}, request, inputs, more);
  result.tile_q = made.parts.block_q;
  result.tile_kv = made.parts.block_kv;
  result.blocks = list.counts();
  return result;
}

Tiling compressed_tiling(const Joined& all, const Request& request) {
  const Built made = built(all, request);
  const std::int64_t tile_q = made.parts.block_q, tile_kv = made.parts.block_kv;
  return {tile_q, tile_kv,
          [=, mask = made.mask, tables = made.tables, s = request.shape](auto b, auto h) {
            return listed_classes(mask, tables, s, tile_q, tile_kv, b, h);
          }};
}

}  // namespace tilewright::library
