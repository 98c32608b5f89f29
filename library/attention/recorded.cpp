// See recorded.hpp.
#include "attention/recorded.hpp"

#include <algorithm>

namespace tilewright::library {
namespace {

std::string_view dimension(TableExtent extent) {
  switch (extent) {
    case TableExtent::batch: return B.name;
    case TableExtent::heads: return HQ.name;
    case TableExtent::kv_heads: return HK.name;
    case TableExtent::seqlen_q: return M.name;
    case TableExtent::seqlen_kv: return N.name;
    case TableExtent::any: break;
  }
  return {};
}

void unite(std::vector<std::string_view>& into, const std::vector<std::string_view>& more) {
  for (const std::string_view dim : more)
    if (std::find(into.begin(), into.end(), dim) == into.end()) into.push_back(dim);
}

}  // namespace

void declare_arguments(std::span<const ScoreTree> trees, bool of_some) {
  Gate& gate = detail::Trace::current("an attention's arguments").gate();
  for (const ScoreTree& tree : arguments_of(trees)) {
    Argument made;
    made.kind = tree->op == Op::load ? Argument::Kind::in : Argument::Kind::scalar;
    made.name = tree->name;
    made.dtype = tree->dtype;
    for (std::size_t i = 0; i < tree->extents.size(); ++i) {
      const bool of_rows =
          tree->extents[i] == TableExtent::seqlen_q || tree->extents[i] == TableExtent::seqlen_kv;
      const std::string_view known =
          of_some && of_rows ? std::string_view() : dimension(tree->extents[i]);
      made.dims.push_back(known.empty() ? tree->name + "_extent_" + std::to_string(i)
                                        : std::string(known));
    }
    gate.declare(made);
  }
}

ValueId TreeRecorder::record(const ScoreTree& tree) { return of(tree).value; }

TreeRecorder::Recorded TreeRecorder::append(Op op, DType dtype, std::vector<std::string_view> dims,
                                            const Details& details,
                                            const std::vector<ValueId>& operands,
                                            std::vector<IndexSpec> indices) {
  const ValueId value =
      detail::record_node(statement_, op, dtype, dims, details, operands, std::move(indices));
  return {value, std::move(dims)};
}

TreeRecorder::Recorded TreeRecorder::leaf(ScoreNode::Leaf which) {
  const auto extent = [&](std::string_view dim) {
    return append(Op::extent, i32, {}, {.name = dim}, {});
  };
  const auto index = [&](std::string_view dim) {
    return append(Op::index, i32, {dim}, {.name = dim}, {});
  };
  if (place_.pairs) {
    const RecordingPlace::Pairs& pairs = *place_.pairs;
    if (which == ScoreNode::Leaf::row) return {pairs.row, {pairs.row_dim}};
    if (which == ScoreNode::Leaf::key) return {pairs.key, {pairs.key_dim}};
    if (which == ScoreNode::Leaf::seqlen_q) return {pairs.seqlen_q, {}};
    if (which == ScoreNode::Leaf::seqlen_kv) return {pairs.seqlen_kv, {}};
  }
  switch (which) {
    case ScoreNode::Leaf::batch: return {place_.batch, {}};
    case ScoreNode::Leaf::head: return {place_.head, {}};
    case ScoreNode::Leaf::row: return index(M.name);
    case ScoreNode::Leaf::key:
      return place_.key == no_value ? index(N.name) : Recorded{place_.key, {Slot.name}};
    case ScoreNode::Leaf::seqlen_q: return extent(M.name);
    case ScoreNode::Leaf::seqlen_kv: return extent(N.name);
    case ScoreNode::Leaf::heads: return extent(HQ.name);
    case ScoreNode::Leaf::score:
      return {place_.score, {M.name, place_.key == no_value ? N.name : Slot.name}};
    case ScoreNode::Leaf::residue: return {place_.residue, {}};
    case ScoreNode::Leaf::none: break;
  }
  return {};
}

TreeRecorder::Recorded TreeRecorder::of(const ScoreTree& tree) {
  const auto known = known_.find(tree.get());
  if (known != known_.end()) return known->second;
  Recorded result;
  if (tree->leaf != ScoreNode::Leaf::none) {
    result = leaf(tree->leaf);
  } else {
    std::vector<ValueId> operands;
    std::vector<std::string_view> dims;
    std::vector<IndexSpec> indices;
    for (const ScoreTree& operand : tree->operands) {
      const Recorded recorded = of(operand);
      unite(dims, recorded.dims);
      const bool is_tile = !recorded.dims.empty();
      if (tree->op == Op::load)
        indices.push_back(
            {is_tile ? IndexSpec::Kind::gather : IndexSpec::Kind::scalar, "", recorded.value});
      else
        operands.push_back(recorded.value);
    }
    // Only numbers and tables have names; the default of a scalar is the launch's business.
    const Details details{.constant = tree->op == Op::constant ? tree->constant : 0,
                          .name = tree->name};
    result = append(tree->op, tree->dtype, std::move(dims), details, operands, std::move(indices));
  }
  known_.emplace(tree.get(), result);
  return result;
}

}  // namespace tilewright::library
