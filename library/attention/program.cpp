// What can be read off a compiled attention: its texts, its images, its launch.
#include <fmt/format.h>

#include <tilewright/error.hpp>

#include "attention/kernel.hpp"
#include "attention/state.hpp"
#include "measure/work.hpp"
#include "plan_errors.hpp"
#include "runtime/cubin_info.hpp"

namespace tilewright {
namespace {

std::string image(const AttentionState& state, runtime::ImageKind kind) {
  const Program& program = state.program();
  return runtime::compile_image(program.aligned.text.text, program.traced.name, state.arch, kind,
                                compile_options())
      .bytes;
}

/// One "key value" line of the schedule each, and the reasons.
std::string indented(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    result += "  " + text.substr(at, end - at) + "\n";
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return result;
}

/// "causal", "every key; scores 50 * tanh(s / 50)".
std::string scores_text(const AttentionState& state) {
  const library::AttentionParts& parts = state.parts;
  std::string text = parts.mask.tree() ? "keys where " + parts.mask.text() : "every key";
  if (parts.score_mod.tree()) text += "; scores s = " + parts.score_mod.text();
  if (state.regrouped)
    text += fmt::format("; rows and keys regrouped by residue, every {}. together",
                        state.regrouped->how.stride);
  if (parts.has_sinks) text += "; a sink for each head";
  if (parts.rope)
    text += fmt::format("; rotary positions, {} pairs of {} elements{}",
                        parts.rope->pairing == RopePairing::half ? "half" : "interleaved",
                        parts.rope->dim, parts.rope->positions_given ? ", positions given" : "");
  if (parts.block_q != 0)
    text += fmt::format("; tiles of {} rows by {} keys that a list names", parts.block_q,
                        parts.block_kv);
  if (parts.graph_q != 0)
    text += fmt::format("; those of a graph, {} rows by {} gathered keys", parts.graph_q,
                        parts.graph_kv);
  return text;
}

/// Registers and spills, from the machine code; empty where NVRTC is missing.
std::string machine_code(const AttentionState& state) {
  try {
    const std::string cubin = image(state, runtime::ImageKind::cubin);
    const auto info = runtime::inspect_cubin(cubin, state.program().aligned.text.symbol);
    return fmt::format("{} registers a thread, {} bytes spilled, {} instructions\n", info.registers,
                       info.spill_bytes(), info.code.size());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::missing) throw;
    return "";
  }
}

std::optional<library::BlockCounts> counted(const AttentionState& state,
                                            const AttentionExtents& extents) {
  const AttentionRequest& request = state.request;
  if (state.regrouped)
    return library::count_regrouped(state.program(), state.regrouped->how, extents,
                                    request.head_dim, request.value_dim);
  return library::count_blocks(
      state.program(), state.parts.mask,
      library::kernel_extents(extents, request.head_dim, request.value_dim));
}

/// Of rows and keys, those that have tiles: of one residue, where they are regrouped.
double share_of_pairs(const AttentionState& state, const AttentionExtents& extents) {
  if (!state.regrouped) return 1;
  double pairs = 0;
  for (const auto& range :
       library::residue_ranges(state.regrouped->how, extents.seqlen_q, extents.seqlen_kv))
    pairs += static_cast<double>(range.count) * static_cast<double>(range.rows) *
             static_cast<double>(range.keys);
  const double all = static_cast<double>(extents.seqlen_q) * static_cast<double>(extents.seqlen_kv);
  return all > 0 ? pairs / all : 0;
}

}  // namespace

AttentionProgram::AttentionProgram(std::shared_ptr<const AttentionState> state)
    : state_(std::move(state)) {}

std::string AttentionProgram::cuda_source() const { return state_->program().cuda_source(); }

std::string AttentionProgram::cubin() const { return image(*state_, runtime::ImageKind::cubin); }
std::string AttentionProgram::ptx() const { return image(*state_, runtime::ImageKind::ptx); }

const std::string& AttentionProgram::symbol() const {
  return state_->program().aligned.text.symbol;
}
int AttentionProgram::threads() const { return state_->program().aligned.text.threads; }
int AttentionProgram::shared_bytes() const { return state_->program().aligned.text.shared_bytes; }

