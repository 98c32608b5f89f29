// See tilewright/library/documents.hpp.
#include <tilewright/error.hpp>
#include <tilewright/library/documents.hpp>

#include "scores/errors.hpp"
#include "scores/node.hpp"

namespace tilewright {
namespace {

Index of_row(const char* table, const Index& q) {
  return IndexTable(table, {TableExtent::seqlen_q})(q);
}

ScoreTree moved(const ScoreTree& tree) {
  if (!tree) return tree;
  return library::with_position(tree, [](const ScoreTree& q) {
    return (Index(q) + of_row("document_shift", Index(q))).tree();
  });
}

void require_ascending(const char* name, std::span<const std::int32_t> bounds) {
  const auto refuse = [&](std::size_t at, const char* allowed) {
    throw Error(
        errors::scores["document-bounds-wrong"],
        std::string(name) + " does not say where sequences begin and end",
        {name,
         bounds.empty() ? "no number" : std::to_string(bounds[at]) + " at " + std::to_string(at),
         allowed, ""});
  };
  if (bounds.empty() || bounds[0] != 0) refuse(0, "0 first");
  for (std::size_t i = 1; i < bounds.size(); ++i)
    if (bounds[i] < bounds[i - 1])
      refuse(i, "a bound not below the one before: sequences do not overlap");
}

}  // namespace

DocumentTables document_tables(std::span<const std::int32_t> cu_seqlens_q,
                               std::span<const std::int32_t> cu_seqlens_k) {
  require_ascending("cu_seqlens_q", cu_seqlens_q);
  require_ascending("cu_seqlens_k", cu_seqlens_k);
  if (cu_seqlens_q.size() != cu_seqlens_k.size())
    throw Error(errors::scores["document-bounds-wrong"],
                "cu_seqlens_k has bounds of another number of sequences",
                {"cu_seqlens_k", std::to_string(cu_seqlens_k.size()) + " numbers",
                 std::to_string(cu_seqlens_q.size()) + ", as cu_seqlens_q", ""});
  DocumentTables tables;
  for (std::size_t i = 0; i + 1 < cu_seqlens_q.size(); ++i)
    for (std::int32_t row = cu_seqlens_q[i]; row < cu_seqlens_q[i + 1]; ++row) {
      tables.start.push_back(cu_seqlens_k[i]);
      tables.end.push_back(cu_seqlens_k[i + 1]);
      tables.shift.push_back(cu_seqlens_k[i + 1] - cu_seqlens_q[i + 1]);
    }
  return tables;
}

Mask within_documents(const Mask& mask) {
  const Mask own([](Index q, Index k) {
    return k >= of_row("document_start", q) && k < of_row("document_end", q);
  });
  return own && Mask(moved(mask.tree()));
}

ScoreMod within_documents(const ScoreMod& score_mod) {
  return score_mod.tree() ? ScoreMod(moved(score_mod.tree())) : score_mod;
}

}  // namespace tilewright
