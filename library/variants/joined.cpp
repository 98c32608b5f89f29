// See joined.hpp.
#include "variants/joined.hpp"

#include <algorithm>
#include <tilewright/error.hpp>
#include <tilewright/library/documents.hpp>

#include "variants/errors.hpp"
#include "variants/gathered.hpp"

namespace tilewright::library {
namespace {

/// Where a row stands: row q at key q + shift, and the keys of its sequence.
struct Row {
  std::int64_t shift = 0, first = 0, end = 0;
};

Pair pair(std::int64_t b, std::int64_t h, std::int64_t q, std::size_t k,
          const std::vector<Row>& rows) {
  return {b, h, q, static_cast<std::int64_t>(k), q + rows[static_cast<std::size_t>(q)].shift};
}

std::vector<Row> packed_rows(const Joined& all, const AttentionShape& s) {
  const auto rows = static_cast<std::size_t>(s.seqlen_q);
  if (all.cu_seqlens_q.empty())
    return std::vector<Row>(rows, {s.seqlen_kv - s.seqlen_q, 0, s.seqlen_kv});
  std::vector<Row> packed;
  for (std::size_t i = 1; i < all.cu_seqlens_q.size(); ++i) {
    const std::int64_t first = all.cu_seqlens_k[i - 1], end = all.cu_seqlens_k[i];
    packed.resize(static_cast<std::size_t>(all.cu_seqlens_q[i]),
                  {end - all.cu_seqlens_q[i], first, end});
  }
  return packed;
}

}  // namespace

Joined joined(const std::vector<std::shared_ptr<const Recipe>>& recipes, const Request& request) {
  const Problem problem(request);
  std::vector<Composition> parts;
  for (const auto& recipe : recipes) parts.push_back(recipe->compose(problem));
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.order < b.order; });
  Joined all;
  all.causal = request.shape.causal;
  for (Composition& part : parts) {
    all.mask = all.mask && part.mask;
    if (!part.global) all.global_mask = all.global_mask && part.mask;
    all.score_mod = all.score_mod.tree() ? all.score_mod | part.score_mod : part.score_mod;
    for (auto& [name, table] : part.tables)
      if (!all.tables.emplace(name, std::move(table)).second)
        throw Error(errors::variants["variant-parts-exclude"],
                    "two variants are composed whose tables have the same name",
                    {"VARIANT", name, "tables of different names", ""});
    if (!part.sinks.empty()) all.sinks = part.sinks;
    all.by_list = all.by_list || part.by_list;
    all.has_loose_bounds = all.has_loose_bounds || part.has_loose_bounds;
    if (part.compressed) all.compressed = part.compressed;
    if (part.global) all.global = std::move(part.global);
    if (part.graph && all.graph)
      throw Error(errors::variants["variant-parts-exclude"],
                  "two variants are composed that each list the keys of every row",
                  {"VARIANT", "two graphs", "one of them", ""});
    if (part.graph) all.graph = std::move(part.graph);
    if (part.visible) all.visible.push_back(part.visible);
    if (part.scored) all.scored.push_back(part.scored);
    if (part.rope) {
      all.rope = rope_part(*part.rope, request.shape.head_dim);
      all.query = part.query;
      all.key = part.key;
    }
    if (part.positions) {
      all.positions = part.positions;
      all.query = part.query;
      all.key = part.key;
    }
    if (part.cu_seqlens_q.empty()) continue;
    all.cu_seqlens_q = part.cu_seqlens_q;
    all.cu_seqlens_k = part.cu_seqlens_k;
  }
  if (all.positions && (all.rope || !all.cu_seqlens_q.empty()))
    throw Error(errors::variants["variant-parts-exclude"],
                "sinusoidal positions are composed with what counts positions otherwise",
                {"VARIANT", "sinusoidal", "without rope and varlen", ""});
  if (all.rope && (all.by_list || all.graph || !all.cu_seqlens_q.empty()))
    throw Error(
        errors::variants["variant-parts-exclude"],
        "rope is composed with a variant that it has no kernel for",
        {"VARIANT", "rope", "without varlen, and without tiles or keys that are listed", ""});
  if (all.global && (all.rope || all.positions || all.by_list || all.graph))
    throw Error(errors::variants["variant-parts-exclude"],
                "rows with projections of their own are composed with a variant that changes those "
                "of all, or lists tiles",
                {"VARIANT", "longformer", "--global-projections shared", ""});
  if (all.causal && !all.cu_seqlens_q.empty() &&
      request.shape.causal_alignment == CausalAlignment::top_left)
    throw Error(errors::variants["variant-parts-exclude"],
                "packed sequences are causal from their last row and key",
                {"--causal-alignment", "top-left", "bottom-right", ""});
  if (all.compressed && (all.visible.size() > 1 || all.rope || all.positions ||
                         !all.sinks.empty() || !all.cu_seqlens_q.empty()))
    throw Error(errors::variants["variant-parts-exclude"],
                "compressed values are composed with more than score functions",
                {"--trio", "true", "without other masks, sinks and positions", ""});
  if (all.causal) {
    const Mask causal = tilewright::causal(request.shape.causal_alignment);
    all.mask = all.mask && causal;
    all.global_mask = all.global_mask && causal;
    if (all.compressed) all.compressed = all.compressed->causal(request.shape.causal_alignment);
  }
  if (!all.cu_seqlens_q.empty()) {
    const DocumentTables rows = document_tables(all.cu_seqlens_q, all.cu_seqlens_k);
    all.mask = within_documents(all.mask);
    all.global_mask = within_documents(all.global_mask);
    all.score_mod = within_documents(all.score_mod);
    all.tables["document_start"] = host_table(rows.start);
    all.tables["document_end"] = host_table(rows.end);
    all.tables["document_shift"] = host_table(rows.shift);
  }
  if (!all.sinks.empty())
    all.tables[sinks_table] = {{request.shape.heads}, {all.sinks.begin(), all.sinks.end()}};
  if (all.graph) {
    all.graph = shown_of(*all.graph, all.mask, all.tables, request.shape);
    all.mask = {};
    all.by_list = all.has_loose_bounds = false;
  }
  return all;
}