int AttentionProgram::tile_q() const { return state_->program().aligned.schedule.tile.at("q"); }
int AttentionProgram::tile_kv() const {
  if (state_->parts.graph_q != 0) return state_->parts.graph_kv;
  return state_->program().aligned.schedule.tile.at("kv");
}

std::vector<std::string> AttentionProgram::parameters() const {
  std::vector<std::string> result;
  for (const auto& one : state_->program().aligned.text.parameters)
    result.push_back(one.type + " " + one.name);
  return result;
}

std::int64_t AttentionProgram::blocks(const AttentionExtents& extents) const {
  library::check(extents);
  constexpr std::int64_t most = 2'147'483'647;
  const AttentionRequest& request = state_->request;
  const auto of_launch = [&](const Extents& sizes) -> std::int64_t {
    std::int64_t product = 1;
    for (const auto& factor : state_->program().aligned.text.grid)
      if (sizes.at(factor.dim) == 0) return 0;
    for (const auto& factor : state_->program().aligned.text.grid) {
      const std::int64_t count = (sizes.at(factor.dim) + factor.tile - 1) / factor.tile;
      if (count > most / product)
        throw Error(errors::plan["grid-too-large"],
                    "the grid has more blocks than a launch can have",
                    {"extents", fmt::format("{} * {}", product, count),
                     "0 to " + std::to_string(most), ""});
      product *= count;
    }
    return product;
  };
  if (!state_->regrouped)
    return of_launch(library::kernel_extents(extents, request.head_dim, request.value_dim));
  std::int64_t sum = 0;
  for (const auto& range :
       library::residue_ranges(state_->regrouped->how, extents.seqlen_q, extents.seqlen_kv))
    sum += of_launch(range.extents(extents, request.head_dim, request.value_dim));
  return sum;
}

std::string AttentionProgram::schedule() const {
  return ir::print(state_->program().aligned.schedule);
}

std::string AttentionProgram::explain() const {
  const Program& program = state_->program();
  const emit::KernelText& text = program.aligned.text;
  const AttentionRequest& request = state_->request;
  std::string aligned;
  for (const auto& one : text.aligned) aligned += (aligned.empty() ? "" : ", ") + one.tensor;
  return fmt::format(
             "{}: {}, {}, head_dim {}, value_dim {}; compiled for {}\n"
             "blocks of {} threads with {} bytes of shared memory; {}",
             text.symbol, scores_text(*state_), name(request.dtype), request.head_dim,
             request.value_dim, state_->arch, text.threads, text.shared_bytes,
             machine_code(*state_)) +
         fmt::format(
             "two forms: this one where {} have 16-byte aligned rows, a general one elsewhere\n"
             "the same bits from every launch: {}\nschedule\n{}",
             aligned, program.order_dependent().empty() ? "yes" : "no",
             indented(ir::print(program.aligned.schedule)));
}

std::string AttentionProgram::explain(const AttentionExtents& extents) const {
  library::check(extents);
  const AttentionRequest& request = state_->request;
  const auto counts = counted(*state_, extents);
  double share = 1;
  std::string tiles = state_->parts.follows_list() ? "as the list of the launch says"
                                                   : "as a table of the launch says";
  if (counts) {
    const double visited = static_cast<double>(counts->full + counts->cut);
    const double all = visited + static_cast<double>(counts->skipped);
    share = all > 0 ? visited / all * share_of_pairs(*state_, extents) : 0;
    tiles = fmt::format("{} skipped, {} full, {} cut by the mask", counts->skipped, counts->full,
                        counts->cut);
  }
  const library::Work work =
      library::attention_work(extents, request.head_dim, request.value_dim, request.dtype, share);
  return explain() + fmt::format(
                         "for batch {}, heads {}/{}, {} rows, {} keys: {} thread blocks\n"
                         "  tiles of keys: {}\n"
                         "  {:.4g} Gflop in {}, {:.4g} MB to read and write at least once\n",
                         extents.batch, extents.heads, extents.kv_heads, extents.seqlen_q,
                         extents.seqlen_kv, blocks(extents), tiles, work.flops / 1e9,
                         counts ? "visited tiles" : "all tiles", work.bytes / 1e6);
}

}  // namespace tilewright
