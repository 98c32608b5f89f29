// Rows that see more than the others, with queries, keys and values of their own: the global tokens
// of Longformer (arXiv 2004.05150, section 3.1), whose projections are not those of local ones. The
// first rows are attended by a launch of their own, the others by the variant's.
#pragma once

#include <tilewright/compile.hpp>
#include <vector>

#include "attention/row_range.hpp"
#include "variants/recipe.hpp"
#include "variants/run_plan.hpp"

namespace tilewright::library {

/// What is compiled and launched for the first rows, and which are left.
struct GlobalPart {
  AttentionParts parts;  ///< of a RowRange
  RowRange range, rest;
  OwnRows inputs;
};

GlobalPart global_part(AttentionParts parts, OwnRows inputs, const AttentionShape& shape);

/// q, k and v in device memory, and the plan.
class GlobalLaunch {
 public:
  GlobalLaunch(Plan plan, const GlobalPart& part, const AttentionShape& shape);
  /// Writes the first rows of out and lse, which are among `all`.
  void launch(const Stream& stream, const std::vector<Binding>& all) const;
  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  const GlobalPart& part_;
  Buffer q_, k_, v_;
  std::vector<Binding> own_;
};

/// The tiles of one range of rows.
BlockCounts count_rows(const Program& program, const AttentionParts& parts, const RowRange& range,
                       const Tables& tables, const AttentionShape& shape);

/// Orders and classes of both launches: the first rows, filled up to whole tiles, then the rest.
void add_row_parts(Tiling& tiling, const GlobalPart& global,
                   std::shared_ptr<const Program> global_program, const AttentionParts& rest,
                   std::shared_ptr<const Program> rest_program, const Tables& tables,
                   const AttentionShape& shape);

}  // namespace tilewright::library
