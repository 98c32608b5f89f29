// Sequences packed one after the other into one (varlen, documents): a row sees the keys of its own
// sequence alone, and stands in it as if it were alone.
//
//   const DocumentTables tables = document_tables(cu_seqlens_q, cu_seqlens_k);   // refuses bad
//   ones auto attention = Attention{}.mask(causal() && window(128, 0)).score(alibi()).documents();
//   plan.launch(stream, {…, .tables = {{"document_start", …}, {"document_end", …},
//                                      {"document_shift", …}}});
//
// position(q), in masks and score functions, is then the row's place among the keys of its own
// sequence, whose last row stands at its last key: causal, windows and ALiBi mean what they mean
// for each sequence by itself. Sequences of length 0 are legal, on either side.
#pragma once

#include <cstdint>
#include <span>
#include <tilewright/library/score.hpp>
#include <vector>

namespace tilewright {

/// Three i32 tables [seqlen_q] of the launch, one number for each packed row.
struct DocumentTables {
  std::vector<std::int32_t> start;  ///< "document_start": the first key of the row's sequence
  std::vector<std::int32_t> end;    ///< "document_end": the one behind its last
  std::vector<std::int32_t> shift;  ///< "document_shift": row q stands at key q + shift
};

/// From the bounds of the sequences among the packed rows and keys: sequence i has the rows
/// cu_seqlens_q[i] … cu_seqlens_q[i + 1] - 1 (flash-attention's flash_attn_varlen_func). Throws
/// Error{invalid_argument} naming cu_seqlens_q or cu_seqlens_k where they do not begin at 0,
/// descend (sequences would overlap), or have different lengths.
DocumentTables document_tables(std::span<const std::int32_t> cu_seqlens_q,
                               std::span<const std::int32_t> cu_seqlens_k);

/// `mask` within each sequence; the three tables are the launch's.
Mask within_documents(const Mask& mask);
/// The same for scores: positions are those in the sequence.
ScoreMod within_documents(const ScoreMod& score_mod);

}  // namespace tilewright