Formula formula_of(const Joined& all, const AttentionShape& shape) {
  std::vector<Visible> seen = all.visible;
  if (all.causal) {
    const bool top_left = shape.causal_alignment == CausalAlignment::top_left;
    seen.push_back([=](const Pair& at) { return at.k <= (top_left ? at.q : at.p); });
  }
  const auto shifts = packed_rows(all, shape);
  if (!all.cu_seqlens_q.empty())
    seen.push_back([shifts](const Pair& at) {
      const Row& row = shifts[static_cast<std::size_t>(at.q)];
      return row.first <= at.k && at.k < row.end;
    });
  Formula formula;
  if (!seen.empty())
    formula.visible = [seen, shifts](std::int64_t b, std::int64_t h, std::int64_t q,
                                     std::span<std::uint8_t> visible) {
      for (std::size_t k = 0; k < visible.size(); ++k) {
        const Pair at = pair(b, h, q, k, shifts);
        for (const Visible& one : seen) visible[k] = visible[k] != 0 && one(at);
      }
    };
  if (!all.scored.empty())
    formula.scored = [changes = all.scored, shifts](std::int64_t b, std::int64_t h, std::int64_t q,
                                                    std::span<const std::uint8_t> visible,
                                                    std::span<double> scores) {
      for (std::size_t k = 0; k < visible.size(); ++k) {
        if (visible[k] == 0) continue;
        const Pair at = pair(b, h, q, k, shifts);
        for (const Scored& one : changes) scores[k] = one(scores[k], at);
      }
    };
  formula.query = all.query;
  formula.key = all.key;
  formula.sinks.assign(all.sinks.begin(), all.sinks.end());
  if (all.global) formula.own = *all.global;
  return formula;
}

}  // namespace tilewright::library
