// See tilewright/library/attention.hpp: composing, compiling, launching.
#include <tilewright/library/attention.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "attention/errors.hpp"
#include "attention/kernel.hpp"
#include "attention/score_arguments.hpp"
#include "attention/state.hpp"
#include "attention/tensor_checks.hpp"
#include "passes/errors.hpp"
#include "passes/passes.hpp"
#include "plan_state.hpp"
#include "scores/node.hpp"

namespace tilewright {
namespace {

CompileRequest compile_request(const AttentionRequest& request) {
  CompileRequest made{.extents = {{"d", request.head_dim}, {"e", request.value_dim}},
                      .schedule = read_schedule(request.schedule)};
  std::string& products = made.schedule.dot_precision;
  const std::string asked(name(request.dot_precision));
  if (!products.empty() && products != asked)
    throw Error(errors::attention["request-precision-disagrees"],
                "the schedule makes products in another precision",
                {"dot_precision", asked, products + ", as in the schedule", ""});
  if (request.dot_precision == DotPrecision::tf32) products = asked;
  return made;
}

/// Rows of packed sequences do not stand where rows of one would.
void require_positions(const library::AttentionParts& parts) {
  if (parts.rope->positions_given) return;
  for (const ScoreTree& one : library::arguments_of(parts.trees()))
    if (one->name == "document_start")
      throw Error(errors::attention["rope-positions-missing"],
                  "rotary positions of packed sequences must be given",
                  {"rope.positions_given", "false", "true", ""});
}

/// Tables of positions that are not given must reach to the last.
void require_long_tables(const std::vector<std::pair<std::string, TensorView>>& tables,
                         std::int64_t positions) {
  for (const auto& [name, table] : tables) {
    if (name != "rope_cos" && name != "rope_sin") continue;
    if (table.extents.empty() || table.extents[0] >= positions) continue;
    throw Error(
        errors::attention["rope-positions-too-few"], "table '" + name + "' has too few positions",
        {name, std::to_string(table.extents[0]), "at least " + std::to_string(positions), ""});
  }
}

AttentionState described(library::AttentionParts parts, const std::optional<Rope>& rope,
                         bool is_regrouped, AttentionRequest request, std::string arch) {
  library::check(request);
  if (parts.block_q != 0 && parts.graph_q != 0)
    throw Error(errors::attention["graph-over-list"],
                "an attention walks a list of blocks or a graph, not both",
                {"graph", "with blocks", "one of the two", ""});
  if (request.value_dim == 0) request.value_dim = request.head_dim;
  if (rope) {
    if (parts.block_q != 0 || parts.graph_q != 0)
      throw Error(
          errors::attention["rope-over-list"],
          "there is no kernel for rotary positions over a list of blocks or a graph",
          {"rope", parts.block_q != 0 ? "with blocks" : "with graph", "one of the two", ""});
    parts.rope = library::rope_part(*rope, request.head_dim);
    require_positions(parts);
  }
  std::optional<AttentionState::Regrouped> regrouped;
  if (is_regrouped)
    regrouped = {library::required_regrouping(parts), library::WholeChecks(parts, request)};
  return {.arguments = library::arguments_of(parts.trees()),
          .parts = std::move(parts),
          .regrouped = std::move(regrouped),
          .request = std::move(request),
          .arch = std::move(arch)};
}

}  // namespace

Attention Attention::mask(Mask mask) const {
  Attention result = *this;
  result.mask_ = std::move(mask);
  return result;
}

Attention Attention::score(ScoreMod score_mod) const {
  Attention result = *this;
  result.score_mod_ = std::move(score_mod);
  return result;
}

Attention Attention::sinks() const {
  Attention result = *this;
  result.has_sinks_ = true;
  return result;
}

Attention Attention::rope(const Rope& rope) const {
  Attention result = *this;
  result.rope_ = rope;
  return result;
}

Attention Attention::blocks(int block_q, int block_kv) const {
  library::check_block_size("block_q", block_q);
  library::check_block_size("block_kv", block_kv);
  Attention result = *this;
  result.block_q_ = block_q, result.block_kv_ = block_kv;
  return result;
}

Attention Attention::graph(int tile_q, int tile_kv) const {
  library::check_graph_tiles(tile_q, tile_kv);
  Attention result = *this;
  result.graph_q_ = tile_q, result.graph_kv_ = tile_kv;
  return result;
}

Attention Attention::regrouped() const {
  Attention result = *this;
  result.is_regrouped_ = true;
  return result;
}

Attention Attention::documents() const {
  Attention result = *this;
  result.mask_ = within_documents(mask_);
  result.score_mod_ = within_documents(score_mod_);
  return result;
}

library::AttentionParts Attention::parts() const {
  return {.mask = mask_,
          .score_mod = score_mod_,
          .has_sinks = has_sinks_,
          .block_q = block_q_,
          .block_kv = block_kv_,
          .graph_q = graph_q_,
          .graph_kv = graph_kv_};
}

AttentionPlan Attention::compile(const Device& device, const AttentionRequest& request) const {
  AttentionState state = described(parts(), rope_, is_regrouped_, request, device.architecture());
  const auto kernel = library::attention_kernel(state.compiled(), state.request.dtype);
  state.plan = tilewright::compile(device, *kernel, compile_request(state.request));
  auto plan = std::make_shared<Plan>(*state.plan);
  return AttentionPlan(AttentionProgram(std::make_shared<const AttentionState>(std::move(state))),
                       std::move(plan));
}

AttentionProgram Attention::program(const std::string& arch,
                                    const AttentionRequest& request) const {
  AttentionState state = described(parts(), rope_, is_regrouped_, request, arch);
  try {
    passes::target_of(arch);
  } catch (const Error& error) {  // names the command's option
    throw Error(errors::passes["target-unknown"], "unknown architecture",
                {"arch", arch, error.allowed(), ""});
  }
  const auto kernel = library::attention_kernel(state.compiled(), state.request.dtype);
  state.made = make_program(*kernel, arch, compile_request(state.request));
  return AttentionProgram(std::make_shared<const AttentionState>(std::move(state)));
}

const Device& AttentionPlan::device() const { return plan_->device(); }

void AttentionPlan::launch(const Stream& stream, AttentionTensors tensors,
                           const Workspace& workspace) const {
  const AttentionState& state = AttentionState::of(program_);
  const AttentionRequest& request = state.request;
  const library::AttentionParts& parts = state.parts;
  const AttentionExtents extents = library::check(tensors, request);
  library::check(extents, tensors.blocks, parts.block_q, parts.block_kv);
  library::check(extents, tensors.graph, parts.graph_q, parts.graph_kv);
  if (parts.rope && !parts.rope->positions_given)
    require_long_tables(tensors.tables, std::max(extents.seqlen_q, extents.seqlen_kv));
  const double scale =
      tensors.softmax_scale.value_or(1 / std::sqrt(static_cast<double>(request.head_dim)));
  std::vector<Binding> arguments;
  arguments.reserve(6);
  const bool wants_lse = library::is_given(tensors.lse);
  arguments.emplace_back("q", std::move(tensors.q));
  arguments.emplace_back("k", std::move(tensors.k));
  arguments.emplace_back("v", std::move(tensors.v));
  arguments.emplace_back("out", std::move(tensors.out));
  if (wants_lse) arguments.emplace_back("lse", std::move(tensors.lse));
  arguments.emplace_back("softmax_scale", scale);
  if (parts.block_q != 0) library::bind(std::move(tensors.blocks), arguments);
  if (parts.graph_q != 0) library::bind(std::move(tensors.graph), arguments);
  library::bind_arguments(state.arguments, tensors.numbers, tensors.tables, arguments);
  if (!state.regrouped) return plan_->launch(stream, arguments, workspace);
  state.regrouped->checks.run(arguments);
  PlanState::launch_each(*plan_, stream,
                         library::regrouped_launches(state.regrouped->how, arguments), workspace);
}

std::size_t AttentionPlan::workspace_bytes(const AttentionExtents& extents) const {
  library::check(extents);
  const AttentionRequest& request = AttentionState::of(program_).request;
  return plan_->workspace_bytes(
      library::kernel_extents(extents, request.head_dim, request.value_dim));
}

void AttentionPlan::reserve(const AttentionExtents& extents) {
  library::check(extents);
  const AttentionRequest& request = AttentionState::of(program_).request;
  plan_->reserve(library::kernel_extents(extents, request.head_dim, request.value_dim));
}

}  // namespace tilewright
