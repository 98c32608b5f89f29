// See global_rows.hpp.
#include "variants/global_rows.hpp"

#include <algorithm>

#include "attention/block_checks.hpp"

namespace tilewright::library {

GlobalPart global_part(AttentionParts parts, OwnRows inputs, const AttentionShape& s) {
  const std::int64_t count = std::min(inputs.rows, s.seqlen_q);
  return {over_rows(std::move(parts), "global"),
          {0, count},
          {count, s.seqlen_q - count},
          std::move(inputs)};
}

GlobalLaunch::GlobalLaunch(Plan plan, const GlobalPart& part, const AttentionShape& s)
    : plan_(std::move(plan)), part_(part) {
  const auto add = [&](const char* name, Buffer& buffer, const std::vector<std::byte>& bytes,
                       std::int64_t heads, std::int64_t length, std::int64_t dim) {
    buffer = Buffer(plan_.device(), bytes.size());
    if (!bytes.empty()) buffer.upload(bytes.data(), bytes.size());
    own_.emplace_back(name, tensor_view(buffer, s, heads, length, dim));
  };
  add("q", q_, part.inputs.q, s.heads, part.range.count, s.head_dim);
  add("k", k_, part.inputs.k, s.kv_heads, s.seqlen_kv, s.head_dim);
  add("v", v_, part.inputs.v, s.kv_heads, s.seqlen_kv, s.value_dim);
}

void GlobalLaunch::launch(const Stream& stream, const std::vector<Binding>& all) const {
  if (part_.range.count == 0) return;
  std::vector<Binding> arguments = own_;
  const std::vector<ScoreTree> asked = arguments_of(part_.parts.trees());
  for (const Binding& one : of_rows(part_.parts, part_.range, all)) {
    const bool of_all = one.name == "out" || one.name == "lse" || one.name == "softmax_scale";
    const auto same = [&](const ScoreTree& tree) { return tree->name == one.name; };
    if (of_all || std::any_of(asked.begin(), asked.end(), same)) arguments.push_back(one);
  }
  plan_.launch(stream, arguments);
}

BlockCounts count_rows(const Program& program, const AttentionParts& parts, const RowRange& range,
                       const Tables& tables, const AttentionShape& s) {
  return count_blocks(program, parts.mask,
                      kernel_extents(of_rows(range, extents_of(s)), s.head_dim, s.value_dim),
                      numbers_of(parts, range, s.seqlen_q), tables)
      .value();
}

void add_row_parts(Tiling& tiling, const GlobalPart& global,
                   std::shared_ptr<const Program> global_program, const AttentionParts& rest,
                   std::shared_ptr<const Program> rest_program, const Tables& tables,
                   const AttentionShape& s) {
  const std::int64_t filled = tiles_in(global.range.count, tiling.tile_q) * tiling.tile_q;
  for (std::int64_t i = 0; i < filled; ++i)
    tiling.row_order.push_back(i < global.range.count ? i : -1);
  for (std::int64_t row = global.rest.first; row < s.seqlen_q; ++row)
    tiling.row_order.push_back(row);
  struct Part {
    std::shared_ptr<const Program> program;
    AttentionParts parts;
    RowRange range;
  };
  tiling.classes = [=, both = std::array{Part{global_program, global.parts, global.range},
                                         Part{rest_program, rest, global.rest}}](auto b, auto h) {
    std::vector<ir::TileClass> all;
    for (const Part& one : both) {
      if (one.range.count == 0) continue;
      const auto own = tile_classes(
          *one.program, one.parts.mask,
          kernel_extents(of_rows(one.range, extents_of(s)), s.head_dim, s.value_dim),
          numbers_of(one.parts, one.range, s.seqlen_q), tables, {{"batch", b}, {"q_head", h}});
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  };
}

}  // namespace tilewright::library
