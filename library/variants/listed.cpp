// See listed.hpp.
#include "variants/listed.hpp"

#include <algorithm>
#include <array>

#include "attention/block_checks.hpp"

namespace tilewright::library {

BlockListRequest listed_tile(const Request& request) {
  const AttentionShape& s = request.shape;  // shared memory holds two tiles of keys and values
  const int tile = s.dtype == f32 && std::max(s.head_dim, s.value_dim) > 128 ? 32 : 64;
  return {static_cast<int>(request.schedule.tile_q.value_or(tile)),
          static_cast<int>(request.schedule.tile_kv.value_or(tile))};
}

CompileRequest block_list_request(const AttentionParts& parts) {
  return {.extents = {{"block_q", parts.block_q}, {"block_kv", parts.block_kv}}, .schedule = {}};
}

MadeList::MadeList(const Device& device, const AttentionParts& parts,
                   const AttentionExtents& extents)
    : plan_(compile_block_list(device, parts.mask, {parts.block_q, parts.block_kv})),
      memory_(device, plan_.shape(extents)),
      extents_(extents),
      arguments_(arguments_of(std::array{parts.mask.tree()})) {}

void MadeList::make(const Stream& stream, std::vector<Binding>& all) {
  BlockListArguments given;
  for (const Binding& one : all)
    for (const ScoreTree& wanted : arguments_)
      if (wanted->name == one.name && wanted->op == Op::load)
        given.tables.emplace_back(one.name, one.tensor);
  const BlockListTensors list = memory_.tensors(extents_.batch, extents_.heads);
  plan_.launch(stream, list, extents_, given);
  bind(list, all);
}

BlockCounts MadeList::counts() const {
  const BlockListTensors list = memory_.tensors(extents_.batch, extents_.heads);
  const BlockMaskShape& shape = memory_.shape();
  std::vector<std::int32_t> words(memory_.buffer().bytes() / sizeof(std::int32_t));
  if (!words.empty()) memory_.buffer().download(words.data(), words.size() * sizeof(std::int32_t));
  const auto at = [&](const TensorView& tensor) {
    return words.data() + (tensor.data - memory_.buffer().address()) / sizeof(std::int32_t);
  };
  const std::int64_t lists = shape.batch * shape.heads * shape.rows;
  BlockCounts counts{.skipped = lists * shape.columns};
  for (std::int64_t row = 0; row < lists; ++row)
    for (std::int32_t i = at(list.begin)[row]; i < at(list.end)[row]; ++i) {
      --counts.skipped;
      ++(at(list.tiles)[i] < 0 ? counts.cut : counts.full);
    }
  return counts;
}

std::vector<ir::TileClass> listed_classes(const Mask& mask, const Tables& tables,
                                          const AttentionShape& s, std::int64_t tile_q,
                                          std::int64_t tile_kv, std::int64_t batch,
                                          std::int64_t head) {
  const ScoreSetting setting{
      .seqlen_q = s.seqlen_q, .seqlen_kv = s.seqlen_kv, .heads = s.heads, .tables = tables};
  std::vector<ir::TileClass> classes;
  for (std::int64_t row = 0; row < s.seqlen_q; row += tile_q)
    for (std::int64_t key = 0; key < s.seqlen_kv; key += tile_kv) {
      std::int64_t seen = 0, all = 0;
      for (std::int64_t q = row; q < std::min(row + tile_q, s.seqlen_q); ++q)
        for (std::int64_t k = key; k < std::min(key + tile_kv, s.seqlen_kv); ++k, ++all)
          seen += evaluate(mask.tree(), setting, {batch, head, q, k}) != 0;
      classes.push_back(seen == 0     ? ir::TileClass::skipped
                        : seen == all ? ir::TileClass::full
                                      : ir::TileClass::cut);
    }
  return classes;
}

}  // namespace tilewright::library
